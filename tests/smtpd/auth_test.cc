#include "qmail-smtpd/auth.h"

#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "qmail-smtpd/auth_settings.h"
#include "qmail/base64.h"

namespace qmail::smtpd {
namespace {

using std::string_literals::operator""s;
using Fault = AuthExchange::Fault;
using Step = AuthExchange::Step;

constexpr Mechanism login = Mechanism::login;
constexpr Mechanism plain = Mechanism::plain;
constexpr Mechanism cram = Mechanism::cram_md5;
constexpr Mechanism external = Mechanism::external;

std::string asked(const Step& step) {
  const auto* ask = std::get_if<AuthExchange::Ask>(&step);
  return ask == nullptr ? "(nothing)" : ask->reply;
}

// "user/secret/challenge", or why not.
std::string got(const Step& step) {
  if (const auto* fault = std::get_if<Fault>(&step)) {
    return *fault == Fault::canceled ? "canceled" : "malformed";
  }
  const auto* credentials = std::get_if<Credentials>(&step);
  if (credentials == nullptr) return asked(step);
  return credentials->user + "/" + std::string(credentials->secret.view()) + "/" +
         credentials->challenge;
}

std::string answer(AuthExchange& exchange, const std::string& bytes) {
  const std::string line = base64_encoded(bytes);
  return got(exchange.answer({line}));
}

std::string plain_with(const std::string& bytes) {
  AuthExchange exchange(plain, "");
  return got(exchange.begin(base64_encoded(bytes)));
}

TEST(AuthMechanisms, Names) {
  EXPECT_EQ(find_mechanism("pLaIn"), plain);
  EXPECT_EQ(find_mechanism("CRAM-MD5"), cram);
  EXPECT_EQ(find_mechanism(""), std::nullopt);
  EXPECT_EQ(find_mechanism("PLAINX"), std::nullopt);
  EXPECT_EQ(method(cram), "cram-md5");
  EXPECT_EQ(keyword(external), "EXTERNAL");
}

TEST(AuthMechanisms, Plain) {
  AuthExchange exchange(plain, "");
  EXPECT_EQ(asked(exchange.begin(std::nullopt)), "334 \r\n");
  EXPECT_EQ(answer(exchange, "root\0joe\0secret"s), "joe/secret/");
  EXPECT_EQ(plain_with("\0joe\0se cret\xff"s), "joe/se cret\xff/");
  for (const std::string& bytes :
       {""s, "joe"s, "\0joe"s, "\0joe\0"s, "\0\0secret"s, "\0joe\0sec\0ret"s, "\0jo\ne\0secret"s,
        "\0jo\x7f\0secret"s, "\0jo\te\0secret"s}) {
    EXPECT_EQ(plain_with(bytes), "malformed") << testing::PrintToString(bytes);
  }
}

TEST(AuthMechanisms, Login) {
  AuthExchange exchange(login, "");
  EXPECT_EQ(asked(exchange.begin(std::nullopt)), "334 VXNlcm5hbWU6\r\n");
  EXPECT_EQ(answer(exchange, "joe"), "334 UGFzc3dvcmQ6\r\n");
  EXPECT_EQ(answer(exchange, "secret"), "joe/secret/");
  AuthExchange with_user(login, "");
  EXPECT_EQ(asked(with_user.begin(base64_encoded("joe"))), "334 UGFzc3dvcmQ6\r\n");
  EXPECT_EQ(answer(with_user, "sec\0ret"s), "malformed");
  AuthExchange no_user(login, "");
  EXPECT_EQ(got(no_user.begin("=")), "malformed");
  AuthExchange no_password(login, "");
  no_password.begin(base64_encoded("joe"));
  EXPECT_EQ(answer(no_password, ""), "malformed");
}

TEST(AuthMechanisms, CramMd5) {
  const std::string digest = "0123456789ABCDEF0123456789abcdef";
  const auto response = [](const std::string& text) {
    AuthExchange exchange(cram, "<1.2@host>");
    EXPECT_EQ(asked(exchange.begin(std::nullopt)), "334 " + base64_encoded("<1.2@host>") + "\r\n");
    return answer(exchange, text);
  };
  EXPECT_EQ(response("joe of here " + digest),
            "joe of here/0123456789abcdef0123456789abcdef/<1.2@host>");
  for (const std::string& text : {"joe"s, "joe abcd"s, " " + digest, "joe " + digest + "0",
                                  "joe g" + digest.substr(1), "joe " + digest + " "}) {
    EXPECT_EQ(response(text), "malformed") << text;
  }
  AuthExchange exchange(cram, "<1.2@host>");
  EXPECT_EQ(got(exchange.begin(base64_encoded("joe " + digest))), "malformed");
}

TEST(AuthMechanisms, External) {
  AuthExchange initial(external, "");
  EXPECT_EQ(got(initial.begin("=")), "//");
  for (const std::string line : {"", "="}) {
    AuthExchange exchange(external, "");
    EXPECT_EQ(asked(exchange.begin(std::nullopt)), "334 \r\n");
    EXPECT_EQ(got(exchange.answer({line})), "//");
  }
  AuthExchange named(external, "");
  EXPECT_EQ(got(named.begin(base64_encoded("joe@here"))), "joe@here//");
  AuthExchange odd(external, "");
  EXPECT_EQ(got(odd.begin(base64_encoded("jo\0e"s))), "malformed");
}

TEST(AuthMechanisms, LinesThatEndIt) {
  struct Row {
    CommandLine line;
    std::string what;
  };
  const std::string long_line(AuthExchange::longest_line + 4, 'A');
  const Row rows[] = {{{"*"}, "canceled"},
                      {{"*\r"}, "canceled"},
                      {{""}, "malformed"},
                      {{"\r"}, "malformed"},
                      {{"="}, "malformed"},
                      {{"* "}, "malformed"},
                      {{"AGpvZQBzZWNyZXQ"}, "malformed"},  // no padding
                      {{"AGpvZQBz ZWNyZXQ="}, "malformed"},
                      {{std::string_view("AGpvZQBzZWNyZXQ=\0", 17)}, "malformed"},
                      {{"AGpvZQBzZWNyZXQ=\r"}, "joe/secret/"},
                      {{"AGpvZQBzZWNyZXQ=", true}, "malformed"},  // there was more
                      {{long_line}, "malformed"}};
  for (const Row& row : rows) {
    AuthExchange exchange(plain, "");
    exchange.begin(std::nullopt);
    EXPECT_EQ(got(exchange.answer(row.line)), row.what) << row.line.text;
  }
}

TEST(AuthMechanisms, FiveHundredTwelveBytesAndNoMore) {
  const std::string password(512 - 3 - 3, 'p');
  EXPECT_EQ(plain_with("\0joe\0"s + password), "joe/" + password + "/");
  EXPECT_EQ(plain_with("\0joe\0"s + password + "p"), "malformed");
  // The challenge counts as well.
  AuthExchange exchange(cram, "<" + std::string(470, '1') + ">");
  exchange.begin(std::nullopt);
  EXPECT_EQ(answer(exchange, "joe123 " + std::string(32, 'a')), "malformed");
}

// --- what the run script asks for ---

struct Asked {
  std::vector<std::string> arguments;
  std::optional<std::string> smtpauth;
  std::string offered;  // of those that need nothing more
  bool known = true;
  bool demanded = false;
  std::string host{};
};

TEST(AuthSettings, ArgumentsAndSmtpauth) {
  const Asked rows[] = {
      {{}, {}, "", false},
      {{"/bin/true"}, {}, "", false},
      {{"checkpassword", "true"}, {}, "LOGIN PLAIN"},
      {{"mx.example.net", "checkpassword", "true"},
       {},
       "LOGIN PLAIN",
       true,
       false,
       "mx.example.net"},
      {{"/usr/bin/check.password", "a", "b"}, {}, "LOGIN PLAIN"},
      {{"mx.example.net", "true"}, {}, "LOGIN PLAIN"},  // a program, then, and judged as one
      {{"checkpassword", "true"}, "-", ""},
      {{"checkpassword", "true"}, "0", ""},
      {{"checkpassword"}, "", "LOGIN PLAIN"},
      {{"checkpassword"}, "!", "LOGIN PLAIN", true, true},
      {{"checkpassword"}, "Cram-md5", "CRAM-MD5"},
      {{"checkpassword"}, "+CRAM", "LOGIN PLAIN CRAM-MD5"},
      {{"checkpassword"}, "!+cram", "LOGIN PLAIN CRAM-MD5", true, true},
      {{"checkpassword"}, "External", "EXTERNAL"},
      {{"checkpassword"}, "!+external", "LOGIN PLAIN EXTERNAL", true, true},
      {{}, "+external", "EXTERNAL"},
      {{}, "", ""},
      {{"checkpassword"}, "TLSREQUIRED", "LOGIN PLAIN"},
      {{"checkpassword"}, "yes", "LOGIN PLAIN"},
      {{"checkpassword"}, "!yes", "LOGIN PLAIN", true, true},
      {{"checkpassword"}, "!-", "", true, true},
  };
  for (const Asked& row : rows) {
    const AuthSettings found = AuthSettings::of(row.arguments, row.smtpauth);
    std::string offered;
    for (const Mechanism mechanism : found.mechanisms) {
      if (!found.can(mechanism)) continue;
      offered.append(offered.empty() ? "" : " ").append(keyword(mechanism));
    }
    const std::string what =
        testing::PrintToString(row.arguments) + row.smtpauth.value_or("(unset)");
    EXPECT_EQ(offered, row.offered) << what;
    EXPECT_EQ(found.known, row.known) << what;
    EXPECT_EQ(found.demanded, row.demanded) << what;
    EXPECT_EQ(found.host, row.host) << what;
    EXPECT_EQ(found.can_any(), !row.offered.empty()) << what;
  }
}

TEST(AuthSettings, Warnings) {
  EXPECT_EQ(AuthSettings::of({}, "").warning,
            "warning: SMTPAUTH is set, but no checkpassword program is given");
  EXPECT_EQ(AuthSettings::of({}, "+external").warning,
            "warning: SMTPAUTH is set, but no checkpassword program is given");
  EXPECT_EQ(AuthSettings::of({}, "external").warning, std::nullopt);
  EXPECT_EQ(AuthSettings::of({}, "-").warning, std::nullopt);
  EXPECT_EQ(AuthSettings::of({"x"}, "!Maybe").warning, "warning: SMTPAUTH: !Maybe is not known");
  EXPECT_EQ(AuthSettings::of({"x", "y"}, std::nullopt).warning, std::nullopt);
}

}  // namespace
}  // namespace qmail::smtpd
