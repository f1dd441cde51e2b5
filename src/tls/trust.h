// The authorities that a peer's certificate is checked against, and the lists of what they revoked.
#pragma once

#include <string>

#include "tls/pem_file.h"

namespace qmail::tls {

struct Authorities {
  CertificateStackPtr certificates{};
  std::string problem{};  // the file, or a certificate of it, cannot be used

  int count() const { return sk_X509_num(certificates.get()); }
};
// Puts the certificates of `pem` into `store`, up to the first problem.
Authorities add_authorities(X509_STORE* store, const PemFile& pem);

// Puts every revocation list of `lists`, and those among `authorities`, into `store` and has the
// whole chain checked against them. Returns why they cannot be used, if so: nobody can be let in
// then, since nobody knows who was revoked. That holds for delta lists, too: OpenSSL looks at them
// only where the certificate or the base list says so.
std::string add_revocation_lists(X509_STORE* store, const PemFile& lists,
                                 const PemFile& authorities);

}  // namespace qmail::tls
