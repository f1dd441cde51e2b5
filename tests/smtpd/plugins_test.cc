#include "qmail-smtpd/plugins.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qmail::smtpd {
namespace {

using testing::ElementsAre;
using namespace std::string_literals;

TEST(PluginList, TheSecondLetterDecides) {
  const PluginList list(
      {"./stray", "[connection]", "a", "[Helo]", ":b c",  "[m]", "d",      "[pass]", "e",  "[",
       "f",       "[rcpt]",       "g", "h",      "[data", "i",   "[auth]", "j",      "[m", "k"});
  EXPECT_THAT(list.of(Section::connection), ElementsAre("a"));
  EXPECT_THAT(list.of(Section::helo), ElementsAre(":b c"));
  EXPECT_THAT(list.of(Section::mail), ElementsAre("d", "k"));
  EXPECT_THAT(list.of(Section::rcpt), ElementsAre("g", "h"));
  EXPECT_THAT(list.of(Section::data), ElementsAre("i"));
  EXPECT_THAT(list.of(Section::auth), ElementsAre("j"));
}

PluginAnswer said(const std::string& output) {
  PluginAnswer answer;
  take_plugin_output(output, answer);
  return answer;
}

TEST(PluginOutput, LettersThatEnd) {
  EXPECT_TRUE(said("A").ends_all);
  EXPECT_TRUE(said("A").ends);
  EXPECT_TRUE(said("N\n").ends);
  EXPECT_FALSE(said("N\n").overrides);
  EXPECT_TRUE(said("O\n").overrides);
  EXPECT_TRUE(said("O\n").ends);
  EXPECT_EQ(said("E550 no\nPnot read\n").refusal, "550 no\r\n");
  EXPECT_EQ(said("E550 no\nPnot read\n").said, "");
  EXPECT_EQ(said("R554 no").last_words, "554 no\r\n");
  EXPECT_EQ(said("D554 no").last_words, "");
  EXPECT_EQ(said("E").refusal, "451 qmail-spp failure: a reply without text (#4.3.0)\r\n");
  EXPECT_FALSE(said("").ends);
  EXPECT_FALSE(said("\n\nX\ne550 no\n250 ok\n").ends);
  EXPECT_FALSE(said("e550 no\n").refusal.has_value());
}

TEST(PluginOutput, LettersThatGoOn) {
  const PluginAnswer answer = said(
      "P250-one\nHX: y\nSA=b=c\nUB\nS=x\nSno\nCnew@example.org\nPtwo\nLM450 a\nlM451 b\nLr\nLd 5\n"
      "LHx\nL\n");
  EXPECT_FALSE(answer.ends);
  EXPECT_EQ(answer.said, "250-one\r\ntwo\r\n");
  EXPECT_THAT(answer.headers, ElementsAre("X: y\n"));
  ASSERT_EQ(answer.variables.size(), 2U);
  EXPECT_EQ(answer.variables[0], (std::pair<std::string, std::optional<std::string>>("A", "b=c")));
  EXPECT_EQ(answer.variables[1],
            (std::pair<std::string, std::optional<std::string>>("B", std::nullopt)));
  EXPECT_EQ(answer.address, "new@example.org");
  ASSERT_EQ(answer.later_refusals.size(), 3U);
  EXPECT_EQ(answer.later_refusals[0], std::pair(Section::mail, "450 a\r\n"s));
  EXPECT_EQ(answer.later_refusals[1].first, Section::rcpt);
  EXPECT_EQ(answer.later_refusals[2], std::pair(Section::data, " 5\r\n"s));
}

TEST(PluginOutput, IsBoundedAndClean) {
  EXPECT_EQ(said("E550 a\rb\tc\x7f\0d"s).refusal, "550 a?b?c??d\r\n");
  EXPECT_EQ(said("E" + std::string(2000, 'x')).refusal, std::string(900, 'x') + "\r\n");
  EXPECT_EQ(said("C" + std::string(2000, 'x')).address, std::string(899, 'x'));
  EXPECT_EQ(said("Ca\0b"s).address, "a?b");
  EXPECT_THAT(said("HX: y\rZ: z").headers, ElementsAre("X: y?Z: z\n"));
  EXPECT_EQ(said("SA=b\0c"s).variables[0].second, "b");
}

TEST(PluginOutput, OfSeveralPluginsIsOneAnswer) {
  PluginAnswer answer;
  take_plugin_output("Pone\nHa: 1\n", answer);
  take_plugin_output("Ptwo\nHb: 2\nCx\nO\n", answer);
  EXPECT_EQ(answer.said, "one\r\ntwo\r\n");
  EXPECT_THAT(answer.headers, ElementsAre("a: 1\n", "b: 2\n"));
  EXPECT_TRUE(answer.overrides);
}

}  // namespace
}  // namespace qmail::smtpd
