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

std::string add_revocation_lists(X509_STORE* store, const PemFile& lists,
                                 const PemFile& authorities) {
  if (!lists.problem().empty()) return lists.problem();
  ERR_clear_error();
  for (const PemFile* file : {&lists, &authorities}) {
    int count = 0;
    for (const PemBlock& block : file->blocks) {
      if (block.label != PEM_STRING_X509_CRL) continue;
      const RevocationListPtr list = revocation_list_of(block);
      if (list && X509_CRL_get_ext_by_NID(list.get(), NID_delta_crl, -1) >= 0) {
        return "holds a delta CRL, which cannot be honoured: put a full one in its place";
      }
      if (!list || X509_STORE_add_crl(store, list.get()) != 1) return take_library_error();
      ++count;
    }
    if (count == 0 && file == &lists) return library_error(ERR_LIB_PEM, PEM_R_NO_START_LINE);
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

}  // namespace qmail::tls
