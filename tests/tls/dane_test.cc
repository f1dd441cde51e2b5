// A server's certificate against TLSA records: which of them OpenSSL lets count, and what is said
// when none does.
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

using State = ServerCertificate::State;
constexpr const char* host = "mx1.example.org";
constexpr const char* domain = "example.org";

struct World {
  Issued root = authority("root");
  Issued other_root = authority("other root");
  Issued middle = issue({.subject = {{NID_commonName, "middle"}},
                         .extensions = {{NID_basic_constraints, "critical,CA:TRUE"}}},
                        &root);
  Issued good = server_certificate(host, root);
  Issued of_middle = server_certificate(host, middle);
  Issued of_domain = server_certificate(domain, root);
  Issued other_name = server_certificate("mx2.example.org", root);
  Issued expired = issue({.dns_names = {host}, .from = -9 * day, .until = -day}, &root);
  Issued for_clients =
      issue({.extensions = {{NID_ext_key_usage, "clientAuth"}}, .dns_names = {host}}, &root);
  Issued weak = server_certificate(host, root, KeyKind::weak_rsa);
};
const World& world() {
  static const World made;
  return made;
}

std::string der_of(const Issued& issued) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(issued.certificate.get(), &der);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

std::string key_of(const Issued& issued) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issued.certificate.get()), &der);
  std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

TlsaRecord record(int usage, int selector, int matching_type, const Issued& issued) {
  std::string data = selector == 0 ? der_of(issued) : key_of(issued);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (matching_type != 0) {
    EVP_Digest(data.data(), data.size(), digest, &length,
               matching_type == 1 ? EVP_sha256() : EVP_sha512(), nullptr);
    data.assign(reinterpret_cast<char*>(digest), length);
  }
  return {static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector),
          static_cast<std::uint8_t>(matching_type), data};
}

TlsaRecord wrong(int usage, int selector, int matching_type) {
  return {static_cast<std::uint8_t>(usage), static_cast<std::uint8_t>(selector),
          static_cast<std::uint8_t>(matching_type), std::string(matching_type == 1 ? 32 : 64, 'x')};
}

using Records = std::vector<TlsaRecord>;

struct Case {
  const char* name;
  std::string (*shown)();
  Records (*records)();
  const char* reason;  // nullptr: verified
};

constexpr auto good = [] { return world().good.both() + world().root.pem(); };
constexpr const char* no_match = "no matching DANE TLSA records";

const Case cases[] = {
    // The server itself.
    {"KeySha256", good, [] { return Records{record(3, 1, 1, world().good)}; }, nullptr},
    {"KeySha512", good, [] { return Records{record(3, 1, 2, world().good)}; }, nullptr},
    {"KeyWhole", good, [] { return Records{record(3, 1, 0, world().good)}; }, nullptr},
    {"CertificateSha256", good, [] { return Records{record(3, 0, 1, world().good)}; }, nullptr},
    {"CertificateSha512", good, [] { return Records{record(3, 0, 2, world().good)}; }, nullptr},
    {"CertificateWhole", good, [] { return Records{record(3, 0, 0, world().good)}; }, nullptr},
    {"OtherCertificate", good, [] { return Records{record(3, 0, 1, world().other_name)}; },
     no_match},
    {"WrongDigest", good, [] { return Records{wrong(3, 1, 1)}; }, no_match},
    {"NameDoesNotMatter", [] { return world().other_name.both(); },
     [] { return Records{record(3, 1, 1, world().other_name)}; }, nullptr},
    {"DatesDoNotMatter", [] { return world().expired.both(); },
     [] { return Records{record(3, 0, 1, world().expired)}; }, nullptr},
    {"PurposeDoesNotMatter", [] { return world().for_clients.both(); },
     [] { return Records{record(3, 0, 1, world().for_clients)}; }, nullptr},
    {"OldKey", [] { return world().weak.both(); },
     [] { return Records{record(3, 1, 1, world().weak)}; }, nullptr},
    {"AuthorityIsNotTheServer", good, [] { return Records{record(3, 0, 1, world().root)}; },
     no_match},
    // Its authority.
    {"Authority", good, [] { return Records{record(2, 0, 1, world().root)}; }, nullptr},
    {"AuthoritysKey", good, [] { return Records{record(2, 1, 2, world().root)}; }, nullptr},
    {"AuthorityNotSent", [] { return world().good.both(); },
     [] { return Records{record(2, 0, 1, world().root)}; }, no_match},
    {"AuthorityWhole", [] { return world().good.both(); },
     [] { return Records{record(2, 0, 0, world().root)}; }, nullptr},
    {"AuthoritysKeyWhole", [] { return world().good.both(); },
     [] { return Records{record(2, 1, 0, world().root)}; }, nullptr},
    {"InTheMiddle", [] { return world().of_middle.both() + world().middle.pem(); },
     [] { return Records{record(2, 0, 1, world().middle)}; }, nullptr},
    {"AboveTheMiddle",
     [] { return world().of_middle.both() + world().middle.pem() + world().root.pem(); },
     [] { return Records{record(2, 0, 1, world().root)}; }, nullptr},
    {"OtherAuthority", good, [] { return Records{record(2, 0, 1, world().other_root)}; }, no_match},
    {"ServersOwnAsAuthority", good, [] { return Records{record(2, 0, 1, world().good)}; },
     no_match},
    {"NameOfTheDomain", [] { return world().of_domain.both() + world().root.pem(); },
     [] { return Records{record(2, 0, 1, world().root)}; }, nullptr},
    {"OtherName", [] { return world().other_name.both() + world().root.pem(); },
     [] { return Records{record(2, 0, 1, world().root)}; }, "hostname mismatch"},
    {"Expired", [] { return world().expired.both() + world().root.pem(); },
     [] { return Records{record(2, 0, 1, world().root)}; }, "certificate has expired"},
    {"Purpose", [] { return world().for_clients.both() + world().root.pem(); },
     [] { return Records{record(2, 0, 1, world().root)}; }, "unsuitable certificate purpose"},
    // Several.
    {"OneOfTwo", good,
     [] {
       return Records{wrong(3, 1, 1), record(3, 1, 1, world().good)};
     },
     nullptr},
    {"AuthorityBesideAWrongKey", good,
     [] {
       return Records{wrong(3, 1, 1), record(2, 0, 1, world().root)};
     },
     nullptr},
    {"KeyBesideAWrongAuthority", good,
     [] {
       return Records{wrong(2, 0, 1), record(3, 1, 1, world().good)};
     },
     nullptr},
    {"KeyWhateverTheName", [] { return world().other_name.both() + world().root.pem(); },
     [] {
       return Records{record(2, 0, 1, world().root), record(3, 1, 1, world().other_name)};
     },
     nullptr},
    {"StrongestDigestOnly", good,
     [] {
       return Records{record(3, 1, 1, world().good), wrong(3, 1, 2)};
     },
     no_match},
    {"StrongestDigestOfEachSelector", good,
     [] {
       return Records{record(3, 1, 1, world().good), wrong(3, 0, 2)};
     },
     nullptr},
};

class Dane : public testing::TestWithParam<std::tuple<Case, int>> {};

TEST_P(Dane, ByTable) {
  const auto& [tested, version] = GetParam();
  const Folder folder;
  const std::string shown = folder.file("shown.pem", tested.shown());
  auto client = ClientContext::create(
      {.server_name = host, .verification = Tlsa{tested.records(), host, {domain, ".org", ""}}});
  ASSERT_TRUE(client) << client.error().detail;
  const auto [met, name_sent, heard] = hello_from(*client, shown, version);
  ASSERT_TRUE(met.client) << met.client_error->detail;
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(name_sent, host);
  const bool verified = tested.reason == nullptr;
  EXPECT_EQ(met.client->server.state, verified ? State::verified : State::records_not_matched);
  EXPECT_EQ(met.client->server.reason, verified ? "" : tested.reason);
}

INSTANTIATE_TEST_SUITE_P(Tls, Dane,
                         testing::Combine(testing::ValuesIn(cases),
                                          testing::Values(TLS1_2_VERSION, TLS1_3_VERSION)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param).name) +
                                  (std::get<1>(tested.param) == TLS1_2_VERSION ? "Tls12" : "Tls13");
                         });

// The system's authorities vouch for nobody here.
TEST(DaneClient, NobodyElseIsAsked) {
  const Folder folder;
  const std::string authorities = folder.file("system.pem", world().root.pem());
  ::setenv("SSL_CERT_FILE", authorities.c_str(), 1);
  const std::string shown = folder.file("shown.pem", good());
  auto client = ClientContext::create({.verification = Tlsa{{wrong(3, 1, 1)}, host, {}}});
  ASSERT_TRUE(client);
  const Meeting met = visit(*client, [&](int fd) {
    BarePeer peer(TLS_server_method());
    peer.show(shown);
    peer.open(fd);
    EXPECT_TRUE(peer.handshake());
  });
  ::unsetenv("SSL_CERT_FILE");
  ASSERT_TRUE(met.client);
  EXPECT_EQ(met.client->server.state, State::records_not_matched);
}

TEST(DaneClient, AServerWithoutCertificateMatchesNothing) {
  auto client =
      ClientContext::create({.verification = Tlsa{{record(3, 1, 1, world().good)}, host, {}},
                             .parameters = {.ciphers = {"AECDH-AES256-SHA:@SECLEVEL=0"}}});
  ASSERT_TRUE(client);
  const Meeting met = visit(*client, [&](int fd) {
    BarePeer peer(TLS_server_method());
    peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(peer.context(), "AECDH-AES256-SHA:@SECLEVEL=0");
    peer.open(fd);
    peer.handshake();
  });
  EXPECT_TRUE(met.client_error || met.client->server.state == State::records_not_matched);
}

// Without a record it would verify by the store, which is empty here but need not be.
TEST(DaneClient, NoRecordThatCountsIsAnError) {
  for (const Records& records : {Records{}, Records{{3, 1, 1, "short"}, {3, 1, 7, "x"}},
                                 Records{{3, 0, 0, "no certificate"}}}) {
    auto client = ClientContext::create({.verification = Tlsa{records, host, {}}});
    ASSERT_TRUE(client);
    const Meeting met = visit(*client, [&](int fd) {
      BarePeer peer(TLS_server_method());
      peer.open(fd);
      EXPECT_FALSE(peer.handshake());
    });
    ASSERT_FALSE(met.client);
    EXPECT_EQ(met.client_error->step, TlsError::Step::connection);
  }
}

TEST(DaneClient, WhatCanBeRead) {
  const std::string certificate = der_of(world().good);
  const std::string key = key_of(world().good);
  const struct {
    TlsaRecord record;
    bool readable;
  } records[] = {
      {{3, 0, 0, certificate}, true},
      {{3, 1, 0, key}, true},
      {{2, 0, 0, certificate}, true},
      {{3, 1, 0, certificate}, false},
      {{3, 0, 0, key}, false},
      {{3, 0, 0, ""}, false},
      {{3, 0, 0, certificate + "x"}, false},
      {{3, 1, 0, key + std::string(1, '\0')}, false},
      {{3, 0, 0, certificate.substr(1)}, false},
      {{3, 1, 0, key.substr(0, key.size() - 1)}, false},
  };
  for (const auto& [record, readable] : records) {
    EXPECT_EQ(is_readable(record), readable) << int{record.selector} << " " << record.data.size();
  }
}

}  // namespace
}  // namespace qmail::tls::test
