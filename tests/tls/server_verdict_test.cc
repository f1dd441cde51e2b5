// What the client's side makes of the server's certificate, and what it shows of its own.
#include <arpa/inet.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

using State = ServerCertificate::State;
constexpr const char* host = "mx1.example.org";

Request named(std::vector<std::string> dns_names, const std::string& common_name) {
  Request request{.dns_names = std::move(dns_names)};
  if (!common_name.empty()) request.subject = {{NID_commonName, common_name}};
  return request;
}

struct World {
  Issued root = authority("root");
  Issued other_root = authority("other root");
  Issued middle = issue({.subject = {{NID_commonName, "middle"}},
                         .extensions = {{NID_basic_constraints, "critical,CA:TRUE"}}},
                        &root);
  Issued good = server_certificate(host, root);
  Issued of_middle = server_certificate(host, middle);
  Issued self = issue(named({host}, host), nullptr);
  Issued expired = issue({.dns_names = {host}, .from = -9 * day, .until = -day}, &root);
  Issued future = issue({.dns_names = {host}, .from = day, .until = 9 * day}, &root);
  Issued for_clients =
      issue({.extensions = {{NID_ext_key_usage, "clientAuth"}}, .dns_names = {host}}, &root);
  Issued other_name = issue(named({"mx2.example.org"}, host), &root);
};
const World& world() {
  static const World made;
  return made;
}

struct Case {
  const char* name;
  std::string (*shown)();
  std::string (*anchors)();
  State state;
  const char* reason = "";
};

constexpr auto root = [] { return world().root.pem(); };
constexpr auto good = [] { return world().good.both(); };

const Case cases[] = {
    {"Good", good, root, State::verified},
    {"ChainSent", [] { return world().of_middle.both() + world().middle.pem(); }, root,
     State::verified},
    {"ChainFromAnchors", [] { return world().of_middle.both(); },
     [] { return world().middle.pem() + world().root.pem(); }, State::verified},
    {"SelfSignedPinned", [] { return world().self.both(); }, [] { return world().self.pem(); },
     State::verified},
    {"SelfSigned", [] { return world().self.both(); }, root, State::chain_not_verified,
     "self-signed certificate"},
    {"Unknown", good, [] { return world().other_root.pem(); }, State::chain_not_verified,
     "unable to verify the first certificate"},
    {"ChainMissing", [] { return world().of_middle.both(); }, root, State::chain_not_verified,
     "unable to verify the first certificate"},
    {"MiddleOnly", [] { return world().of_middle.both(); }, [] { return world().middle.pem(); },
     State::chain_not_verified, "unable to get issuer certificate"},
    {"LeafOnly", good, [] { return world().good.pem(); }, State::chain_not_verified,
     "unable to verify the first certificate"},
    {"Expired", [] { return world().expired.both(); }, root, State::chain_not_verified,
     "certificate has expired"},
    {"Future", [] { return world().future.both(); }, root, State::chain_not_verified,
     // OpenSSL 4 adds "or the system clock is incorrect".
     X509_verify_cert_error_string(X509_V_ERR_CERT_NOT_YET_VALID)},
    {"Purpose", [] { return world().for_clients.both(); }, root, State::chain_not_verified,
     "unsuitable certificate purpose"},
    {"OtherName", [] { return world().other_name.both(); }, root, State::no_matching_dns_name},
    {"TrustBeforeName", [] { return world().other_name.both(); },
     [] { return world().other_root.pem(); }, State::chain_not_verified,
     "unable to verify the first certificate"},
};

class Verdicts : public testing::TestWithParam<std::tuple<Case, int>> {};

TEST_P(Verdicts, AreGivenWithTheSessionUp) {
  const auto& [tested, version] = GetParam();
  const Folder folder;
  const std::string shown = folder.file("shown.pem", tested.shown());
  auto client = ClientContext::create(
      {.server_name = host,
       .verification = Anchors{folder.file("anchors.pem", tested.anchors()), {host}}});
  ASSERT_TRUE(client) << client.error().detail;
  const auto [met, name_sent, heard] = hello_from(*client, shown, version);
  ASSERT_TRUE(met.client) << met.client_error->detail;
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(name_sent, host);
  EXPECT_EQ(met.client->server.state, tested.state);
  EXPECT_EQ(met.client->server.reason, tested.reason);
}

INSTANTIATE_TEST_SUITE_P(Tls, Verdicts,
                         testing::Combine(testing::ValuesIn(cases),
                                          testing::Values(TLS1_2_VERSION, TLS1_3_VERSION)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) +
                                  (std::get<1>(tested.param) == TLS1_2_VERSION ? "Tls12" : "Tls13");
                         });

class Client : public testing::Test {
 protected:
  ClientContext create(const ClientSettings& settings) const {
    auto made = ClientContext::create(settings);
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  const Folder folder_;
  const std::string server_file_ = folder_.file("servercert.pem", world().good.both());
};

TEST_F(Client, WithoutAnchorsNothingIsChecked) {
  ClientContext client = create({.server_name = host});
  const std::string shown = folder_.file("shown.pem", world().expired.both());
  const Meeting met = visit(client, [&](int fd) {
    BarePeer peer(TLS_server_method());
    peer.show(shown);
    peer.open(fd);
    EXPECT_TRUE(peer.handshake());
  });
  ASSERT_TRUE(met.client);
  EXPECT_EQ(met.client->server.state, State::unverified);
  EXPECT_EQ(met.client->server.issuer, "CN=root");
}

TEST_F(Client, ServerWithoutCertificateIsNotVerified) {
  ClientContext client =
      create({.server_name = host,
              .verification = Anchors{folder_.file("anchors.pem", world().root.pem()), {host}},
              .parameters = {.ciphers = {"AECDH-AES256-SHA:@SECLEVEL=0"}}});
  const Meeting met = visit(client, [&](int fd) {
    BarePeer peer(TLS_server_method());
    peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(peer.context(), "AECDH-AES256-SHA:@SECLEVEL=0");
    peer.open(fd);
    EXPECT_TRUE(peer.handshake());
  });
  ASSERT_TRUE(met.client) << met.client_error->detail;
  EXPECT_EQ(met.client->server.state, State::none);
  EXPECT_EQ(met.client->facts.cipher, "AECDH-AES256-SHA");
}

// RFC 6066, section 3: names, never addresses.
TEST_F(Client, AddressesAreNotSentAsServerName) {
  for (const char* name : {"", "192.0.2.1", "2001:db8::1"}) {
    ClientContext client = create({.server_name = name});
    visit(client, [&](int fd) {
      BarePeer peer(TLS_server_method());
      peer.show(server_file_);
      peer.open(fd);
      EXPECT_TRUE(peer.handshake());
      EXPECT_EQ(SSL_get_servername(peer.ssl(), TLSEXT_NAMETYPE_host_name), nullptr) << name;
    });
  }
}

TEST_F(Client, UnusableAnchorsAreAnErrorBeforeAnythingIsSent) {
  const auto error_of = [&](const std::string& file) {
    const auto made =
        ClientContext::create({.server_name = host, .verification = Anchors{file, {host}}});
    EXPECT_FALSE(made);
    EXPECT_EQ(made.error().step, TlsError::Step::trust);
    EXPECT_EQ(made.error().file, file);
    return made.error().detail;
  };
  constexpr const char* none =
      "error:05800088:x509 certificate routines::no certificate or crl found";
  EXPECT_EQ(error_of(folder_.file("empty.pem", "")), none);
  EXPECT_EQ(error_of(folder_.file("garbage.pem", "not a certificate\n")), none);
  EXPECT_THAT(error_of(folder_.path("absent.pem")), testing::HasSubstr("No such file"));
  EXPECT_THAT(error_of(folder_.path(".")), testing::HasSubstr("Is a directory"));
  EXPECT_THAT(error_of(folder_.file("damaged.pem", world().root.pem() +
                                                       "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                       "-----END CERTIFICATE-----\n")),
              testing::HasSubstr("asn1"));
}

TEST_F(Client, Tls12IsTheFloorWhateverTheCiphersSay) {
  for (const char* list : {"DEFAULT", "ALL:@SECLEVEL=0"}) {
    ClientContext client = create({.parameters = {.ciphers = {list}}});
    const Meeting met = visit(client, [&](int fd) {
      BarePeer peer(TLS_server_method());
      peer.limit(TLS1_VERSION, TLS1_1_VERSION);
      SSL_CTX_set_cipher_list(peer.context(), "ALL:@SECLEVEL=0");
      peer.show(server_file_);
      peer.open(fd);
      EXPECT_FALSE(peer.handshake());
    });
    ASSERT_TRUE(met.client_error);
    EXPECT_EQ(met.client_error->step, TlsError::Step::handshake);
    EXPECT_THAT(met.client_error->detail, testing::StartsWith("error:"));
  }
}

// Where nothing is verified any TLS is better than none; where something is, the library's level
// holds. Short RSA keys, and signatures with SHA-1, stand for what a level forbids.
TEST_F(Client, UnverifiedItTakesWhatTheSecurityLevelForbids) {
  const auto outcome = [&](ClientContext& client, const char* signatures) {
    const std::string weak =
        folder_.file("weak.pem", server_certificate(host, world().root, KeyKind::weak_rsa).both());
    const Meeting met = visit(client, [&](int fd) {
      BarePeer peer(TLS_server_method());
      SSL_CTX_set_security_level(peer.context(), 0);
      peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
      peer.show(weak);
      if (signatures != nullptr) SSL_CTX_set1_sigalgs_list(peer.context(), signatures);
      peer.open(fd);
      peer.handshake();
    });
    return met.client.has_value() &&
           (met.client->server.state == ServerCertificate::State::unverified ||
            met.client->server.state == ServerCertificate::State::verified);
  };
  for (const char* signatures : {static_cast<const char*>(nullptr), "RSA+SHA1"}) {
    ClientContext unverified = create({});
    EXPECT_TRUE(outcome(unverified, signatures));
    ClientContext verified =
        create({.server_name = host,
                .verification = Anchors{folder_.file("ca.pem", world().root.pem()), {host}}});
    EXPECT_FALSE(outcome(verified, signatures));
    ClientContext told = create({.parameters = {.ciphers = {"DEFAULT@SECLEVEL=2"}}});
    EXPECT_EQ(outcome(told, signatures), signatures == nullptr);  // the key is not verified there
  }
}

TEST_F(Client, AnonymousAndNullCiphersStayOut) {
  for (const char* list : {"DEFAULT", "ALL", "ALL:eNULL", "aNULL:HIGH"}) {
    ClientContext client = create({.parameters = {.ciphers = {list}}});
    EXPECT_TRUE(client.warnings().empty());
    for (const char* offered : {"aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0"}) {
      const Meeting met = visit(client, [&](int fd) {
        BarePeer peer(TLS_server_method());
        peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(peer.context(), offered);
        peer.show(server_file_);
        SSL_CTX_set_dh_auto(peer.context(), 1);
        peer.open(fd);
        EXPECT_FALSE(peer.handshake());
      });
      EXPECT_FALSE(met.client) << list << " " << offered;
    }
  }
}

TEST_F(Client, ListWithoutCipherLeavesTls13AndAWarning) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ClientContext client =
        create({.parameters = {.ciphers = {"NO-SUCH-CIPHER", "control/tlsclientciphers"}}});
    ASSERT_EQ(client.warnings().size(), 1U);
    EXPECT_EQ(client.warnings()[0].file, "control/tlsclientciphers");
    const Meeting met = visit(client, [&](int fd) {
      BarePeer peer(TLS_server_method());
      peer.limit(version, version);
      peer.show(server_file_);
      peer.open(fd);
      EXPECT_EQ(peer.handshake(), version == TLS1_3_VERSION);
    });
    EXPECT_EQ(met.client.has_value(), version == TLS1_3_VERSION);
  }
}

// --- the client's own certificate ---

enum class Asked { in_the_handshake, by_renegotiation, after_the_handshake };

// The subject of the certificate that a server gets when it asks.
std::string shown_to(Asked asked, ClientContext& client, const std::string& server_file) {
  std::string subject = "nobody";
  visit(
      client,
      [&](int fd) {
        BarePeer peer(TLS_server_method());
        const bool tls12 = asked == Asked::by_renegotiation;
        peer.limit(TLS1_2_VERSION, tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
        peer.show(server_file);
        const auto take_any = [](int, X509_STORE_CTX*) { return 1; };
        if (asked == Asked::in_the_handshake) {
          SSL_CTX_set_verify(peer.context(), SSL_VERIFY_PEER, take_any);
        }
        SSL* ssl = peer.open(fd);
        ASSERT_TRUE(peer.handshake());
        if (asked != Asked::in_the_handshake) {
          SSL_set_verify(ssl, SSL_VERIFY_PEER, take_any);
          // A session id context, or OpenSSL refuses to renegotiate with a certificate.
          SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>("t"), 1);
          if (tls12) {
            EXPECT_EQ(SSL_renegotiate(ssl), 1);
          } else {
            EXPECT_EQ(SSL_verify_client_post_handshake(ssl), 1);
          }
          EXPECT_TRUE(peer.handshake());
        }
        EXPECT_TRUE(peer.send("hello"));
        // The client's certificate comes before its first bytes.
        EXPECT_EQ(peer.receive(), "question");
        const CertificatePtr shown(SSL_get1_peer_certificate(ssl));
        if (shown) {
          char line[256];
          subject = X509_NAME_oneline(X509_get_subject_name(shown.get()), line, sizeof line);
        }
        EXPECT_TRUE(peer.send("answer"));
        peer.receive();
      },
      [](ClientSession& session) {
        EXPECT_EQ(read_some(*session.transport), "hello");
        write_all(*session.transport, "question");
        EXPECT_EQ(read_some(*session.transport), "answer");
        session.transport->say_goodbye();
      });
  return subject;
}

class OwnCertificate : public Client, public testing::WithParamInterface<Asked> {};

TEST_P(OwnCertificate, IsShownWhenAskedFor) {
  for (const KeyKind kind : {KeyKind::rsa, KeyKind::ecdsa, KeyKind::ed25519}) {
    ClientContext client = create(
        {.server_name = host,
         .certificate_file = folder_.file(
             "clientcert.pem", client_certificate("a@example.org", world().root, kind).both())});
    EXPECT_TRUE(client.warnings().empty());
    EXPECT_EQ(shown_to(GetParam(), client, server_file_),
              "/CN=a client/emailAddress=a@example.org");
  }
  ClientContext without = create({.server_name = host});
  EXPECT_EQ(shown_to(GetParam(), without, server_file_), "nobody");
}

INSTANTIATE_TEST_SUITE_P(Tls, OwnCertificate,
                         testing::Values(Asked::in_the_handshake, Asked::by_renegotiation,
                                         Asked::after_the_handshake));

TEST_F(Client, UnusableOwnCertificateIsNotShown) {
  const Issued own = client_certificate("a@example.org", world().root);
  const std::pair<std::string, const char*> files[] = {
      {"", "in PEM"},
      {own.pem(), "no private key"},
      {own.pem() + key_pem(key(KeyKind::ecdsa), KeyForm::encrypted_pkcs8), "pass phrase"},
      {own.pem() + key_pem(key(KeyKind::rsa), KeyForm::pkcs8), "first certificate"},
  };
  for (const auto& [content, reason] : files) {
    const std::string file = folder_.file("clientcert.pem", content);
    ClientContext client = create({.server_name = host, .certificate_file = file});
    ASSERT_EQ(client.warnings().size(), 1U);
    EXPECT_EQ(client.warnings()[0].file, file);
    EXPECT_THAT(client.warnings()[0].reason, testing::HasSubstr(reason));
    EXPECT_EQ(shown_to(Asked::in_the_handshake, client, server_file_), "nobody");
  }
  const ClientContext absent = create({.certificate_file = folder_.path("absent.pem")});
  EXPECT_TRUE(absent.warnings().empty());
}

}  // namespace
}  // namespace qmail::tls::test
