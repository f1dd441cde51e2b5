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

// Does the certificate speak for one of `hosts` (RFC 6125 by X509_check_host(3); a wildcard is one
// whole first label above at least two more), or for a name under one of `domains`? The common name
// counts only if no dNSName is there. Sets state to verified, no_matching_dns_name, no_common_name
// or other_common_name, and common_name.
void compare_name(X509* certificate, const std::vector<std::string>& hosts,
                  const std::vector<std::string>& domains, ServerCertificate& result);

// Is one of `digests` (SHA-256, -384 or -512 by their length) that of the certificate, or of its
// SubjectPublicKeyInfo?
bool has_fingerprint(X509* certificate, const std::vector<std::string>& digests);

// A name in one line of printable ASCII (RFC 2253).
std::string one_line(const X509_NAME* name);

}  // namespace qmail::tls
