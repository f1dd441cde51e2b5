// TlsClient: an entry of control/tlsclients, which says whose certificate may relay.
//
//   ADDRESS          the first emailAddress of the subject
//   san:ADDRESS      any rfc822Name among the alternative names
//   sha256:DIGEST    the certificate itself: 64 hexadecimal digits, colons between pairs or not
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qmail {

struct TlsClient {
  enum class Kind { subject_email, alternative_email, sha256, no_digest };
  Kind kind;
  std::string text;  // the address; the digest in lower case, no colons; no_digest: the entry
};

TlsClient parse_tls_client(std::string_view entry);

// Is there an entry by which a client is known that no authority vouches for?
bool lists_digest(const std::vector<std::string>& entries);

}  // namespace qmail
