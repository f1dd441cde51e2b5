// Certificates by name, and two of them side by side.
#include "tls/server_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

TEST(FolderName, IsAHostNameOrNothing) {
  EXPECT_EQ(folder_name("mx.example.org"), "mx.example.org");
  EXPECT_EQ(folder_name("MX.Example.ORG."), "mx.example.org");
  EXPECT_EQ(folder_name("_x-1"), "_x-1");
  for (const char* name : {"", ".", "..", ".example.org", "a..b", "a.b..", "../tlshosts", "a/b",
                           "*.a.b", "a b", "192.0.2.1", "2001:db8::1", "m\xc3\xbcller.example"}) {
    EXPECT_EQ(folder_name(name), std::nullopt) << name;
  }
  EXPECT_EQ(folder_name(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(folder_name(std::string(300, 'a')), std::nullopt);
}

TEST(FolderName, WildcardIsForOneLabelAboveTwo) {
  EXPECT_EQ(wildcard_for("mx.example.org"), "*.example.org");
  EXPECT_EQ(wildcard_for("a.mx.example.org"), "*.mx.example.org");
  EXPECT_EQ(wildcard_for("example.org"), std::nullopt);
  EXPECT_EQ(wildcard_for("org"), std::nullopt);
}

class ByName : public testing::Test {
 protected:
  void SetUp() override { folder_.file("servercert.pem", usual_.both()); }

  ServerSettings settings() const {
    return {.certificate_file = folder_.path("servercert.pem"),
            .second_certificate_file = folder_.path("servercert-ec.pem"),
            .names_folder = folder_.path("servercerts"),
            .ticket_keys_file = folder_.path("tlsticketkeys")};
  }
  void put(const std::string& name, const std::string& pem,
           const std::string& file = "servercert.pem") const {
    std::filesystem::create_directories(folder_.path("servercerts/" + name));
    folder_.file("servercerts/" + name + "/" + file, pem);
  }
  struct Visit {
    std::string shown{};  // the subject's common name; "none" after a handshake that failed
    bool resumed = false;
    std::vector<std::string> warnings{};
  };
  // `session`: where the client keeps its ticket.
  Visit visit_as(const char* name, int version = TLS1_3_VERSION, SSL_SESSION** session = nullptr,
                 const char* ciphers = nullptr) const {
    Visit visit{"none"};
    auto server = ServerContext::create(settings());
    EXPECT_TRUE(server);
    const Meeting met = serve(
        *server,
        [&](int fd) {
          BarePeer peer(TLS_client_method());
          peer.limit(version, version);
          if (ciphers != nullptr) SSL_CTX_set_cipher_list(peer.context(), ciphers);
          SSL* ssl = peer.open(fd);
          if (name != nullptr) SSL_set_tlsext_host_name(ssl, name);
          if (session != nullptr && *session != nullptr) SSL_set_session(ssl, *session);
          if (!peer.handshake()) return;
          visit.resumed = SSL_session_reused(ssl) == 1;
          const CertificatePtr certificate(SSL_get1_peer_certificate(ssl));
          const X509_NAME* subject = X509_get_subject_name(certificate.get());
          const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
          const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
          visit.shown.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                             static_cast<std::size_t>(ASN1_STRING_length(text)));
          peer.receive();  // the ticket comes with the first bytes
          if (session != nullptr) {
            SSL_SESSION_free(*session);
            *session = SSL_get1_session(ssl);
          }
          SSL_shutdown(ssl);  // a session that is torn off cannot be resumed
        },
        [](ServerSession& served) {
          write_all(*served.transport, "250 ok\r\n");
          read_some(*served.transport);
        });
    for (const Warning& warning : server->accept_warnings()) {
      visit.warnings.push_back(warning.file + ": " + warning.reason);
    }
    return visit;
  }

  const Folder folder_;
  const Issued ca_ = authority("ca");
  const Issued usual_ = server_certificate("usual", ca_, KeyKind::rsa);
  const Issued one_ = server_certificate("one.example.org", ca_);
  const Issued wild_ = server_certificate("*.example.org", ca_);
};

TEST_F(ByName, TheNameDecides) {
  put("one.example.org", one_.both());
  put("*.example.org", wild_.both());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_EQ(visit_as("one.example.org", version).shown, "one.example.org");
    EXPECT_EQ(visit_as("ONE.Example.Org", version).shown, "one.example.org");
    EXPECT_EQ(visit_as("two.example.org", version).shown, "*.example.org");
    EXPECT_EQ(visit_as("a.two.example.org", version).shown, "usual");
    EXPECT_EQ(visit_as("example.org", version).shown, "usual");
    EXPECT_EQ(visit_as("../one.example.org", version).shown, "usual");
    const Visit nameless = visit_as(nullptr, version);
    EXPECT_EQ(nameless.shown, "usual");
    EXPECT_THAT(nameless.warnings, testing::IsEmpty());
  }
}

// The usual RSA certificate must not be shown to a client of one.example.org that likes it better.
TEST_F(ByName, NothingOfTheUsualIdentityIsLeft) {
  put("one.example.org", one_.both());
  EXPECT_EQ(
      visit_as("one.example.org", TLS1_2_VERSION, nullptr, "ECDHE-RSA-AES128-GCM-SHA256").shown,
      "none");
}

TEST_F(ByName, WhatCannotBeUsedLeavesTheUsualAndAWarning) {
  const std::string other_key = one_.pem() + key_pem(key(KeyKind::rsa), KeyForm::pkcs8);
  for (const std::string& pem : {std::string("nonsense\n"), one_.pem(), other_key}) {
    put("one.example.org", pem);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Visit visit = visit_as("one.example.org", version);
      EXPECT_EQ(visit.shown, "usual");
      EXPECT_THAT(visit.warnings, testing::ElementsAre(testing::StartsWith(folder_.path(
                                      "servercerts/one.example.org/servercert.pem: "))));
    }
  }
  std::filesystem::remove(folder_.path("servercerts/one.example.org/servercert.pem"));
  EXPECT_THAT(visit_as("one.example.org").warnings, testing::SizeIs(1));
}

TEST_F(ByName, ATicketOfOneNameIsVoidForAnother) {
  put("one.example.org", one_.both());
  folder_.file("tlsticketkeys", std::string(80, 'k'));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_SESSION* session = nullptr;
    EXPECT_FALSE(visit_as("one.example.org", version, &session).resumed);
    EXPECT_TRUE(visit_as("one.example.org", version, &session).resumed);
    const Visit elsewhere = visit_as("two.example.org", version, &session);
    EXPECT_FALSE(elsewhere.resumed);
    EXPECT_EQ(elsewhere.shown, "usual");
    EXPECT_TRUE(visit_as("three.example.org", version, &session).resumed);
    EXPECT_FALSE(visit_as("one.example.org", version, &session).resumed);
    SSL_SESSION_free(session);
  }
}

// Though they are shown the same certificate.
TEST_F(ByName, ATicketOfOneNameIsVoidForAnotherUnderTheSameWildcard) {
  put("*.example.org", wild_.both());
  folder_.file("tlsticketkeys", std::string(80, 'k'));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_SESSION* session = nullptr;
    EXPECT_FALSE(visit_as("a.example.org", version, &session).resumed);
    EXPECT_TRUE(visit_as("A.example.org", version, &session).resumed);
    EXPECT_FALSE(visit_as("b.example.org", version, &session).resumed);
    EXPECT_TRUE(visit_as("b.example.org", version, &session).resumed);
    SSL_SESSION_free(session);
  }
}

// A certificate by name that no client could use, or that the cipher list's security level forbids,
// is found out before it spoils the handshake.
TEST_F(ByName, AKeyThatNoClientCanUseLeavesTheUsual) {
  for (const KeyKind kind : {KeyKind::secp256k1, KeyKind::weak_rsa}) {
    put("one.example.org", server_certificate("one", ca_, kind).both());
    const Visit visit = visit_as("one.example.org");
    EXPECT_EQ(visit.shown, "usual");
    EXPECT_THAT(visit.warnings, testing::SizeIs(1));
  }
}

// The client's first key share is one that the server does not take, so it says hello again: the
// name is looked up once.
TEST_F(ByName, ASecondHelloChangesNothing) {
  put("one.example.org", "nonsense\n");
  folder_.file("servercert.pem", wild_.both());  // as strong as this level wants it
  ServerSettings strict = settings();
  strict.parameters.ciphers.list = "DEFAULT:@SECLEVEL=3";
  auto server = ServerContext::create(strict);
  ASSERT_TRUE(server) << server.error().detail;
  int hellos = 0;
  serve(*server, [&](int fd) {
    BarePeer peer(TLS_client_method());
    ASSERT_EQ(SSL_CTX_set1_groups_list(peer.context(), "ffdhe2048:P-256"), 1);
    SSL_CTX_set_msg_callback(peer.context(), [](int sent, int, int type, const void* bytes,
                                                std::size_t, SSL*, void* count) {
      const auto* message = static_cast<const unsigned char*>(bytes);
      constexpr unsigned char client_hello = 1;
      if (sent == 1 && type == SSL3_RT_HANDSHAKE && message[0] == client_hello) {
        ++*static_cast<int*>(count);
      }
    });
    SSL_CTX_set_msg_callback_arg(peer.context(), &hellos);
    SSL_set_tlsext_host_name(peer.open(fd), "one.example.org");
    EXPECT_TRUE(peer.handshake());
  });
  EXPECT_EQ(hellos, 2);
  EXPECT_THAT(server->accept_warnings(), testing::SizeIs(1));
}

// Clients of one name are asked for their certificate as all are, and the verdict is the same.
TEST_F(ByName, ClientsAreAskedAllTheSame) {
  put("one.example.org", one_.both());
  ServerSettings asking = settings();
  asking.client_certificates = {{.authorities_file = folder_.file("clientca.pem", ca_.pem())}};
  for (const KeyKind kind : {KeyKind::ecdsa, KeyKind::brainpool_256}) {
    const std::string shown =
        folder_.file("client.pem", client_certificate("a@example.net", ca_, kind).both());
    auto server = ServerContext::create(asking);
    ASSERT_TRUE(server);
    const Meeting met = serve(*server, [&](int fd) {
      BarePeer peer(TLS_client_method());
      peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
      ASSERT_EQ(SSL_CTX_set1_groups_list(peer.context(), "P-256:brainpoolP256r1"), 1);
      peer.show(shown);
      SSL_set_tlsext_host_name(peer.open(fd), "one.example.org");
      EXPECT_TRUE(peer.handshake());
    });
    ASSERT_TRUE(met.server) << met.server_error->detail;
    EXPECT_EQ(met.server->client.state, ClientCertificate::State::verified);
  }
}

TEST_F(ByName, TwoTypesOfKeySideBySide) {
  folder_.file("servercert-ec.pem", server_certificate("usual ec", ca_).both());
  put("one.example.org", server_certificate("one rsa", ca_, KeyKind::rsa).both());
  put("one.example.org", server_certificate("one ec", ca_).both(), "servercert-ec.pem");
  constexpr const char* rsa = "ECDHE-RSA-AES128-GCM-SHA256";
  constexpr const char* ec = "ECDHE-ECDSA-AES128-GCM-SHA256";
  EXPECT_EQ(visit_as(nullptr, TLS1_2_VERSION, nullptr, rsa).shown, "usual");
  EXPECT_EQ(visit_as(nullptr, TLS1_2_VERSION, nullptr, ec).shown, "usual ec");
  EXPECT_EQ(visit_as(nullptr, TLS1_3_VERSION).shown, "usual ec");
  EXPECT_EQ(visit_as("one.example.org", TLS1_2_VERSION, nullptr, rsa).shown, "one rsa");
  EXPECT_EQ(visit_as("one.example.org", TLS1_2_VERSION, nullptr, ec).shown, "one ec");
}

TEST_F(ByName, ASecondFileThatCannotBeUsedIsAWarning) {
  for (const std::string& pem :
       {std::string("nonsense\n"), server_certificate("rsa", ca_, KeyKind::other_rsa).both(),
        server_certificate("k1", ca_, KeyKind::secp256k1).both()}) {
    folder_.file("servercert-ec.pem", pem);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Visit visit = visit_as(nullptr, version);
      EXPECT_EQ(visit.shown, "usual");
      EXPECT_THAT(visit.warnings,
                  testing::ElementsAre(testing::StartsWith(folder_.path("servercert-ec.pem: "))));
    }
  }
}

// What can be seen without decoding is found before a client is there, as ever.
TEST_F(ByName, TheUsualFileIsLookedAtBeforehand) {
  folder_.file("servercert-ec.pem", server_certificate("usual ec", ca_).both());
  for (const std::string& pem : {std::string("nonsense\n"), usual_.pem(), usual_.key_pem()}) {
    folder_.file("servercert.pem", pem);
    const auto context = ServerContext::create(settings());
    ASSERT_FALSE(context);
    EXPECT_EQ(context.error().file, folder_.path("servercert.pem"));
    ServerSettings alone = settings();
    alone.second_certificate_file.clear();
    alone.names_folder.clear();
    const auto usual = ServerContext::create(alone);
    ASSERT_FALSE(usual);
    EXPECT_EQ(context.error().step, usual.error().step);
    EXPECT_EQ(context.error().detail, usual.error().detail);
    EXPECT_EQ(context.error().advice, usual.error().advice);
  }
}

// The rest is what accept() fails for, naming the file; whoever needs it not is served.
TEST_F(ByName, WhatOnlyDecodingShowsIsFoundByWhoNeedsTheUsual) {
  put("one.example.org", one_.both());
  folder_.file("servercert.pem", usual_.pem() + key_pem(key(KeyKind::ecdsa), KeyForm::pkcs8));
  EXPECT_EQ(visit_as("one.example.org").shown, "one.example.org");
  auto server = ServerContext::create(settings());
  ASSERT_TRUE(server);
  const Meeting met = serve(*server, [](int fd) {
    BarePeer peer(TLS_client_method());
    peer.open(fd);
    EXPECT_FALSE(peer.handshake());
  });
  ASSERT_TRUE(met.server_error);
  EXPECT_EQ(met.server_error->step, TlsError::Step::key);
  EXPECT_EQ(met.server_error->file, folder_.path("servercert.pem"));
}

}  // namespace
}  // namespace qmail::tls::test
