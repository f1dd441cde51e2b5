// What ServerContext makes of its certificate file, and with which keys it works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

using Step = TlsError::Step;

struct Made {
  const char* name;
  KeyKind kind;
  KeyForm form;
};

class EveryKey : public testing::TestWithParam<Made> {};

TEST_P(EveryKey, WorksBeforeAndBehindTheCertificate) {
  const Folder folder;
  const Issued ca = authority("ca");
  const Issued leaf = server_certificate("mx.example.org", ca, GetParam().kind);
  const std::string pem_key = key_pem(key(GetParam().kind), GetParam().form);
  const std::string anchors = folder.file("ca.pem", ca.pem());
  for (const std::string& content : {leaf.pem() + pem_key, pem_key + leaf.pem()}) {
    const std::string file = folder.file("servercert.pem", content);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      auto server = ServerContext::create({.certificate_file = file});
      ASSERT_TRUE(server) << server.error().detail;
      EXPECT_TRUE(server->warnings().empty());
      const Meeting met = serve(*server, [&](int fd) {
        BarePeer peer(TLS_client_method());
        peer.limit(version, version);
        SSL_CTX_load_verify_locations(peer.context(), anchors.c_str(), nullptr);
        SSL_CTX_set_verify(peer.context(), SSL_VERIFY_PEER, nullptr);
        peer.open(fd);
        EXPECT_TRUE(peer.handshake());
      });
      ASSERT_TRUE(met.server) << met.server_error->detail;
      EXPECT_EQ(met.server->facts.version, version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
      EXPECT_FALSE(met.server->facts.resumed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Server, EveryKey,
                         testing::Values(Made{"RsaPkcs8", KeyKind::rsa, KeyForm::pkcs8},
                                         Made{"RsaPkcs1", KeyKind::rsa, KeyForm::traditional},
                                         Made{"EcdsaPkcs8", KeyKind::ecdsa, KeyForm::pkcs8},
                                         Made{"EcdsaSec1", KeyKind::ecdsa, KeyForm::traditional},
                                         Made{"Ed25519", KeyKind::ed25519, KeyForm::pkcs8}),
                         [](const auto& tested) { return std::string(tested.param.name); });

// A file put together of files that an editor of Windows wrote: their marks are on lines of the
// middle. Nothing of the chain is lost, and text between the blocks does no harm.
TEST(Identity, ReadsOverByteOrderMarks) {
  const Folder folder;
  const Issued ca = authority("ca");
  const Issued leaf = server_certificate("mx.example.org", ca);
  const std::string mark = "\xef\xbb\xbf";
  const std::string file =
      folder.file("servercert.pem", mark + leaf.key_pem() + "\r\n" + mark + leaf.pem() + mark +
                                        "----- the chain -----\n" + mark + ca.pem() + "-----");
  auto server = ServerContext::create({.certificate_file = file});
  ASSERT_TRUE(server) << server.error().detail;
  int sent = 0;
  const Meeting met = serve(*server, [&](int fd) {
    BarePeer peer(TLS_client_method());
    SSL* ssl = peer.open(fd);
    EXPECT_TRUE(peer.handshake());
    sent = sk_X509_num(SSL_get_peer_cert_chain(ssl));
  });
  ASSERT_TRUE(met.server) << met.server_error->detail;
  EXPECT_EQ(sent, 2);
}

struct Refused {
  const char* name;
  Step step;
  const char* detail;  // a part of it
  const char* advice;
  std::string (*content)();
};

std::string certificate_of_rsa() {
  static const Issued leaf = server_certificate("mx.example.org", authority("ca"), KeyKind::rsa);
  return leaf.pem();
}
// A certificate with a key of a kind that nobody knows.
std::string certificate_of_an_unknown_key() {
  const Issued leaf = server_certificate("mx.example.org", authority("ca"), KeyKind::ed25519);
  unsigned char* der = nullptr;
  const int size = i2d_X509(leaf.certificate.get(), &der);
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  const std::string ed25519 = "\x06\x03\x2b\x65\x70";
  bytes.replace(bytes.find(ed25519), ed25519.size(), "\x06\x03\x2b\x65\x7f");
  const BioPtr pem(BIO_new(BIO_s_mem()));
  PEM_write_bio(pem.get(), PEM_STRING_X509, "",
                reinterpret_cast<const unsigned char*>(bytes.data()), size);
  char* text = nullptr;
  const long length = BIO_get_mem_data(pem.get(), &text);
  return {text, static_cast<std::size_t>(length)};
}
std::string damaged(std::string pem) {
  pem[pem.size() / 2] = '!';
  return pem;
}

class Refusal : public testing::TestWithParam<Refused> {};

TEST_P(Refusal, NamesStepFileAndReason) {
  const Folder folder;
  const std::string file = folder.file("servercert.pem", GetParam().content());
  const auto server = ServerContext::create({.certificate_file = file});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().step, GetParam().step);
  EXPECT_EQ(server.error().file, file);
  EXPECT_THAT(server.error().detail, testing::StartsWith("error:"));
  EXPECT_THAT(server.error().detail, testing::HasSubstr(GetParam().detail));
  EXPECT_THAT(server.error().advice, testing::HasSubstr(GetParam().advice));
  EXPECT_FALSE(server.error().timed_out);
}

INSTANTIATE_TEST_SUITE_P(
    Server, Refusal,
    testing::Values(
        Refused{"Empty", Step::certificate, "no start line", "in PEM",
                [] { return std::string(); }},
        Refused{"Garbage", Step::certificate, "no start line", "in PEM",
                [] { return std::string(3000, '\0') + "no certificate here\n"; }},
        Refused{"KeyOnly", Step::certificate, "no start line", "in PEM",
                [] { return key_pem(key(KeyKind::rsa), KeyForm::pkcs8); }},
        Refused{"NoBase64", Step::certificate, "bad base64 decode", "in PEM",
                [] { return damaged(certificate_of_rsa()); }},
        Refused{"NoCertificateInIt", Step::certificate, "asn1 encoding routines", "in PEM",
                [] {
                  return std::string(
                      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
                }},
        Refused{"DamagedChain", Step::certificate, "asn1 encoding routines", "in PEM",
                [] {
                  return certificate_of_rsa() + key_pem(key(KeyKind::rsa), KeyForm::pkcs8) +
                         "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
                }},
        Refused{"ChainCutOff", Step::certificate, "bad end line", "cut off",
                [] {
                  const std::string pem = authority("ca").pem();
                  return certificate_of_rsa() + key_pem(key(KeyKind::rsa), KeyForm::pkcs8) +
                         pem.substr(0, pem.size() / 2);
                }},
        Refused{"CutOffInABeginLine", Step::certificate, "bad end line", "cut off",
                [] {
                  return certificate_of_rsa() + key_pem(key(KeyKind::rsa), KeyForm::pkcs8) +
                         "-----BEGIN CERTIF";
                }},
        Refused{"CutOffInBegin", Step::certificate, "bad end line", "cut off",
                [] {
                  return certificate_of_rsa() + key_pem(key(KeyKind::rsa), KeyForm::pkcs8) +
                         "-----BEG";
                }},
        Refused{"ABeginLineWithADashTooFew", Step::certificate, "bad end line", "cut off",
                [] {
                  std::string pem = authority("ca").pem();
                  pem.erase(pem.find("E-----") + 1, 1);
                  return certificate_of_rsa() + key_pem(key(KeyKind::rsa), KeyForm::pkcs8) + pem;
                }},
        Refused{"KeyOfAnUnknownKind", Step::certificate, "", "cannot read the public key",
                [] {
                  return certificate_of_an_unknown_key() +
                         key_pem(key(KeyKind::ed25519), KeyForm::pkcs8);
                }},
        Refused{"CertificateOnly", Step::key, "no start line", "no private key",
                certificate_of_rsa},
        Refused{"DamagedKey", Step::key, "bad base64 decode", "",
                [] {
                  return certificate_of_rsa() + damaged(key_pem(key(KeyKind::rsa), KeyForm::pkcs8));
                }},
        Refused{"NoKeyInIt", Step::key, "", "cannot be read",
                [] {
                  return certificate_of_rsa() +
                         "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
                }},
        Refused{"KeyOfAnother", Step::key, "private key mismatch", "first certificate",
                [] {
                  return certificate_of_rsa() +
                         key_pem(key(KeyKind::other_rsa), KeyForm::traditional);
                }},
        Refused{"KeyOfAnotherType", Step::key, "private key mismatch", "first certificate",
                [] { return certificate_of_rsa() + key_pem(key(KeyKind::ecdsa), KeyForm::pkcs8); }},
        Refused{"KeyOfTheSecondCertificate", Step::key, "private key mismatch", "first certificate",
                [] {
                  return certificate_of_rsa() +
                         server_certificate("b", authority("ca"), KeyKind::ecdsa).both();
                }},
        Refused{"EncryptedPkcs8", Step::key, "bad password read", "pass phrase",
                [] {
                  return certificate_of_rsa() +
                         key_pem(key(KeyKind::rsa), KeyForm::encrypted_pkcs8);
                }},
        Refused{"EncryptedTraditional", Step::key, "bad password read", "pass phrase",
                [] {
                  return certificate_of_rsa() +
                         key_pem(key(KeyKind::rsa), KeyForm::encrypted_traditional);
                }}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(ServerCertificate, MissingFileAndFolderAreTheCertificatesError) {
  const Folder folder;
  const auto missing = ServerContext::create({.certificate_file = folder.path("nothing.pem")});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().step, Step::certificate);
  EXPECT_EQ(missing.error().detail, "error:80000002:system library::No such file or directory");
  const auto directory = ServerContext::create({.certificate_file = folder.path(".")});
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().step, Step::certificate);
  EXPECT_THAT(directory.error().detail, testing::HasSubstr("Is a directory"));
}

// An unencrypted key behind an encrypted one is as good as if it stood alone.
TEST(ServerCertificate, EncryptedKeyBesideAUsableOneIsPassedOver) {
  const Folder folder;
  const std::string file =
      folder.file("servercert.pem", certificate_of_rsa() +
                                        key_pem(key(KeyKind::rsa), KeyForm::encrypted_pkcs8) +
                                        key_pem(key(KeyKind::rsa), KeyForm::pkcs8));
  EXPECT_TRUE(ServerContext::create({.certificate_file = file}));
}

TEST(ServerCertificate, TextAndParametersAroundTheBlocksDoNotMatter) {
  const Folder folder;
  const Issued leaf = server_certificate("mx.example.org", authority("ca"), KeyKind::ecdsa);
  const std::string file = folder.file(
      "servercert.pem", "Bag Attributes\r\n" + leaf.pem() +
                            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                            "-----END EC PARAMETERS-----\n" +
                            key_pem(key(KeyKind::ecdsa), KeyForm::traditional) + dh_pem(2048));
  const auto server = ServerContext::create({.certificate_file = file});
  EXPECT_TRUE(server);
}

// What the file says is sent and nothing else, even if an authority that would complete the chain
// is known as one of the clients'.
TEST(ServerCertificate, ExactlyTheChainOfTheFileIsSent) {
  const Folder folder;
  const Issued root = authority("root");
  const Issued middle = issue({.subject = {{NID_commonName, "middle"}},
                               .extensions = {{NID_basic_constraints, "critical,CA:TRUE"}}},
                              &root);
  const Issued leaf = server_certificate("mx.example.org", middle);
  const std::string roots = folder.file("clientca.pem", root.pem() + middle.pem());
  for (const bool with_chain : {false, true}) {
    const std::string file =
        folder.file("servercert.pem", leaf.both() + (with_chain ? middle.pem() : std::string()));
    auto server = ServerContext::create(
        {.certificate_file = file, .client_certificates = {{.authorities_file = roots}}});
    ASSERT_TRUE(server);
    int sent = 0;
    serve(*server, [&](int fd) {
      BarePeer peer(TLS_client_method());
      peer.open(fd);
      ASSERT_TRUE(peer.handshake());
      sent = sk_X509_num(SSL_get_peer_cert_chain(peer.ssl()));
    });
    EXPECT_EQ(sent, with_chain ? 2 : 1);
  }
}

// OpenSSL takes such a key, and then every handshake fails.
TEST(ServerCertificate, AKeyThatNoClientCanUseIsFoundBeforeOneTries) {
  const Folder folder;
  const Issued ca = authority("ca");
  for (const KeyKind kind :
       {KeyKind::p224, KeyKind::secp256k1, KeyKind::brainpool_256, KeyKind::brainpool_512}) {
    if (usable_in_tls13(kind)) continue;
    for (const bool asks : {false, true}) {  // which widens the curves for clients, not for this
      ServerSettings settings{.certificate_file = folder.file(
                                  "servercert.pem", server_certificate("mx", ca, kind).both())};
      if (asks)
        settings.client_certificates = {{.authorities_file = folder.file("ca.pem", ca.pem())}};
      const auto server = ServerContext::create(settings);
      ASSERT_FALSE(server) << static_cast<int>(kind);
      EXPECT_EQ(server.error().step, TlsError::Step::certificate);
      EXPECT_EQ(server.error().file, settings.certificate_file);
      EXPECT_FALSE(server.error().detail.empty());
      EXPECT_THAT(server.error().advice, testing::HasSubstr("P-256"));
    }
  }
  for (const KeyKind kind : {KeyKind::rsa, KeyKind::ecdsa, KeyKind::p384, KeyKind::ed25519}) {
    const Meeting met = meet({.certificate_file = folder.file(
                                  "servercert.pem", server_certificate("mx", ca, kind).both())},
                             ClientSettings());
    EXPECT_TRUE(met.server) << static_cast<int>(kind);
  }
}

}  // namespace
}  // namespace qmail::tls::test
