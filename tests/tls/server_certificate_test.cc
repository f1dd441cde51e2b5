// What ServerContext makes of its certificate file, and with which keys it works.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace qmail::tls::test
