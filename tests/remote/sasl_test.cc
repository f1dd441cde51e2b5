#include "qmail-remote/sasl.h"

#include <string>

#include <gtest/gtest.h>

#include "qmail/base64.h"

namespace qmail::remote {
namespace {

Credentials joe(std::string_view password = "pa|ss:w ord") {
  return {Secret("joe"), Secret(password)};
}

std::optional<std::string> no_hmac(std::string_view, std::string_view) { return std::nullopt; }
// Its arguments, so that they are seen.
std::optional<std::string> shown_hmac(std::string_view key, std::string_view text) {
  return std::string(key) + "," + std::string(text);
}

std::string decoded(const std::optional<Secret>& line) {
  return line ? base64_decoded(line->view()).value_or("no base64") : "none";
}

TEST(Sasl, ChoosesByTable) {
  const struct {
    const char* offered;
    Channel channel;
    const char* chosen;
  } cases[] = {
      {"LOGIN CRAM-MD5 PLAIN", Channel::tls, "plain"},
      {"gssapi Login cram-md5", Channel::tls, "login"},
      {"CRAM-MD5", Channel::tls, "cram-md5"},
      {"PLAIN LOGIN CRAM-MD5", Channel::clear, "cram-md5"},
      {"LOGIN\tPLAIN", Channel::clear, "plain"},
      {"LOGIN", Channel::clear, "login"},
      {"EXTERNAL", Channel::tls_with_certificate, "none"},
      {"", Channel::tls, "none"},
      {"PLAINX XLOGIN DIGEST-MD5", Channel::tls, "none"},
  };
  for (const auto& one : cases) {
    Mechanisms offered;
    offered.add(one.offered);
    const auto chosen = choose(offered, joe(), one.channel);
    EXPECT_EQ(chosen ? name_of(*chosen) : "none", one.chosen) << one.offered;
  }
  Mechanisms offered;
  offered.add("PLAIN EXTERNAL");
  EXPECT_EQ(choose(offered, {}, Channel::tls_with_certificate), Mechanism::external);
  EXPECT_FALSE(choose(offered, {}, Channel::tls));
  EXPECT_FALSE(choose(offered, {}, Channel::clear));
}

TEST(Sasl, Plain) {
  const Credentials who = joe();
  SaslExchange exchange(Mechanism::plain, who, no_hmac);
  EXPECT_EQ(exchange.command().view(),
            "AUTH PLAIN " + base64_encoded(std::string("\0joe\0pa|ss:w ord", 16)));
  EXPECT_FALSE(exchange.answer(""));  // it was sent already
}

// The line may have 510 bytes; what does not fit waits to be asked for.
TEST(Sasl, PlainInTwoLines) {
  for (const std::size_t size : {368U, 369U, 370U, 371U, 400U}) {
    const Credentials who = joe(std::string(size, 'p'));
    SaslExchange exchange(Mechanism::plain, who, no_hmac);
    const std::string message = std::string("\0joe\0", 5) + std::string(size, 'p');
    const bool fits = 11 + base64_encoded(message).size() <= 510;
    const Secret command = exchange.command();
    EXPECT_EQ(command.view() == "AUTH PLAIN", !fits) << size;
    if (!fits) {
      EXPECT_EQ(decoded(exchange.answer("")), message);
      EXPECT_FALSE(exchange.answer(""));
    }
  }
}

TEST(Sasl, Login) {
  const Credentials who = joe();
  SaslExchange exchange(Mechanism::login, who, no_hmac);
  EXPECT_EQ(exchange.command().view(), "AUTH LOGIN");
  EXPECT_EQ(decoded(exchange.answer("VXNlcm5hbWU6")), "joe");
  EXPECT_EQ(decoded(exchange.answer("whatever it says")), "pa|ss:w ord");
  EXPECT_FALSE(exchange.answer(""));
}

TEST(Sasl, CramMd5) {
  const Credentials who = joe("k");
  SaslExchange exchange(Mechanism::cram_md5, who, shown_hmac);
  EXPECT_EQ(exchange.command().view(), "AUTH CRAM-MD5");
  EXPECT_EQ(decoded(exchange.answer(base64_encoded("<1@x>"))), "joe 6b2c3c3140783e");
  EXPECT_FALSE(exchange.answer(base64_encoded("<1@x>")));
  for (const char* malformed : {"<1@x>", "abc", "ab=c", "A===", " "}) {
    SaslExchange another(Mechanism::cram_md5, who, shown_hmac);
    EXPECT_FALSE(another.answer(malformed)) << malformed;
  }
  SaslExchange without(Mechanism::cram_md5, who, no_hmac);
  EXPECT_FALSE(without.answer(base64_encoded("<1@x>")));
}

TEST(Sasl, External) {
  const Credentials nobody;
  SaslExchange exchange(Mechanism::external, nobody, no_hmac);
  EXPECT_EQ(exchange.command().view(), "AUTH EXTERNAL =");
  const auto answer = exchange.answer("");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->view(), "");
  EXPECT_FALSE(exchange.answer(""));
}

}  // namespace
}  // namespace qmail::remote
