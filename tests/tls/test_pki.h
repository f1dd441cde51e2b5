// A small public key infrastructure for the tests: authorities, certificates, revocation lists, all
// made when they are needed; and the files that hold them.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tls/openssl_ptr.h"

namespace qmail::tls::test {

// weak_rsa: of 1024 bits, which needs the security level 1.
// The last four are on curves that OpenSSL offers to nobody by itself.
enum class KeyKind {
  rsa,
  ecdsa,
  ed25519,
  other_rsa,
  weak_rsa,
  p384,
  p224,
  secp256k1,
  brainpool_256,
  brainpool_512,
};

// Always the same key for one kind: making one takes time.
EVP_PKEY* key(KeyKind kind);
// Whether this library signs with such a key in TLS 1.3: brainpool only from OpenSSL 3.2 on.
bool usable_in_tls13(KeyKind kind);

constexpr long day = 24L * 60 * 60;

struct Request {
  // Kind (NID_commonName) and bytes of each part of the subject, in order.
  std::vector<std::pair<int, std::string>> subject{};
  // Kind and value, as in openssl.cnf: {NID_subject_alt_name, "DNS:mx.example.org"}.
  std::vector<std::pair<int, std::string>> extensions{};
  // dNSNames beyond those, with any bytes.
  std::vector<std::string> dns_names{};
  KeyKind key = KeyKind::ecdsa;
  long from = -day;  // seconds from now
  long until = 30 * day;
};

struct Issued {
  CertificatePtr certificate;
  KeyKind kind;

  std::string pem() const;      // the certificate
  std::string key_pem() const;  // PKCS #8
  std::string both() const { return pem() + key_pem(); }
};

// Of the certificate's DER, in lower-case hexadecimal.
std::string sha256(const Issued& issued);

// An authority that signed itself.
Issued authority(const std::string& name, KeyKind kind = KeyKind::ecdsa);
// `issuer` nullptr: signed by itself.
Issued issue(const Request& request, const Issued* issuer);
// A certificate for the server `name`, with it as dNSName and as common name.
Issued server_certificate(const std::string& name, const Issued& issuer,
                          KeyKind kind = KeyKind::ecdsa);
Issued client_certificate(const std::string& email, const Issued& issuer,
                          KeyKind kind = KeyKind::ecdsa);

// A revocation list, in PEM.
std::string revocation_list(const Issued& issuer, std::initializer_list<const Issued*> revoked,
                            long from = -day, long until = 30 * day);
// The same as a delta list (RFC 5280, 5.2.4).
std::string delta_list(const Issued& issuer, std::initializer_list<const Issued*> revoked);

enum class KeyForm { pkcs8, traditional, encrypted_pkcs8, encrypted_traditional };
std::string key_pem(EVP_PKEY* key, KeyForm form);

// DH parameters of 1024 (RFC 2409), 2048 or 3072 bits (RFC 3526).
std::string dh_pem(int bits);

// A folder for one test, gone afterwards.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  std::string path(std::string_view name) const { return (path_ / name).string(); }
  // Writes a file and returns its path.
  std::string file(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace qmail::tls::test
