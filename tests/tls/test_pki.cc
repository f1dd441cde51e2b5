#include "test_pki.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace qmail::tls::test {

namespace {

void need(bool good) {
  if (good) return;
  ERR_print_errors_fp(stderr);
  throw std::runtime_error("test_pki: OpenSSL failed");
}

using NamePtr = std::unique_ptr<X509_NAME, OpensslDeleter<X509_NAME_free>>;

KeyPtr make(KeyKind kind) {
  switch (kind) {
    case KeyKind::rsa:
    case KeyKind::other_rsa:
      return KeyPtr(EVP_RSA_gen(2048));
    case KeyKind::weak_rsa:
      return KeyPtr(EVP_RSA_gen(1024));
    case KeyKind::ecdsa:
      return KeyPtr(EVP_EC_gen("P-256"));
    case KeyKind::p384:
      return KeyPtr(EVP_EC_gen("P-384"));
    case KeyKind::p224:
      return KeyPtr(EVP_EC_gen("P-224"));
    case KeyKind::secp256k1:
      return KeyPtr(EVP_EC_gen("secp256k1"));
    case KeyKind::brainpool_256:
      return KeyPtr(EVP_EC_gen("brainpoolP256r1"));
    case KeyKind::brainpool_512:
      return KeyPtr(EVP_EC_gen("brainpoolP512r1"));
    case KeyKind::ed25519:
      return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  return nullptr;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

template <typename Write>
std::string pem_of(Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  need(write(bio.get()) == 1);
  return text_of(bio.get());
}

const EVP_MD* digest_for(EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_sha256();
}

void set_random_serial(X509* certificate) {
  std::array<unsigned char, 8> bytes{};
  need(RAND_bytes(bytes.data(), bytes.size()) == 1);
  bytes[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>> number(
      BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  need(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  need(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void add_dns_names(X509* certificate, const std::vector<std::string>& names) {
  const GeneralNamesPtr all(sk_GENERAL_NAME_new_null());
  for (const std::string& name : names) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    need(ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1);
    GENERAL_NAME* entry = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    sk_GENERAL_NAME_push(all.get(), entry);
  }
  need(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, 0) == 1);
}

}  // namespace

EVP_PKEY* key(KeyKind kind) {
  static std::map<KeyKind, KeyPtr> keys;
  KeyPtr& found = keys[kind];
  if (!found) found = make(kind);
  need(found != nullptr);
  return found.get();
}

bool usable_in_tls13(KeyKind kind) {
  switch (kind) {
    case KeyKind::p224:
    case KeyKind::secp256k1:
      return false;
    case KeyKind::brainpool_256:
    case KeyKind::brainpool_512: {
      const SslContextPtr context(SSL_CTX_new(TLS_method()));
      return SSL_CTX_set1_sigalgs_list(context.get(), "ecdsa_brainpoolP256r1tls13_sha256") == 1;
    }
    default:
      return true;
  }
}

std::string Issued::pem() const {
  return pem_of([this](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
}

std::string Issued::key_pem() const { return test::key_pem(key(kind), KeyForm::pkcs8); }

Issued issue(const Request& request, const Issued* issuer) {
  CertificatePtr certificate(X509_new());
  X509* raw = certificate.get();
  need(raw != nullptr && X509_set_version(raw, X509_VERSION_3) == 1);
  set_random_serial(raw);
  X509_gmtime_adj(X509_getm_notBefore(raw), request.from);
  X509_gmtime_adj(X509_getm_notAfter(raw), request.until);
  const NamePtr subject(X509_NAME_new());
  for (const auto& [kind, value] : request.subject) {
    const int type = kind == NID_pkcs9_emailAddress ? V_ASN1_IA5STRING : V_ASN1_UTF8STRING;
    need(X509_NAME_add_entry_by_NID(subject.get(), kind, type,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1);
  }
  need(X509_set_subject_name(raw, subject.get()) == 1);
  X509* signer = issuer != nullptr ? issuer->certificate.get() : raw;
  EVP_PKEY* signing_key = key(issuer != nullptr ? issuer->kind : request.key);
  need(X509_set_issuer_name(raw, X509_get_subject_name(signer)) == 1);
  need(X509_set_pubkey(raw, key(request.key)) == 1);
  for (const auto& [kind, value] : request.extensions) add_extension(raw, signer, kind, value);
  if (!request.dns_names.empty()) add_dns_names(raw, request.dns_names);
  need(X509_sign(raw, signing_key, digest_for(signing_key)) > 0);
  return {std::move(certificate), request.key};
}

std::string sha256(const Issued& issued) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(issued.certificate.get(), &der);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(der, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(der);
  std::string text;
  for (const unsigned char byte : digest) {
    std::array<char, 3> two{};
    static_cast<void>(std::snprintf(two.data(), two.size(), "%02x", unsigned{byte}));
    text.append(two.data());
  }
  return text;
}

Issued authority(const std::string& name, KeyKind kind) {
  return issue({.subject = {{NID_commonName, name}},
                .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                               {NID_key_usage, "critical,keyCertSign,cRLSign"},
                               {NID_subject_key_identifier, "hash"}},
                .key = kind},
               nullptr);
}

Issued server_certificate(const std::string& name, const Issued& issuer, KeyKind kind) {
  return issue({.subject = {{NID_commonName, name}},
                .extensions = {{NID_ext_key_usage, "serverAuth"}},
                .dns_names = {name},
                .key = kind},
               &issuer);
}

Issued client_certificate(const std::string& email, const Issued& issuer, KeyKind kind) {
  return issue({.subject = {{NID_commonName, "a client"}, {NID_pkcs9_emailAddress, email}},
                .extensions = {{NID_ext_key_usage, "clientAuth"}},
                .key = kind},
               &issuer);
}

namespace {

enum class ListKind { full, delta };

std::string list_of(const Issued& issuer, std::initializer_list<const Issued*> revoked, long from,
                    long until, ListKind kind) {
  const RevocationListPtr list(X509_CRL_new());
  X509_CRL* raw = list.get();
  need(raw != nullptr && X509_CRL_set_version(raw, X509_CRL_VERSION_2) == 1);
  need(X509_CRL_set_issuer_name(raw, X509_get_subject_name(issuer.certificate.get())) == 1);
  const std::unique_ptr<ASN1_TIME, OpensslDeleter<ASN1_TIME_free>> time(ASN1_TIME_new());
  X509_gmtime_adj(time.get(), from);
  need(X509_CRL_set1_lastUpdate(raw, time.get()) == 1);
  for (const Issued* one : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    need(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get())) == 1);
    need(X509_REVOKED_set_revocationDate(entry, time.get()) == 1);
    need(X509_CRL_add0_revoked(raw, entry) == 1);
  }
  X509_gmtime_adj(time.get(), until);
  need(X509_CRL_set1_nextUpdate(raw, time.get()) == 1);
  if (kind == ListKind::delta) {
    const std::unique_ptr<ASN1_INTEGER, OpensslDeleter<ASN1_INTEGER_free>> base(ASN1_INTEGER_new());
    ASN1_INTEGER_set(base.get(), 1);
    need(X509_CRL_add1_ext_i2d(raw, NID_delta_crl, base.get(), 1, 0) == 1);
  }
  EVP_PKEY* signing_key = key(issuer.kind);
  need(X509_CRL_sign(raw, signing_key, digest_for(signing_key)) > 0);
  return pem_of([raw](BIO* bio) { return PEM_write_bio_X509_CRL(bio, raw); });
}

}  // namespace

std::string revocation_list(const Issued& issuer, std::initializer_list<const Issued*> revoked,
                            long from, long until) {
  return list_of(issuer, revoked, from, until, ListKind::full);
}

std::string delta_list(const Issued& issuer, std::initializer_list<const Issued*> revoked) {
  return list_of(issuer, revoked, -day, 30 * day, ListKind::delta);
}

namespace {

// By the openssl command: the code under test has OpenSSL leave out what it would take in this
// process (OPENSSL_INIT_NO_ADD_ALL_CIPHERS), and that cannot be undone.
std::string encrypted(EVP_PKEY* key, const std::string& form) {
  const Folder folder;
  const std::string plain = folder.file("plain.pem", key_pem(key, KeyForm::pkcs8));
  const std::string made = folder.path("encrypted.pem");
  const std::string command = "openssl pkey -aes128 -passout pass:secret " + form + " -in '" +
                              plain + "' -out '" + made + "'";
  need(std::system(command.c_str()) == 0);
  std::ifstream file(made);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string key_pem(EVP_PKEY* key, KeyForm form) {
  if (form == KeyForm::encrypted_pkcs8) return encrypted(key, "");
  if (form == KeyForm::encrypted_traditional) return encrypted(key, "-traditional");
  return pem_of([&](BIO* bio) {
    if (form == KeyForm::traditional) {
      return PEM_write_bio_PrivateKey_traditional(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    }
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string dh_pem(int bits) {
  const std::unique_ptr<EVP_PKEY_CTX, OpensslDeleter<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr));
  const std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>> prime(
      bits == 1024   ? BN_get_rfc2409_prime_1024(nullptr)
      : bits == 2048 ? BN_get_rfc3526_prime_2048(nullptr)
                     : BN_get_rfc3526_prime_3072(nullptr));
  std::vector<unsigned char> p(static_cast<std::size_t>(BN_num_bytes(prime.get())));
  unsigned char g[] = {2};
  need(BN_bn2nativepad(prime.get(), p.data(), static_cast<int>(p.size())) > 0);
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_FFC_P, p.data(), p.size()),
                             OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_FFC_G, g, sizeof g),
                             OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  need(EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEY_PARAMETERS, parameters) == 1);
  const KeyPtr owned(made);
  return pem_of([made](BIO* bio) { return PEM_write_bio_Parameters(bio, made); });
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "qmail-tls-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::file(std::string_view name, std::string_view content) const {
  std::string where = path(name);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(where.c_str(), "wb"),
                                                            &std::fclose);
  if (!out || std::fwrite(content.data(), 1, content.size(), out.get()) != content.size()) {
    throw std::runtime_error("cannot write " + where);
  }
  return where;
}

}  // namespace qmail::tls::test
