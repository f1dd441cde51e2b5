// Addresses as they go onto the wire: quoting (RFC 5321, 4.1.2) and canonical recipients.
//
// An address is split at its last '@' into box and domain; without one it is sent as it is.
#pragma once

#include <string>
#include <string_view>

#include "qmail-remote/dns_client.h"
#include "qmail/result.h"

namespace qmail::remote {

// The address with its box in quotes if it needs them. Neither CR nor LF is allowed in it: see
// has_line_break().
std::string quoted(std::string_view address);

// A CR or LF, which would end the command it is sent in.
bool has_line_break(std::string_view address);

struct CanonicalAddress {
  std::string address;
  // The domain was an alias, or written with a dot at its end, or there is none: such a recipient
  // does not make this host the wrong place to deliver to (qmail-remote(8), "is it me").
  bool is_alias = false;
};

// The address with its domain replaced by what CNAME records and final dots lead to, in at most ten
// steps (RFC 1123, 5.2.2). Address literals are not asked about; a target that is no host name is
// not followed, since it goes into a command as it is. DnsFailure::temporary: the DNS did
// not say; that is the only failure.
Result<CanonicalAddress, DnsFailure> canonical(std::string_view address, DnsClient& dns);

}  // namespace qmail::remote
