// The words of a TLS policy, and which line of control/tlspolicy counts.
#include "qmail-remote/policy_words.h"

#include <gtest/gtest.h>

#include "qmail-remote/policy_file.h"

namespace qmail::remote {
namespace {

const std::string digits(64, 'a');
const std::string with_colons = [] {
  std::string text = "AA";
  for (int i = 0; i < 31; ++i) text += ":aA";
  return text;
}();

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "" : "+") + one;
  return text;
}

// LEVEL, what is to match, the file, SNI; or what is wrong.
std::string read(const std::string& text) {
  const auto words = parse_policy(text);
  if (!words) return "bad: " + words.error();
  std::string result(name_of(words->level));
  for (const std::string& part :
       {joined(words->match), joined(words->fingerprints), words->tafile, words->servername}) {
    if (!part.empty()) result += " " + part;
  }
  return result;
}

TEST(PolicyWords, ByTable) {
  const std::pair<std::string, std::string> cases[] = {
      {"none", "none"},
      {"none whatever=x match=y", "none"},
      {"may", "may"},
      {" \t,May,", "may"},
      {"encrypt", "encrypt"},
      {"verify", "verify"},
      {"secure", "secure"},
      {"dane", "dane"},
      {"DANE-only servername=a.test", "dane-only a.test"},
      {"secure match=a.test:.b.test:nexthop", "secure a.test+.b.test+nexthop"},
      {"secure:match=b.test", "secure b.test"},
      {"secure MATCH=a.test,match=b.test.", "secure a.test+b.test."},
      {"verify tafile=/etc/x.pem match=hostname", "verify hostname /etc/x.pem"},
      {"may servername=nexthop", "may nexthop"},
      {"encrypt\tconnection_reuse=no enable_rpk= policy_ttl=1 mx_host_pattern=*.x", "encrypt"},
      {"fingerprint match=" + digits, "fingerprint " + digits},
      {"fingerprint match=" + with_colons + "|" + digits, "fingerprint " + digits + "+" + digits},
      {"fingerprint match=" + digits + digits, "fingerprint " + digits + digits},
      {"fingerprint match=" + digits + " match=" + digits.substr(0, 32) + digits,
       "fingerprint " + digits + "+" + digits.substr(0, 32) + digits},

      {"", "bad: unknown level "},
      {":may", "bad: unknown level "},
      {"secured", "bad: unknown level secured"},
      {"may policy_type=sts { policy_string = mode: enforce } policy_ttl=1", "may"},
      {"secure { match = a.test } {policy_string = mx: *.b, c}", "secure a.test"},
      {"may {policy_string=}", "may"},
      {"half-dane", "bad: unknown level half-dane"},
      {"may { foo = bar }", "bad: unknown attribute foo"},
      {"may { = bar }", "bad: unknown attribute "},
      {"may {}", "bad: unknown attribute "},
      {"may {", "bad: unknown attribute {"},
      {"may }", "bad: unknown attribute }"},
      {"may { servername = a b }", "bad: bad value of servername"},
      {"secure { match = a b }", "bad: bad value of match"},
      {"may:;", "bad: unknown attribute ;"},
      {"may :servername=x", "bad: unknown attribute :servername"},
      {"encrypt foo=bar", "bad: unknown attribute foo"},
      {"encrypt ciphers=high", "bad: unknown attribute ciphers"},
      {"encrypt protocols=", "bad: unknown attribute protocols"},
      {"encrypt exclude=x", "bad: unknown attribute exclude"},
      {"secure web.test", "bad: unknown attribute web.test"},
      {"may match=a", "bad: match does not go with may"},
      {"encrypt match=a", "bad: match does not go with encrypt"},
      {"fingerprint match=" + digits + " tafile=x", "bad: tafile does not go with fingerprint"},
      {"may tafile=x", "bad: tafile does not go with may"},
      {"dane match=a", "bad: match does not go with dane"},
      {"dane-only tafile=a", "bad: tafile does not go with dane-only"},
      {"dane_only", "bad: unknown level dane_only"},
      {"secure match=", "bad: bad value of match"},
      {"secure match=a:", "bad: bad value of match"},
      {"secure match=a::b", "bad: bad value of match"},
      {"secure match=*.a", "bad: bad value of match"},
      {"secure match=.", "bad: bad value of match"},
      {"secure match=..a", "bad: bad value of match"},
      {"secure tafile=", "bad: bad value of tafile"},
      {"secure tafile=a tafile=b", "bad: tafile is given twice"},
      {"may servername=", "bad: bad value of servername"},
      {"may servername=.a", "bad: bad value of servername"},
      {"may servername=a servername=a", "bad: servername is given twice"},
      {"fingerprint", "bad: no fingerprint"},
      {"fingerprint match=" + std::string(40, 'a'), "bad: bad value of match"},  // SHA-1
      {"fingerprint match=" + std::string(32, 'a'), "bad: bad value of match"},
      {"fingerprint match=" + digits + "|", "bad: bad value of match"},
      {"fingerprint match=" + digits + ":", "bad: bad value of match"},
      {"fingerprint match=" + with_colons + ":", "bad: bad value of match"},
      {"fingerprint match=aa:" + digits.substr(2), "bad: bad value of match"},
      {"fingerprint match=g" + digits.substr(1), "bad: bad value of match"},
      {"fingerprint match=" + digits + "a", "bad: bad value of match"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(read(text), expected) << text;
}

std::string found(std::string_view text, std::string_view destination) {
  const auto file = PolicyFile::read(parse_numbered_list(text));
  if (!file) return "line " + std::to_string(file.error().line) + " " + file.error().reason;
  const auto line = file->find(destination);
  if (!line) return "line " + std::to_string(line.error().line) + " " + line.error().reason;
  if (!*line) return "nothing";
  return std::string(name_of((*line)->policy.level)) + ((*line)->is_default ? " by default" : "");
}

TEST(PolicyFile, ByTable) {
  constexpr std::string_view lines =
      "# first\n"
      "a.test:none\n"
      ".a.test:encrypt\n"
      ".b.A.test:verify\n"
      "\n"
      "[192.0.2.1]:none\n"
      "[2001:db8::1]:verify\n"
      "192.0.2.2:none\n"
      ".2:none\n"
      "bad.test:sometimes\n"
      "twice.test:sometimes\n"
      "Twice.Test:none\n"
      "a.test:secure\n";
  const std::pair<const char*, const char*> cases[] = {
      {"a.test", "secure"},
      {"x.a.test", "encrypt"},
      {"b.a.test", "encrypt"},
      {"x.b.a.test", "verify"},
      {"x.y.b.a.test", "verify"},
      {"xa.test", "nothing"},
      {"test", "nothing"},
      {"", "nothing"},
      {"[192.0.2.1]", "none"},
      {"192.0.2.1", "nothing"},
      {"[2001:db8::1]", "verify"},
      {"192.0.2.2", "none"},
      {"192.0.3.2", "nothing"},  // no name: nothing is below anything
      {"bad.test", "line 10 unknown level sometimes"},
      {"twice.test", "none"},
  };
  for (const auto& [destination, expected] : cases) {
    EXPECT_EQ(found(lines, destination), expected) << destination;
    const std::string_view by_default =
        expected == std::string("nothing") ? std::string_view("may by default") : expected;
    EXPECT_EQ(found(std::string(lines) + ":may\n", destination), by_default) << destination;
  }
}

TEST(PolicyFile, ALineOfWhichNobodyKnowsWhomItIsFor) {
  EXPECT_EQ(found("a.test:may\nb.test secure\n", "a.test"), "line 2 no colon");
  EXPECT_EQ(found("[::1]secure\n", "a.test"), "line 1 no colon");
  EXPECT_EQ(found(std::string_view("a.test:secure\0:x\n", 17), "a.test"), "line 1 bad value");
}

}  // namespace
}  // namespace qmail::remote
