// What the server makes of a certificate that a client shows.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

using State = ClientCertificate::State;

// The authorities and certificates of all tests here, made once.
struct World {
  Issued ca = authority("clients' ca");
  Issued other_ca = authority("another ca");
  Issued middle = issue({.subject = {{NID_commonName, "middle"}},
                         .extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                                        {NID_key_usage, "keyCertSign,cRLSign"}}},
                        &ca);
  Issued server = server_certificate("mx.example.org", ca);
  Issued good = client_certificate("relay@client.example.org", ca);
  Issued rsa = client_certificate("relay@client.example.org", ca, KeyKind::rsa);
  Issued ed25519 = client_certificate("relay@client.example.org", ca, KeyKind::ed25519);
  Issued of_middle = client_certificate("relay@client.example.org", middle);
  Issued foreign = client_certificate("relay@client.example.org", other_ca);
  Issued of_leaf = client_certificate("relay@client.example.org", good);
  Issued self = issue({.subject = {{NID_pkcs9_emailAddress, "relay@client.example.org"}}}, nullptr);
  Issued expired = issue({.subject = {{NID_pkcs9_emailAddress, "relay@client.example.org"}},
                          .from = -30 * day,
                          .until = -day},
                         &ca);
  Issued future = issue({.subject = {{NID_pkcs9_emailAddress, "relay@client.example.org"}},
                         .from = day,
                         .until = 2 * day},
                        &ca);
  Issued for_servers = issue({.subject = {{NID_pkcs9_emailAddress, "relay@client.example.org"}},
                              .extensions = {{NID_ext_key_usage, "serverAuth"}}},
                             &ca);
  Issued nameless =
      issue({.subject = {{NID_commonName, "a client"}},
             .extensions = {{NID_subject_alt_name, "email:relay@client.example.org"}}},
            &ca);
  Issued two = issue({.subject = {{NID_pkcs9_emailAddress, "first@example.org"},
                                  {NID_pkcs9_emailAddress, "relay@client.example.org"}}},
                     &ca);
  Issued nul = issue({.subject = {{NID_pkcs9_emailAddress,
                                   std::string("relay@client.example.org\0.evil.test", 35)}}},
                     &ca);
};
const World& world() {
  static const World made;
  return made;
}

struct Case {
  const char* name;
  std::string (*shown)();  // certificate, chain and key; nullptr: none is shown
  std::string (*lists)();  // clientcrl.pem; nullptr: no such file
  State state;
  const char* reason;
  std::optional<std::string> email{};
};

constexpr auto good = [] { return world().good.both(); };
const std::optional<std::string> relay = "relay@client.example.org";

const Case cases[] = {
    {"None", nullptr, nullptr, State::none, ""},
    {"Ecdsa", good, nullptr, State::verified, "", relay},
    {"Rsa", [] { return world().rsa.both(); }, nullptr, State::verified, "", relay},
    {"Ed25519", [] { return world().ed25519.both(); }, nullptr, State::verified, "", relay},
    {"Chain", [] { return world().of_middle.both() + world().middle.pem(); }, nullptr,
     State::verified, "", relay},
    {"NoAddress", [] { return world().nameless.both(); }, nullptr, State::verified, ""},
    {"FirstAddress", [] { return world().two.both(); }, nullptr, State::verified, "",
     "first@example.org"},
    {"NulInAddress", [] { return world().nul.both(); }, nullptr, State::verified, "",
     std::string("relay@client.example.org\0.evil.test", 35)},
    {"Expired", [] { return world().expired.both(); }, nullptr, State::not_verified,
     "certificate has expired"},
    {"Future", [] { return world().future.both(); }, nullptr, State::not_verified,
     "certificate is not yet valid"},
    {"Purpose", [] { return world().for_servers.both(); }, nullptr, State::not_verified,
     "unsuitable certificate purpose"},
    {"Foreign", [] { return world().foreign.both(); }, nullptr, State::not_verified,
     "unable to verify the first certificate"},
    {"ChainMissing", [] { return world().of_middle.both(); }, nullptr, State::not_verified,
     "unable to verify the first certificate"},
    {"Self", [] { return world().self.both(); }, nullptr, State::not_verified,
     "self-signed certificate"},
    {"IssuedByALeaf", [] { return world().of_leaf.both() + world().good.pem(); }, nullptr,
     State::not_verified, ""},
    {"NotRevoked", good, [] { return revocation_list(world().ca, {&world().rsa}); },
     State::verified, "", relay},
    {"Revoked", good, [] { return revocation_list(world().ca, {&world().good}); },
     State::not_verified, "certificate revoked"},
    {"RevokedInTheSecondList", good,
     [] {
       return revocation_list(world().other_ca, {}) +
              revocation_list(world().ca, {&world().rsa, &world().good});
     },
     State::not_verified, "certificate revoked"},
    {"RevokedInTheFirstList", good,
     [] {
       return revocation_list(world().ca, {&world().good}) + revocation_list(world().other_ca, {});
     },
     State::not_verified, "certificate revoked"},
    {"RevokedMiddle", [] { return world().of_middle.both() + world().middle.pem(); },
     [] {
       return revocation_list(world().ca, {&world().middle}) + revocation_list(world().middle, {});
     },
     State::not_verified, "certificate revoked"},
    {"NoListOfTheMiddle", [] { return world().of_middle.both() + world().middle.pem(); },
     [] { return revocation_list(world().ca, {}); }, State::not_verified,
     "unable to get certificate CRL"},
    {"ListOfAnother", good, [] { return revocation_list(world().other_ca, {}); },
     State::not_verified, "unable to get certificate CRL"},
    {"ListExpired", good, [] { return revocation_list(world().ca, {}, -30 * day, -day); },
     State::not_verified, "CRL has expired"},
    {"ListNotYetValid", good, [] { return revocation_list(world().ca, {}, day, 2 * day); },
     State::not_verified, "CRL is not yet valid"},
    {"ListEmpty", good, [] { return std::string(); }, State::not_verified, "no start line"},
    {"ListGarbage", good, [] { return std::string("no list here\n"); }, State::not_verified,
     "no start line"},
    {"ListDamaged", good,
     [] {
       return revocation_list(world().ca, {}) +
              "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
     },
     State::not_verified, "asn1"},
    {"ListCutOff", good,
     [] {
       const std::string two = revocation_list(world().ca, {}) + revocation_list(world().ca, {});
       return two.substr(0, two.size() - 60);
     },
     State::not_verified, "PEM"},
};

class ClientCertificates : public testing::TestWithParam<std::tuple<Case, int>> {};

TEST_P(ClientCertificates, AreJudgedAndNeverBreakTheHandshake) {
  const auto& [tested, version] = GetParam();
  const Folder folder;
  const std::string lists = folder.path("clientcrl.pem");
  if (tested.lists != nullptr) folder.file("clientcrl.pem", tested.lists());
  const std::string shown =
      tested.shown != nullptr ? folder.file("shown.pem", tested.shown()) : std::string();
  auto server = ServerContext::create(
      {.certificate_file = folder.file("servercert.pem", world().server.both()),
       .client_certificates = {{.authorities_file = folder.file("clientca.pem", world().ca.pem()),
                                .revocation_file = lists}}});
  ASSERT_TRUE(server) << server.error().detail;
  // Lists that cannot be used at all are told at once, not only to those who are refused.
  const std::string_view name(tested.name);
  const bool unusable =
      name == "ListEmpty" || name == "ListGarbage" || name == "ListDamaged" || name == "ListCutOff";
  ASSERT_EQ(server->warnings().size(), unusable ? 1U : 0U);
  if (unusable) {
    EXPECT_EQ(server->warnings()[0].file, lists);
  }
  std::string heard;
  const Meeting met = serve(
      *server,
      [&, version = version](int fd) {
        BarePeer peer(TLS_client_method());
        peer.limit(version, version);
        if (!shown.empty()) peer.show(shown);
        peer.open(fd);
        ASSERT_TRUE(peer.handshake());
        EXPECT_TRUE(peer.send("still here"));
        peer.receive();
      },
      [&](ServerSession& session) {
        heard = read_some(*session.transport);
        session.transport->say_goodbye();
      });
  ASSERT_TRUE(met.server) << met.server_error->detail;
  EXPECT_EQ(heard, "still here");
  EXPECT_EQ(met.server->client.state, tested.state);
  EXPECT_THAT(met.server->client.reason, testing::HasSubstr(tested.reason));
  EXPECT_EQ(met.server->client.reason.empty(), tested.state != State::not_verified);
  EXPECT_EQ(met.server->client.email, tested.email);
  EXPECT_EQ(met.server->client.subject.empty(), tested.state == State::none);
}

INSTANTIATE_TEST_SUITE_P(Tls, ClientCertificates,
                         testing::Combine(testing::ValuesIn(cases),
                                          testing::Values(TLS1_2_VERSION, TLS1_3_VERSION)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) +
                                  (std::get<1>(tested.param) == TLS1_2_VERSION ? "Tls12" : "Tls13");
                         });

TEST(ClientAuthorities, TheirNamesAreSent) {
  const Folder folder;
  auto server = ServerContext::create(
      {.certificate_file = folder.file("servercert.pem", world().server.both()),
       .client_certificates = {{.authorities_file = folder.file(
                                    "clientca.pem", world().ca.pem() + world().other_ca.pem())}}});
  ASSERT_TRUE(server);
  EXPECT_TRUE(server->warnings().empty());
  serve(*server, [](int fd) {
    BarePeer peer(TLS_client_method());
    peer.open(fd);
    ASSERT_TRUE(peer.handshake());
    const STACK_OF(X509_NAME)* names = SSL_get0_peer_CA_list(peer.ssl());
    ASSERT_EQ(sk_X509_NAME_num(names), 2);
    EXPECT_EQ(X509_NAME_cmp(sk_X509_NAME_value(names, 1),
                            X509_get_subject_name(world().other_ca.certificate.get())),
              0);
  });
}

// What the server makes of a client that shows the certificate in the file `shown`; of one that
// shows none, if that is empty.
ClientCertificate judged(ServerContext& server, const std::string& shown) {
  const Meeting met = serve(server, [&shown](int fd) {
    BarePeer peer(TLS_client_method());
    if (!shown.empty()) peer.show(shown);
    peer.open(fd);
    EXPECT_TRUE(peer.handshake());
  });
  EXPECT_TRUE(met.server);
  return met.server ? met.server->client : ClientCertificate();
}

TEST(ClientAuthorities, NobodyIsAskedWithoutThem) {
  const Folder folder;
  const std::string shown = folder.file("shown.pem", world().good.both());
  for (const char* content : {"", "no certificate here\n",
                              "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    auto server = ServerContext::create(
        {.certificate_file = folder.file("servercert.pem", world().server.both()),
         .client_certificates = {{.authorities_file = folder.file("clientca.pem", content)}}});
    ASSERT_TRUE(server);
    ASSERT_EQ(server->warnings().size(), 1U);
    EXPECT_EQ(server->warnings()[0].file, folder.path("clientca.pem"));
    EXPECT_EQ(judged(*server, shown).state, State::none);
  }
}

// Nobody knows who was revoked then, nor whether the client's authority is one of ours.
TEST(ClientAuthorities, WhatCannotBeReadIsToldApart) {
  const Folder folder;
  const std::string shown = folder.file("shown.pem", world().good.both());
  const std::string authorities = folder.file("clientca.pem", world().ca.pem());
  const std::string nowhere = folder.path("nowhere.pem");
  std::filesystem::create_symlink("not-there", nowhere);
  for (const auto& [ca, lists] : {std::pair(authorities, nowhere), std::pair(nowhere, nowhere),
                                  std::pair(folder.path("."), std::string())}) {
    auto server = ServerContext::create(
        {.certificate_file = folder.file("servercert.pem", world().server.both()),
         .client_certificates = {{.authorities_file = ca, .revocation_file = lists}}});
    ASSERT_TRUE(server);
    const ClientCertificate client = judged(*server, shown);
    EXPECT_EQ(client.state, State::unknown);
    EXPECT_EQ(client.file, ca == authorities ? lists : ca);
    EXPECT_FALSE(client.reason.empty());
  }
}

// Without the revocation file, too, it is clear that these are nobody we know.
TEST(ClientAuthorities, WithoutARevocationFileStrangersAreStrangers) {
  const Folder folder;
  const std::string stranger =
      folder.file("shown.pem", client_certificate("a@example.org", world().other_ca).both());
  auto server = ServerContext::create(
      {.certificate_file = folder.file("servercert.pem", world().server.both()),
       .client_certificates = {{.authorities_file = folder.file("clientca.pem", world().ca.pem()),
                                .revocation_file = folder.path(".")}}});
  ASSERT_TRUE(server);
  EXPECT_EQ(judged(*server, "").state, State::none);
  EXPECT_EQ(judged(*server, stranger).state, State::not_verified);
}

}  // namespace
}  // namespace qmail::tls::test
