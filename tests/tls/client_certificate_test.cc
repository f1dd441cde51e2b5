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
    {"ListEmpty", good, [] { return std::string(); }, State::unknown, "no start line"},
    {"ListGarbage", good, [] { return std::string("no list here\n"); }, State::unknown,
     "no start line"},
    {"ListDamaged", good,
     [] {
       return revocation_list(world().ca, {}) +
              "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
     },
     State::unknown, "asn1"},
    {"ListCutOff", good,
     [] {
       const std::string two = revocation_list(world().ca, {}) + revocation_list(world().ca, {});
       return two.substr(0, two.size() - 60);
     },
     State::unknown, "PEM"},
    // One whom the lists are not needed for is nobody we know all the same.
    {"ListCutOffAndExpired", [] { return world().expired.both(); },
     [] { return revocation_list(world().ca, {}).substr(0, 100); }, State::not_verified,
     "certificate has expired"},
    {"DeltaBehindTheBase", good,
     [] { return revocation_list(world().ca, {}) + delta_list(world().ca, {&world().good}); },
     State::unknown, "delta CRL"},
    {"DeltaBeforeTheBase", good,
     [] { return delta_list(world().ca, {&world().good}) + revocation_list(world().ca, {}); },
     State::unknown, "delta CRL"},
    {"DeltaOfAnother", good,
     [] { return revocation_list(world().ca, {}) + delta_list(world().other_ca, {}); },
     State::unknown, "delta CRL"},
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
  const bool unusable =
      tested.state == State::unknown || tested.name == std::string_view("ListCutOffAndExpired");
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
  EXPECT_EQ(met.server->client.reason.empty(),
            tested.state != State::not_verified && tested.state != State::unknown);
  EXPECT_EQ(met.server->client.email, tested.email);
  EXPECT_EQ(met.server->client.subject.empty(), tested.state == State::none);
  // Whatever became of it, and only then of the names.
  EXPECT_EQ(met.server->client.sha256.size(), tested.state == State::none ? 0U : 64U);
  const bool alternative = tested.name == std::string_view("NoAddress");
  EXPECT_EQ(met.server->client.alternative_emails.size(), alternative ? 1U : 0U);
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
    // Somebody who needs to be judged is deferred, as with a file that cannot be read.
    EXPECT_EQ(judged(*server, shown).state, State::unknown);
    EXPECT_EQ(judged(*server, shown).file, folder.path("clientca.pem"));
  }
}

// Who knows a certificate by its digest needs no authority; with a file of them that is damaged,
// all others are not to be judged, as without.
TEST(ClientAuthorities, WithoutThemForThoseWhoAreKnownByDigest) {
  const Folder folder;
  const std::string shown = folder.file("shown.pem", world().self.both());
  for (const char* content : {"none", "no certificate here\n"}) {
    const bool damaged = std::string_view(content) != "none";
    auto server = ServerContext::create(
        {.certificate_file = folder.file("servercert.pem", world().server.both()),
         .client_certificates = {
             {.authorities_file = damaged ? folder.file("clientca.pem", content) : "",
              .revocation_file = folder.file("clientcrl.pem", revocation_list(world().ca, {})),
              .known_by_digest = true}}});
    ASSERT_TRUE(server);
    EXPECT_EQ(server->warnings().size(), damaged ? 1U : 0U);
    const ClientCertificate client = judged(*server, shown);
    EXPECT_EQ(client.state, damaged ? State::unknown : State::not_verified);
    EXPECT_EQ(client.sha256, sha256(world().self));
    EXPECT_EQ(judged(*server, "").state, State::none);
  }
}

// Whoever an authority that is left vouches for is let in; whether others would be cannot be told.
TEST(ClientAuthorities, ATornFileVouchesForThoseItCan) {
  const Folder folder;
  const std::string both = world().ca.pem() + world().other_ca.pem();
  auto server = ServerContext::create(
      {.certificate_file = folder.file("servercert.pem", world().server.both()),
       .client_certificates = {
           {.authorities_file = folder.file("clientca.pem", both.substr(0, both.size() - 60))}}});
  ASSERT_TRUE(server);
  EXPECT_EQ(server->warnings().size(), 1U);
  EXPECT_EQ(judged(*server, folder.file("good.pem", world().good.both())).state, State::verified);
  EXPECT_EQ(judged(*server, folder.file("expired.pem", world().expired.both())).state,
            State::not_verified);
  const Issued lost = client_certificate("a@example.org", world().other_ca);
  EXPECT_EQ(judged(*server, folder.file("lost.pem", lost.both())).state, State::unknown);
  EXPECT_EQ(judged(*server, "").state, State::none);
}

// As "openssl verify -CAfile" has it, and the patch, which reads one list from clientcrl.pem.
TEST(ClientAuthorities, ListsAmongThemCountWhereThereIsAClientcrl) {
  const Folder folder;
  ServerSettings settings{
      .certificate_file = folder.file("servercert.pem", world().server.both()),
      .client_certificates = {
          {.authorities_file = folder.file(
               "clientca.pem", world().ca.pem() + revocation_list(world().ca, {&world().rsa})),
           .revocation_file = folder.file("clientcrl.pem", revocation_list(world().middle, {}))}}};
  const std::string chain =
      folder.file("chain.pem", world().of_middle.both() + world().middle.pem());
  const std::string revoked = folder.file("revoked.pem", world().rsa.both());
  auto both = ServerContext::create(settings);
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->warnings().empty());
  EXPECT_EQ(judged(*both, chain).state, State::verified);
  EXPECT_EQ(judged(*both, revoked).reason, "certificate revoked");

  // Without clientcrl.pem nobody was checked, and nobody is; but whoever put a list there hears it.
  settings.client_certificates->revocation_file = folder.path("absent.pem");
  auto without = ServerContext::create(settings);
  ASSERT_TRUE(without);
  ASSERT_EQ(without->warnings().size(), 1U);
  EXPECT_THAT(without->warnings()[0].reason, testing::HasSubstr("revocation lists"));
  EXPECT_EQ(judged(*without, revoked).state, State::verified);
}

TEST(ClientAuthorities, BlocksThatDoNotBelongThereAreAWarning) {
  const Folder folder;
  const auto server = ServerContext::create(
      {.certificate_file =
           folder.file("servercert.pem", world().server.both() + revocation_list(world().ca, {})),
       .client_certificates = {
           {.authorities_file = folder.file("clientca.pem", world().ca.both()),
            .revocation_file = folder.file(
                "clientcrl.pem", revocation_list(world().ca, {}) + world().other_ca.pem())}}});
  ASSERT_TRUE(server);
  std::vector<std::string> files;
  for (const Warning& warning : server->warnings()) files.push_back(warning.file);
  EXPECT_THAT(files,
              testing::ElementsAre(folder.path("servercert.pem"), folder.path("clientca.pem"),
                                   folder.path("clientcrl.pem")));
}

// --- nothing about a stranger's certificate, or the authorities' number, ends a session ---

TEST(ClientAuthorities, EachNameIsSentOnceAndTooManyAreNot) {
  const Folder folder;
  std::string many = world().ca.pem() + world().ca.pem();
  const auto names_heard = [&](int version) {
    auto server = ServerContext::create(
        {.certificate_file = folder.file("servercert.pem", world().server.both()),
         .client_certificates = {{.authorities_file = folder.file("clientca.pem", many)}}});
    EXPECT_TRUE(server);
    int count = -1;
    const std::string shown = folder.file("shown.pem", world().good.both());
    const Meeting met = serve(*server, [&](int fd) {
      BarePeer peer(TLS_client_method());
      peer.limit(version, version);
      peer.show(shown);
      peer.open(fd);
      EXPECT_TRUE(peer.handshake());
      count = sk_X509_NAME_num(SSL_get0_peer_CA_list(peer.ssl()));
    });
    EXPECT_TRUE(met.server && met.server->client.state == State::verified);
    return std::to_string(std::max(count, 0)) + " " + std::to_string(server->warnings().size());
  };
  EXPECT_EQ(names_heard(TLS1_2_VERSION), "1 0");
  EXPECT_EQ(names_heard(TLS1_3_VERSION), "1 0");
  Request request;
  for (int i = 0; many.size() < 400000; ++i) {
    request.subject = {{NID_organizationName, std::string(60, 'o')},
                       {NID_organizationalUnitName, std::string(60, 'u')},
                       {NID_commonName, "Authority " + std::to_string(i)}};
    many += issue(request, nullptr).pem();
  }
  EXPECT_EQ(names_heard(TLS1_2_VERSION), "0 1");
  EXPECT_EQ(names_heard(TLS1_3_VERSION), "0 1");
}

TEST(StrangersCertificate, OnARareCurveDoesNotEndTheSession) {
  const Folder folder;
  auto server = ServerContext::create(
      {.certificate_file = folder.file("servercert.pem", world().server.both()),
       .client_certificates = {
           {.authorities_file = folder.file("clientca.pem", world().ca.pem())}}});
  ASSERT_TRUE(server);
  // Those that RFC 8422 deprecates have no number in the TLS of OpenSSL 4, as it is usually built.
  std::string groups = "X25519:P-256";
  std::vector<KeyKind> kinds;
  for (const auto& [kind, group] :
       {std::pair{KeyKind::p224, "secp224r1"}, std::pair{KeyKind::secp256k1, "secp256k1"},
        std::pair{KeyKind::brainpool_256, "brainpoolP256r1"},
        std::pair{KeyKind::brainpool_512, "brainpoolP512r1"}, std::pair{KeyKind::p384, "P-384"}}) {
    BarePeer peer(TLS_client_method());
    if (SSL_CTX_set1_groups_list(peer.context(), group) != 1) continue;
    groups += std::string(":") + group;
    kinds.push_back(kind);
  }
  ASSERT_GE(kinds.size(), 3U);
  for (const KeyKind kind : kinds) {
    for (const bool ours : {true, false}) {
      for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const Issued shown =
            client_certificate("a@example.org", ours ? world().ca : world().other_ca, kind);
        const std::string file = folder.file("shown.pem", shown.both());
        bool done = false;
        const Meeting met = serve(*server, [&](int fd) {
          BarePeer peer(TLS_client_method());
          peer.limit(version, version);
          peer.show(file);
          SSL_CTX_set1_groups_list(peer.context(), groups.c_str());
          peer.open(fd);
          done = peer.handshake();
        });
        const auto what = static_cast<int>(kind);
        EXPECT_TRUE(done) << what << " " << version;
        ASSERT_TRUE(met.server) << what << " " << version << " " << met.server_error->detail;
        if (version == TLS1_2_VERSION || usable_in_tls13(kind)) {
          EXPECT_EQ(met.server->client.state, ours ? State::verified : State::not_verified) << what;
        } else {
          EXPECT_EQ(met.server->client.state, State::none) << what;  // TLS 1.3 has no scheme for it
        }
      }
    }
  }
}

TEST(StrangersCertificate, OnACurveThatItsHelloDoesNotNameIsExplained) {
  const Folder folder;
  auto server = ServerContext::create(
      {.certificate_file = folder.file("servercert.pem", world().server.both()),
       .client_certificates = {
           {.authorities_file = folder.file("clientca.pem", world().ca.pem())}}});
  ASSERT_TRUE(server);
  const std::string shown = folder.file(
      "shown.pem", client_certificate("a@example.org", world().ca, KeyKind::brainpool_256).both());
  const Meeting met = serve(*server, [&](int fd) {
    BarePeer peer(TLS_client_method());
    peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
    peer.show(shown);
    peer.open(fd);
    EXPECT_FALSE(peer.handshake());
  });
  ASSERT_TRUE(met.server_error);
  EXPECT_THAT(met.server_error->advice, testing::HasSubstr("curve"));
}

TEST(StrangersCertificate, WithAWholeBundleBehindItDoesNotEndTheSession) {
  const Folder folder;
  auto server = ServerContext::create(
      {.certificate_file = folder.file("servercert.pem", world().server.both()),
       .client_certificates = {
           {.authorities_file = folder.file("clientca.pem", world().ca.pem())}}});
  ASSERT_TRUE(server);
  std::string chain = client_certificate("a@example.org", world().other_ca).both();
  const std::string one = authority("bundled", KeyKind::rsa).pem();
  while (chain.size() < 400000) chain += one;
  const std::string shown = folder.file("shown.pem", chain);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Meeting met = serve(*server, [&](int fd) {
      BarePeer peer(TLS_client_method());
      peer.limit(version, version);
      peer.show(shown);
      peer.open(fd);
      EXPECT_TRUE(peer.handshake());
    });
    ASSERT_TRUE(met.server) << met.server_error->detail;
    EXPECT_EQ(met.server->client.state, State::not_verified);
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
