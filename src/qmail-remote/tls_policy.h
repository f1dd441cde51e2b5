// TlsPolicy: what control/tlshosts and control/notlshosts say about TLS with one server.
//
//   control/tlshosts/NAME.pem         TLS, verified against this file, or no mail
//   control/notlshosts/NAME           no TLS
//   control/tlshosts/exhaustivelist   no TLS but with servers that have a NAME.pem
//
// in this order; with none of them TLS is used when the server offers it, and not verified. NAME is
// the exchanger, relay or host as it was given, else the same in lower case, else both without a
// final dot. A server that was given as an address has no NAME.pem; notlshosts takes its address.
// What the files contain, but for the .pem, does not matter; a symbolic link that leads nowhere is
// one of them.
#pragma once

#include <string>
#include <string_view>

#include "qmail/control.h"
#include "qmail/ip_address.h"
#include "qmail/result.h"

namespace qmail::remote {

struct TlsPolicy {
  enum class Level { never, opportunistic, required };
  Level level = Level::opportunistic;
  std::string pem{};  // required: the file, "control/tlshosts/NAME.pem"
};

// `name`: empty for a server that was given as an address. The error: nobody can tell whether one
// of the files is there, so the mail must wait.
Result<TlsPolicy, ControlError> tls_policy(const ControlDir& control, std::string_view name,
                                           const IpAddress& address);

}  // namespace qmail::remote
