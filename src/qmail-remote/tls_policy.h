// TlsPolicy: what a delivery asks of TLS with one server, wherever it came from (server_policy.h);
// and the oldest source of it, control/tlshosts and control/notlshosts:
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
#include <vector>

#include "qmail-remote/attempt.h"
#include "qmail/control.h"
#include "qmail/ip_address.h"
#include "qmail/result.h"
#include "tls/tls.h"

namespace qmail::remote {

struct TlsPolicy {
  enum class Level {
    never,    // in the clear
    may,      // TLS if it is offered, with whoever answers
    encrypt,  // TLS or no mail, with whoever answers
    verify,   // TLS or no mail, and the server must be who it should be
  };
  Level level = Level::may;
  // encrypt and up: what demands it, behind "while": "control/tlshosts/NAME.pem exists".
  std::string why{};
  // What follows when a demand is not met.
  Then when_unmet = Then::try_next;
  // may: after a failed handshake the same server is called once more, and spoken to in the clear.
  bool falls_back = false;
  bool has_fallen_back = false;  // this is that second call

  // verify: what the certificate must be.
  tls::Verification verification{};
  // How reports name the authorities: the file, or "the system's authorities".
  std::string authorities{};
  // Whom the certificate may be for, as reports list them; empty where a tlshosts file demands it,
  // whose reports have words of their own.
  std::vector<std::string> wanted{};
  // Whoever passed may still be somebody else: the server's name came from an answer without
  // DNSSEC. What is said of TLS is then "untrusted".
  bool name_is_hearsay = false;
  std::string server_name{};  // SNI

  // never, by a file that nothing but a tlshosts file outweighs.
  bool forbidden = false;

  bool demands_tls() const { return level >= Level::encrypt; }
  // For who must not speak in the clear, whatever else is said: at least encrypt, for the reason
  // `because`.
  void demand(const std::string& because);
};

// `name`: empty for a server that was given as an address. The error: nobody can tell whether one
// of the files is there, so the mail must wait.
Result<TlsPolicy, ControlError> tls_policy(const ControlDir& control, std::string_view name,
                                           const IpAddress& address);

// RFC 6066 knows no final dot in a server's name, and certificates carry none.
std::string without_final_dot(std::string_view name);

}  // namespace qmail::remote
