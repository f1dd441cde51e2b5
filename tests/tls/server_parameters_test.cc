// The server's protocol versions, ciphers, DH parameters, renegotiation and names.
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

class Server : public testing::Test {
 protected:
  ServerSettings settings() const { return {.certificate_file = certificate_}; }

  ServerContext create(const ServerSettings& settings) const {
    auto made = ServerContext::create(settings);
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  // "TLSv1.2 CIPHER", or "refused".
  static std::string try_with(ServerContext& server, int lowest, int highest,
                              const char* ciphers = "ALL:@SECLEVEL=0") {
    std::string result;
    serve(server, [&](int fd) {
      BarePeer peer(TLS_client_method());
      peer.limit(lowest, highest);
      SSL_CTX_set_cipher_list(peer.context(), ciphers);
      peer.open(fd);
      result = peer.handshake() ? std::string(SSL_get_version(peer.ssl())) + " " +
                                      SSL_get_cipher_name(peer.ssl())
                                : "refused";
    });
    return result;
  }

  const Folder folder_;
  const Issued ca_ = authority("ca");
  const std::string certificate_ = folder_.file(
      "servercert.pem", server_certificate("mx.example.org", ca_, KeyKind::rsa).both());
};

TEST_F(Server, Tls12IsTheFloorWhateverTheCiphersSay) {
  for (const char* list : {"DEFAULT", "ALL:@SECLEVEL=0"}) {
    ServerSettings with = settings();
    with.parameters.ciphers.list = list;
    ServerContext server = create(with);
    EXPECT_TRUE(server.warnings().empty());
    EXPECT_EQ(try_with(server, TLS1_VERSION, TLS1_VERSION), "refused") << list;
    EXPECT_EQ(try_with(server, TLS1_1_VERSION, TLS1_1_VERSION), "refused") << list;
    EXPECT_THAT(try_with(server, TLS1_VERSION, TLS1_2_VERSION), testing::StartsWith("TLSv1.2 "));
    EXPECT_THAT(try_with(server, TLS1_VERSION, TLS1_3_VERSION), testing::StartsWith("TLSv1.3 "));
  }
}

TEST_F(Server, OrderOfTheServersListDecides) {
  ServerSettings with = settings();
  with.parameters.ciphers.list = "AES128-GCM-SHA256:NO-SUCH-CIPHER:AES256-GCM-SHA384";
  ServerContext server = create(with);
  EXPECT_TRUE(server.warnings().empty());
  EXPECT_EQ(try_with(server, TLS1_2_VERSION, TLS1_2_VERSION, "AES256-GCM-SHA384:AES128-GCM-SHA256"),
            "TLSv1.2 AES128-GCM-SHA256");
}

TEST_F(Server, ListWithoutCipherLeavesTls13AndAWarning) {
  for (const char* list : {"NO-SUCH-CIPHER", "", "AES128-GCM-SHA256:%"}) {
    ServerSettings with = settings();
    with.parameters.ciphers = {list, "control/tlsserverciphers"};
    ServerContext server = create(with);
    ASSERT_EQ(server.warnings().size(), 1U) << list;
    EXPECT_EQ(server.warnings()[0].file, "control/tlsserverciphers");
    EXPECT_THAT(server.warnings()[0].reason, testing::HasSubstr("no cipher"));
    EXPECT_EQ(try_with(server, TLS1_2_VERSION, TLS1_2_VERSION), "refused") << list;
    EXPECT_THAT(try_with(server, TLS1_2_VERSION, TLS1_3_VERSION), testing::StartsWith("TLSv1.3 "));
  }
}

TEST_F(Server, SecurityLevelOfTheListHoldsForTheCertificate) {
  ServerSettings with = settings();
  with.parameters.ciphers.list = "DEFAULT:@SECLEVEL=3";  // asks for 3072 bits
  const auto refused = ServerContext::create(with);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().step, TlsError::Step::certificate);
  EXPECT_THAT(refused.error().detail, testing::HasSubstr("key too small"));
}

struct Parameters {
  const char* name;
  std::string (*content)();  // nullptr: no such file
  const char* warning;       // nullptr: none
  bool used;
};

class DhFile : public Server, public testing::WithParamInterface<Parameters> {};

TEST_P(DhFile, IsUsedWhenGood) {
  ServerSettings with = settings();
  with.dh_file = folder_.path("dh2048.pem");
  if (GetParam().content != nullptr) folder_.file("dh2048.pem", GetParam().content());
  ServerContext server = create(with);
  ASSERT_EQ(server.warnings().size(), GetParam().warning != nullptr ? 1U : 0U);
  if (GetParam().warning != nullptr) {
    EXPECT_EQ(server.warnings()[0].file, with.dh_file);
    EXPECT_THAT(server.warnings()[0].reason, testing::HasSubstr(GetParam().warning));
  }
  serve(server, [&](int fd) {
    BarePeer peer(TLS_client_method());
    peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(peer.context(), "DHE-RSA-AES256-GCM-SHA384");
    // OpenSSL 4 takes a group of RFC 7919 that the client names; of what we have, only for who
    // names none.
    SSL_CTX_set1_groups_list(peer.context(), "X25519:P-256");
    peer.open(fd);
    ASSERT_TRUE(peer.handshake());
    EVP_PKEY* sent = nullptr;
    ASSERT_EQ(SSL_get_peer_tmp_key(peer.ssl(), &sent), 1);
    const KeyPtr owned(sent);
    EXPECT_GE(EVP_PKEY_get_bits(sent), 2048);
    BIGNUM* prime = nullptr;
    ASSERT_EQ(EVP_PKEY_get_bn_param(sent, OSSL_PKEY_PARAM_FFC_P, &prime), 1);
    const std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>> owned_prime(prime);
    const std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>> ours(BN_get_rfc3526_prime_3072(nullptr));
    EXPECT_EQ(BN_cmp(prime, ours.get()) == 0, GetParam().used);
  });
}

INSTANTIATE_TEST_SUITE_P(
    Tls, DhFile,
    testing::Values(Parameters{"Absent", nullptr, nullptr, false},
                    Parameters{"Good", [] { return dh_pem(3072); }, nullptr, true},
                    Parameters{"Short", [] { return dh_pem(1024); }, "shorter than 2048", false},
                    Parameters{"Empty", [] { return std::string(); }, "no DH parameters", false},
                    Parameters{
                        "Damaged",
                        [] {
                          return std::string(
                              "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n");
                        },
                        "damaged", false}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(Server, RefusesToRenegotiate) {
  ServerContext server = create(settings());
  std::string heard;
  const auto listen = [&](ServerSession& session) { heard = read_some(*session.transport); };
  serve(
      server,
      [&](int fd) {
        BarePeer peer(TLS_client_method());
        peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
        peer.open(fd);
        ASSERT_TRUE(peer.handshake());
        ASSERT_EQ(SSL_renegotiate(peer.ssl()), 1);
        EXPECT_FALSE(peer.handshake());
        EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
        peer.close();
        ::shutdown(fd, SHUT_RDWR);
      },
      listen);
  EXPECT_THAT(heard, testing::StartsWith("error: "));
}

TEST_F(Server, KnowsTheNameTheClientAskedFor) {
  ServerContext server = create(settings());
  for (const char* name : {"mx.example.org", "MX.Example.org", ""}) {
    const Meeting met = serve(server, [&](int fd) {
      BarePeer peer(TLS_client_method());
      SSL* ssl = peer.open(fd);
      if (*name != '\0') SSL_set_tlsext_host_name(ssl, name);
      EXPECT_TRUE(peer.handshake());
    });
    ASSERT_TRUE(met.server);
    EXPECT_EQ(met.server->server_name, name);
  }
}

// Without clients' certificates being asked for, none comes, and that is no failure.
TEST_F(Server, AsksForNoCertificateUnlessTold) {
  ServerContext server = create(settings());
  const std::string shown = folder_.file("client.pem", client_certificate("a@b", ca_).both());
  const Meeting met = serve(server, [&](int fd) {
    BarePeer peer(TLS_client_method());
    peer.show(shown);
    peer.open(fd);
    EXPECT_TRUE(peer.handshake());
  });
  ASSERT_TRUE(met.server);
  EXPECT_EQ(met.server->client.state, ClientCertificate::State::none);
}

TEST_F(Server, FailedHandshakeTellsWhy) {
  ServerContext server = create(settings());
  const Meeting garbage =
      serve(server, [](int fd) { EXPECT_EQ(::write(fd, "EHLO there\r\n", 12), 12); });
  ASSERT_TRUE(garbage.server_error);
  EXPECT_EQ(garbage.server_error->step, TlsError::Step::handshake);
  EXPECT_THAT(garbage.server_error->detail, testing::HasSubstr("wrong version number"));
  EXPECT_FALSE(garbage.server_error->timed_out);

  const Meeting gone = serve(server, [](int fd) { ::shutdown(fd, SHUT_RDWR); });
  ASSERT_TRUE(gone.server_error);
  EXPECT_THAT(gone.server_error->detail, testing::HasSubstr("unexpected eof"));

  // An error of before is never taken for that of now.
  const Meeting refused = serve(server, [](int fd) {
    BarePeer peer(TLS_client_method());
    SSL_CTX_set_verify(peer.context(), SSL_VERIFY_PEER, nullptr);
    peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
    peer.open(fd);
    EXPECT_FALSE(peer.handshake());
  });
  ASSERT_TRUE(refused.server_error);
  EXPECT_THAT(refused.server_error->detail, testing::HasSubstr("alert unknown ca"));
}

}  // namespace
}  // namespace qmail::tls::test
