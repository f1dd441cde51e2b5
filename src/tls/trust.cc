#include "tls/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "tls/tls_error.h"

namespace qmail::tls {

Authorities add_authorities(X509_STORE* store, const PemFile& pem) {
  Authorities result{new_certificate_stack(), pem.problem()};
  ERR_clear_error();
  for (const PemBlock& block : pem.blocks) {
    if (!block.is_certificate()) continue;
    CertificatePtr certificate = certificate_of(block);
    if (!certificate || X509_STORE_add_cert(store, certificate.get()) != 1 ||
        sk_X509_push(result.certificates.get(), certificate.get()) <= 0) {
      result.problem = take_library_error();
      return result;
    }
    (void)certificate.release();  // the stack's now
  }
  return result;
}

std::string add_revocation_lists(X509_STORE* store, const PemFile& pem) {
  if (!pem.problem().empty()) return pem.problem();
  ERR_clear_error();
  int count = 0;
  for (const PemBlock& block : pem.blocks) {
    if (block.label != PEM_STRING_X509_CRL) continue;
    const RevocationListPtr list = revocation_list_of(block);
    if (!list || X509_STORE_add_crl(store, list.get()) != 1) return take_library_error();
    ++count;
  }
  if (count == 0) return library_error(ERR_LIB_PEM, PEM_R_NO_START_LINE);
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

}  // namespace qmail::tls
