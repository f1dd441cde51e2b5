// Who a certificate says its owner is: pure functions over a certificate, which comes from the peer
// and may hold anything. Strings keep their bytes, NUL included.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls {

// The first emailAddress of the subject; alternative names do not count.
std::optional<std::string> first_email(const X509* certificate);

// The rfc822Names among the alternative names, in their order.
std::vector<std::string> alternative_emails(const X509* certificate);

// The SHA-256 of its DER, in lower-case hexadecimal; empty where the library cannot.
std::string sha256_of(const X509* certificate);

// Does the certificate speak for `host` (RFC 6125 by X509_check_host(3); a wildcard is one whole
// first label above at least two more)? The common name counts only if no dNSName is there.
// Sets state to verified, no_matching_dns_name, no_common_name or other_common_name, and
// common_name.
void compare_name(X509* certificate, std::string_view host, ServerCertificate& result);

// A name in one line of printable ASCII (RFC 2253).
std::string one_line(const X509_NAME* name);

}  // namespace qmail::tls
