// Whom a file of authorities vouches for, asked of the very store of certificates and lists that
// the program's context made of it.
#include <array>
#include <map>
#include <string>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509_vfy.h>

#include "tls/context.h"
#include "tls/inspect.h"
#include "tls/peer_identity.h"
#include "tls/pem_file.h"
#include "tls/tls_error.h"

namespace qmail::tls {

struct Inspection {
  static SSL_CTX* of(const ServerContext& context) { return context.context_.get(); }
  static SSL_CTX* of(const ClientContext& context) { return context.context_.get(); }
  static std::vector<Warning> problems_of(const ServerContext& context) {
    std::vector<Warning> problems;
    for (const auto& problem : {context.authorities_problem_, context.revocation_problem_}) {
      if (problem) problems.push_back(*problem);
    }
    return problems;
  }
};

namespace {

using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslDeleter<X509_STORE_CTX_free>>;
using NamePtr = std::unique_ptr<X509_NAME, OpensslDeleter<X509_NAME_free>>;
using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpensslDeleter<EVP_PKEY_CTX_free>>;

// Only what the issuer has no part in may be wrong with a certificate of issued_by(): it is not
// signed by its issuer, and its key is ours.
int as_if_issued(int ok, X509_STORE_CTX* store) {
  if (ok == 1 || X509_STORE_CTX_get_error_depth(store) != 0) return ok;
  const int error = X509_STORE_CTX_get_error(store);
  if (error != X509_V_ERR_CERT_SIGNATURE_FAILURE && error != X509_V_ERR_EE_KEY_TOO_SMALL &&
      error != X509_V_ERR_CA_MD_TOO_WEAK) {
    return ok;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

// Keys of the kinds of others, each kind made once: a bundle has hundreds of authorities, and
// making an RSA key takes a while.
class Keys {
 public:
  EVP_PKEY* like(EVP_PKEY* other) {
    std::array<char, 64> group{};
    std::size_t length = 0;
    EVP_PKEY_get_group_name(other, group.data(), group.size(), &length);
    const char* type = EVP_PKEY_get0_type_name(other);
    const std::string kind = std::string(type != nullptr ? type : "") + " " + group.data() + " " +
                             std::to_string(EVP_PKEY_get_bits(other));
    KeyPtr& key = made_[kind];
    if (!key) key = make(other);
    return key.get();
  }

 private:
  static KeyPtr make(EVP_PKEY* other) {
    const KeyContextPtr context(EVP_PKEY_CTX_new(other, nullptr));
    EVP_PKEY* key = nullptr;
    if (!context || EVP_PKEY_keygen_init(context.get()) != 1) return nullptr;
    if (EVP_PKEY_keygen(context.get(), &key) != 1) return nullptr;
    return KeyPtr(key);
  }
  std::map<std::string, KeyPtr> made_;
};

// A certificate as `issuer` would issue it, but for the signature: that is by a key of the same
// kind, since the kinds are compared first.
CertificatePtr issued_by(X509* issuer, Keys& keys) {
  EVP_PKEY* issuers_key = X509_get0_pubkey(issuer);
  EVP_PKEY* key = issuers_key != nullptr ? keys.like(issuers_key) : nullptr;
  CertificatePtr certificate(X509_new());
  unsigned char serial[16] = {};
  const NamePtr subject(X509_NAME_new());
  if (key == nullptr || !certificate || !subject) return nullptr;
  if (RAND_bytes(serial, sizeof serial) != 1) return nullptr;
  X509* raw = certificate.get();
  constexpr long day = 24L * 60 * 60;
  X509_set_version(raw, X509_VERSION_3);
  ASN1_STRING_set(X509_get_serialNumber(raw), serial, sizeof serial);
  X509_set_issuer_name(raw, X509_get_subject_name(issuer));
  X509_NAME_add_entry_by_txt(subject.get(), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("any"), -1, -1, 0);
  X509_set_subject_name(raw, subject.get());
  X509_gmtime_adj(X509_getm_notBefore(raw), -day);
  X509_gmtime_adj(X509_getm_notAfter(raw), day);
  X509_set_pubkey(raw, key);
  const bool edwards = EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1;
  if (X509_sign(raw, key, edwards ? nullptr : EVP_sha256()) <= 0) return nullptr;
  return certificate;
}

struct Verdict {
  bool good = false;
  TrustFacts::Why why = TrustFacts::Why::other;
  std::string reason{};
  std::string blamed{};  // the subject of the certificate that it is about
  std::string blamed_issuer{};
};

// As SSL_accept and SSL_connect have a peer's certificate verified.
Verdict verified(SSL_CTX* context, const char* purpose, X509* certificate,
                 int (*callback)(int, X509_STORE_CTX*)) {
  Verdict verdict;
  ERR_clear_error();
  const StoreContextPtr store(X509_STORE_CTX_new());
  if (!store || certificate == nullptr ||
      X509_STORE_CTX_init(store.get(), SSL_CTX_get_cert_store(context), certificate, nullptr) !=
          1) {
    verdict.reason = take_library_error();
    return verdict;
  }
  X509_STORE_CTX_set_default(store.get(), purpose);
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(store.get());
  X509_VERIFY_PARAM_set1(parameters, SSL_CTX_get0_param(context));
  X509_VERIFY_PARAM_set_auth_level(parameters, SSL_CTX_get_security_level(context));
  if (callback != nullptr) X509_STORE_CTX_set_verify_cb(store.get(), callback);
  verdict.good = X509_verify_cert(store.get()) == 1;
  if (verdict.good) return verdict;
  const int error = X509_STORE_CTX_get_error(store.get());
  verdict.reason = X509_verify_cert_error_string(error);
  if (error == X509_V_ERR_UNABLE_TO_GET_CRL) verdict.why = TrustFacts::Why::no_list;
  if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID ||
      error == X509_V_ERR_CRL_HAS_EXPIRED) {
    verdict.why = TrustFacts::Why::dates;
  }
  if (X509* blamed = X509_STORE_CTX_get_current_cert(store.get())) {
    verdict.blamed_issuer = one_line(X509_get_issuer_name(blamed));
    verdict.blamed = one_line(X509_get_subject_name(blamed));
  }
  return verdict;
}

std::vector<TrustFacts> trust_of(SSL_CTX* context, const char* purpose, const std::string& path) {
  std::vector<TrustFacts> found;
  Keys keys;
  for (const PemBlock& block : read_pem(path).blocks) {
    const CertificatePtr certificate = block.is_certificate() ? certificate_of(block) : nullptr;
    if (!certificate) continue;
    TrustFacts facts;
    facts.itself = verified(context, purpose, certificate.get(), nullptr).good;
    const Verdict issuer =
        verified(context, purpose, issued_by(certificate.get(), keys).get(), as_if_issued);
    facts.issues = issuer.good;
    facts.why = issuer.why;
    facts.reason = issuer.reason;
    facts.list_of = issuer.blamed_issuer;
    found.push_back(std::move(facts));
  }
  ERR_clear_error();
  return found;
}

}  // namespace

std::vector<Warning> relaying_problems(const ServerContext& context) {
  return Inspection::problems_of(context);
}

std::vector<TrustFacts> trusted_by(const ServerContext& context, const std::string& path) {
  return trust_of(Inspection::of(context), "ssl_client", path);
}

std::vector<TrustFacts> trusted_by(const ClientContext& context, const std::string& path) {
  return trust_of(Inspection::of(context), "ssl_server", path);
}

}  // namespace qmail::tls
