// Names and addresses in certificates.
#include "tls/peer_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_pki.h"

namespace qmail::tls::test {
namespace {

using State = ServerCertificate::State;
using namespace std::string_literals;

struct Case {
  std::string host;
  std::vector<std::string> dns_names;
  std::vector<std::string> common_names;
  State state;
  std::string common_name{};
};

TEST(CompareName, Table) {
  const State yes = State::verified;
  const State no = State::no_matching_dns_name;
  const Case cases[] = {
      {"mx.example.org", {"mx.example.org"}, {}, yes},
      {"mx.example.org", {"MX.Example.ORG"}, {}, yes},
      {"MX.Example.ORG", {"mx.example.org"}, {}, yes},
      {"mx.example.org", {"a.example.org", "b.example.org", "mx.example.org"}, {"x"}, yes},
      {"mx.example.org", {"*.example.org"}, {}, yes},
      {"a.mx.example.org", {"*.example.org"}, {}, no},
      {"example.org", {"*.example.org"}, {}, no},
      {"example.org", {"*.org"}, {}, no},
      {"localhost", {"*"}, {}, no},
      {"mx.example.org", {"*"}, {}, no},
      {"mx.example.org", {"*.*.org"}, {}, no},
      {"mx.example.org", {"m*.example.org"}, {}, no},
      {"mx.example.org", {"*x.example.org"}, {}, no},
      {"mx.example.org", {"mx.*.org"}, {}, no},
      {"mx.example.org", {"mx.example.org."}, {}, no},
      {"mx.example.org", {"mx.example.org\0.evil.test"s}, {}, no},
      {"mx.example.org", {"xmx.example.org", "mx.example.orgx", "x.org"}, {}, no},
      {".example.org", {"mx.example.org"}, {}, no},
      {"", {"mx.example.org"}, {}, no},
      {"mx.example.org\0"s, {"mx.example.org"}, {}, no},  // found by fuzzing
      // A common name is not looked at beside a dNSName.
      {"mx.example.org", {"other.example.org"}, {"mx.example.org"}, no},
      {"mx.example.org", {}, {"mx.example.org"}, yes},
      {"mx.example.org", {}, {"*.example.org"}, yes},
      {"mx.example.org", {}, {"MX.EXAMPLE.ORG"}, yes},
      {"example.org", {}, {"*.org"}, State::other_common_name, "*.org"},
      {"mx.example.org", {}, {}, State::no_common_name},
      {"mx.example.org",
       {},
       {"first.example.org", "second.example.org"},
       State::other_common_name,
       "first.example.org"},
      {"mx.example.org",
       {},
       {"mx.example.org\0.evil.test"s},
       State::other_common_name,
       "mx.example.org\0.evil.test"s},
      {"", {}, {"mx.example.org"}, State::other_common_name, "mx.example.org"},
  };
  for (const Case& tested : cases) {
    Request request{.dns_names = tested.dns_names};
    for (const std::string& name : tested.common_names) {
      request.subject.emplace_back(NID_commonName, name);
    }
    const Issued issued = issue(request, nullptr);
    ServerCertificate result;
    compare_name(issued.certificate.get(), {std::string(tested.host)}, {}, result);
    EXPECT_EQ(result.state, tested.state)
        << tested.host << " against " << testing::PrintToString(tested.dns_names)
        << testing::PrintToString(tested.common_names);
    EXPECT_EQ(result.common_name, tested.common_name);
  }
}

TEST(CompareName, OtherAlternativeNamesLeaveItToTheCommonName) {
  const Issued issued = issue(
      {.subject = {{NID_commonName, "mx.example.org"}},
       .extensions = {{NID_subject_alt_name, "IP:192.0.2.1,email:postmaster@other.example.org"}}},
      nullptr);
  ServerCertificate result;
  compare_name(issued.certificate.get(), {"mx.example.org"}, {}, result);
  EXPECT_EQ(result.state, State::verified);
  compare_name(issued.certificate.get(), {"192.0.2.1"}, {}, result);
  EXPECT_EQ(result.state, State::other_common_name);
}

TEST(FirstEmail, IsThatOfTheSubjectByteForByte) {
  const auto email_of = [](const std::vector<std::string>& emails) {
    Request request{.extensions = {{NID_subject_alt_name, "email:alt@example.org"}}};
    for (const std::string& email : emails) {
      request.subject.emplace_back(NID_pkcs9_emailAddress, email);
    }
    return first_email(issue(request, nullptr).certificate.get());
  };
  EXPECT_EQ(email_of({}), std::nullopt);
  EXPECT_EQ(email_of({"a@example.org"}), "a@example.org");
  EXPECT_EQ(email_of({"A@Example.org", "b@example.org"}), "A@Example.org");
  EXPECT_EQ(email_of({"a@example.org\0.evil"s}), "a@example.org\0.evil"s);
  EXPECT_EQ(email_of({"a@example.org\nX: y"}), "a@example.org\nX: y");
}

TEST(CompareName, SeveralNamesAndWhatIsUnderThem) {
  const auto compared = [](const std::vector<std::string>& dns_names,
                           const std::vector<std::string>& hosts,
                           const std::vector<std::string>& domains) {
    Request request;
    request.dns_names = dns_names;
    const Issued issued = issue(request, nullptr);
    ServerCertificate result;
    compare_name(issued.certificate.get(), hosts, domains, result);
    return result.state == State::verified;
  };
  EXPECT_TRUE(compared({"b.test"}, {"a.test", "b.test"}, {}));
  EXPECT_FALSE(compared({"c.test"}, {"a.test", "b.test"}, {}));
  EXPECT_FALSE(compared({"b.test"}, {}, {}));
  EXPECT_TRUE(compared({"mx.b.test"}, {"a.test"}, {"b.test"}));
  EXPECT_TRUE(compared({"x.mx.b.test"}, {}, {"b.test"}));
  EXPECT_TRUE(compared({"*.b.test"}, {}, {"b.test"}));
  EXPECT_FALSE(compared({"b.test"}, {}, {"b.test"}));
  EXPECT_FALSE(compared({"xb.test"}, {}, {"b.test"}));
  EXPECT_FALSE(compared({"mx.b.test"}, {".b.test"}, {}));  // no host is called so
  EXPECT_FALSE(compared({"mx.b.test"}, {}, {""}));
}

TEST(Fingerprint, OfTheCertificateOrItsKey) {
  const Issued issued = authority("somebody");
  const auto digest = [](const EVP_MD* algorithm, const unsigned char* bytes, std::size_t size) {
    std::vector<unsigned char> value(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    EVP_Digest(bytes, size, value.data(), &length, algorithm, nullptr);
    std::string text;
    for (unsigned i = 0; i < length; ++i) {
      text += "0123456789abcdef"[value[i] / 16];
      text += "0123456789abcdef"[value[i] % 16];
    }
    return text;
  };
  X509* certificate = issued.certificate.get();
  unsigned char* whole = nullptr;
  unsigned char* key = nullptr;
  const auto whole_size = static_cast<std::size_t>(i2d_X509(certificate, &whole));
  const auto key_size = static_cast<std::size_t>(i2d_PUBKEY(X509_get0_pubkey(certificate), &key));
  for (const EVP_MD* algorithm : {EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    const std::string other(static_cast<std::size_t>(2 * EVP_MD_get_size(algorithm)), '0');
    const std::string of_whole = digest(algorithm, whole, whole_size);
    EXPECT_TRUE(has_fingerprint(certificate, {of_whole}));
    EXPECT_TRUE(has_fingerprint(certificate, {other, of_whole}));
    EXPECT_TRUE(has_fingerprint(certificate, {digest(algorithm, key, key_size)}));
    EXPECT_FALSE(has_fingerprint(certificate, {other}));
    EXPECT_FALSE(has_fingerprint(certificate, {of_whole.substr(2)}));
  }
  EXPECT_FALSE(has_fingerprint(certificate, {}));
  EXPECT_FALSE(has_fingerprint(certificate, {""}));
  OPENSSL_free(whole);
  OPENSSL_free(key);
}

TEST(OneLine, HidesWhatWouldBreakALine) {
  const Issued issued =
      issue({.subject = {{NID_organizationName, "a,b\r\nc\0d\x1b"s}, {NID_commonName, "\xc3\xa9"}}},
            nullptr);
  const std::string line = one_line(X509_get_subject_name(issued.certificate.get()));
  EXPECT_THAT(line, testing::HasSubstr("a\\,b\\0D\\0Ac"));
  for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
}

}  // namespace
}  // namespace qmail::tls::test
