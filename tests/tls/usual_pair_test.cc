// A certificate and its key of the usual kinds are known by their bytes; nothing else is taken for
// such a pair that OpenSSL would refuse.
#include "tls/usual_pair.h"

#include <array>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "test_pki.h"
#include "tls/context.h"
#include "tls/identity.h"
#include "tls/tls_error.h"

namespace qmail::tls::test {
namespace {

class UsualPair : public testing::Test {
 protected:
  bool is(const std::string& pem) const {
    return is_usual_pair(read_pem(folder_.file("servercert.pem", pem)));
  }
  static PemBlock block(const char* label, const std::string& der) {
    PemBlock made{label, false, {}};
    made.der = {static_cast<unsigned char*>(OPENSSL_memdup(der.data(), der.size())),
                WipingDeleter{der.size()}};
    return made;
  }
  static PemFile file_of(const std::string& certificate, const std::string& private_key) {
    PemFile made;
    made.blocks.push_back(block("CERTIFICATE", certificate));
    made.blocks.push_back(block("PRIVATE KEY", private_key));
    return made;
  }
  std::string der_of(const std::string& pem) const {
    return std::string(read_pem(folder_.file("one.pem", pem)).blocks.at(0).bytes());
  }
  static std::string replaced(std::string der, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = der.find(from, at)) != std::string::npos; at += to.size()) {
      der.replace(at, from.size(), to);
    }
    return der;
  }
  // OpenSSL's own judgement: the key is another certificate's, or too weak.
  bool refused_by_openssl(const PemFile& pem) const {
    const auto identity = read_identity(pem, "servercert.pem");
    return identity && use_identity(context_.get(), *identity);
  }

  const SslContextPtr context_ = new_context(TLS_server_method());
  const Folder folder_;
  const Issued ca_ = authority("ca", KeyKind::rsa);
  const Issued rsa_ = server_certificate("mx.example.org", ca_, KeyKind::rsa);
  const Issued ec_ = server_certificate("mx.example.org", ca_);
};

TEST_F(UsualPair, OfRsaAndOfTheUsualCurvesInEachForm) {
  for (const KeyKind kind : {KeyKind::rsa, KeyKind::ecdsa, KeyKind::p384}) {
    const Issued leaf = server_certificate("mx.example.org", ca_, kind);
    for (const KeyForm form : {KeyForm::pkcs8, KeyForm::traditional}) {
      const std::string key_text = key_pem(key(kind), form);
      EXPECT_TRUE(is(leaf.pem() + key_text));
      EXPECT_TRUE(is(key_text + leaf.pem() + ca_.pem()));
      EXPECT_TRUE(is(leaf.pem() + key_pem(key(kind), KeyForm::encrypted_pkcs8) + key_text));
    }
  }
}

TEST_F(UsualPair, IsNotAnythingElse) {
  const KeyPtr other_ec(EVP_EC_gen("P-256"));
  const std::string other_rsa = key_pem(key(KeyKind::other_rsa), KeyForm::pkcs8);
  EXPECT_FALSE(is(""));
  EXPECT_FALSE(is(rsa_.pem()));
  EXPECT_FALSE(is(rsa_.key_pem()));
  EXPECT_FALSE(is(rsa_.pem() + other_rsa));
  EXPECT_FALSE(is(rsa_.pem() + other_rsa + rsa_.key_pem()));
  EXPECT_FALSE(is(ec_.pem() + rsa_.both()));
  EXPECT_FALSE(is(rsa_.pem() + ec_.both()));
  EXPECT_FALSE(is(rsa_.pem() + key_pem(key(KeyKind::other_rsa), KeyForm::traditional)));
  EXPECT_FALSE(is(ec_.pem() + key_pem(other_ec.get(), KeyForm::pkcs8)));
  EXPECT_FALSE(is(ec_.pem() + key_pem(other_ec.get(), KeyForm::traditional)));
  EXPECT_FALSE(is(ec_.pem() + key_pem(key(KeyKind::p384), KeyForm::traditional)));
  for (const KeyKind kind : {KeyKind::ed25519, KeyKind::weak_rsa, KeyKind::secp256k1}) {
    const Issued odd = server_certificate("mx.example.org", ca_, kind);
    EXPECT_FALSE(is(odd.both()));
    EXPECT_FALSE(is(rsa_.both() + odd.pem()));
  }
}

TEST_F(UsualPair, IsNotOneWithAnOldSignatureUnlessARootHasSignedItself) {
  constexpr std::string_view sha256 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
  constexpr std::string_view sha1 = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05";
  const std::string root = replaced(der_of(ca_.pem()), sha256, sha1);
  const std::string leaf = replaced(der_of(rsa_.pem()), sha256, sha1);
  const std::string private_key = der_of(rsa_.key_pem());
  EXPECT_FALSE(is_usual_pair(file_of(leaf, private_key)));
  for (const auto& [behind, usual] : {std::pair(root, true), std::pair(leaf, false)}) {
    PemFile file = file_of(der_of(rsa_.pem()), private_key);
    file.blocks.push_back(block("CERTIFICATE", behind));
    EXPECT_EQ(is_usual_pair(file), usual);
  }
}

TEST_F(UsualPair, IsNotOneThatIsCutOffOrTrustedInOpensslsOwnForm) {
  for (const Issued* issued : {&rsa_, &ec_}) {
    const std::string certificate = der_of(issued->pem());
    const std::string private_key = der_of(issued->key_pem());
    EXPECT_TRUE(is_usual_pair(file_of(certificate, private_key)));
    for (std::size_t size = 1; size < certificate.size(); ++size) {
      EXPECT_FALSE(is_usual_pair(file_of(certificate.substr(0, size), private_key))) << size;
    }
    for (std::size_t size = 1; size < private_key.size(); ++size) {
      EXPECT_FALSE(is_usual_pair(file_of(certificate, private_key.substr(0, size)))) << size;
    }
    EXPECT_FALSE(is_usual_pair(file_of(certificate + "\x30", private_key)));
  }
}

// Whatever byte is another: what is a usual pair here is none that OpenSSL refuses as such.
TEST_F(UsualPair, IsNeverOneThatOpensslRefuses) {
  const std::string certificate = der_of(ec_.pem());
  const std::string private_key = der_of(ec_.key_pem());
  int usual = 0;
  for (std::size_t at = 0; at < certificate.size() + private_key.size(); ++at) {
    std::string first = certificate;
    std::string second = private_key;
    (at < first.size() ? first[at] : second[at - first.size()]) ^= 0x21;
    const PemFile pem = file_of(first, second);
    if (!is_usual_pair(pem)) continue;
    ++usual;
    EXPECT_FALSE(refused_by_openssl(pem)) << at;
  }
  EXPECT_GT(usual, 0);
  const std::string other = key_pem(key(KeyKind::other_rsa), KeyForm::pkcs8);
  EXPECT_TRUE(refused_by_openssl(file_of(der_of(rsa_.pem()), der_of(other))));
}

}  // namespace
}  // namespace qmail::tls::test
