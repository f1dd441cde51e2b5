// What is said about a destination: by control/tlspolicy, and by a policy server where it is asked.
#include "qmail-remote/domain_policy.h"

#include <gtest/gtest.h>

#include "map_server.h"

namespace qmail::remote {
namespace {

using std::chrono::seconds;
using test::MapServer;
using test::netstring;
using test::say;

RemoteConfig config_with(std::string_view lines, std::optional<SocketMap> map) {
  RemoteConfig config;
  config.policies = *PolicyFile::read(parse_numbered_list(lines));
  config.policy_map = std::move(map);
  return config;
}

// "secure by control/tlspolicy", "nothing", or the report.
std::string shown(const PolicyOrReport& policy) {
  if (!policy) {
    EXPECT_EQ(policy.error().status, MessageStatus::temporary);
    return policy.error().text;
  }
  if (!policy->said) return "nothing";
  const auto& [words, file] = *policy->said;
  std::string text(name_of(words.level));
  for (const std::string& name : words.match) text += " " + name;
  return text + " by " + std::string(file);
}

struct Asked {
  std::string policy;
  std::string question;
};

Asked asked(std::string_view lines, std::string_view host, const std::string& answer) {
  MapServer server([&](int fd) { say(fd, answer); });
  const std::string policy = shown(policy_for_domain(host, config_with(lines, server.map())));
  return {policy, server.question()};
}

constexpr std::string_view lines =
    "own.test:may\n"
    ".under.test:none\n"
    "bad.test:sometimes\n";

TEST(DomainPolicy, WhatTheServerSays) {
  const std::string unknown =
      "Unable to look up the TLS policy of a.test in control/tlspolicymap: ";
  const std::string unusable = "Unable to use the TLS policy from control/tlspolicymap: ";
  const std::pair<std::string, std::string> cases[] = {
      {netstring("OK secure match=mx.a.test:.a.test servername=hostname"),
       "secure mx.a.test .a.test by control/tlspolicymap"},
      {netstring("OK none"), "none by control/tlspolicymap"},
      {netstring("NOTFOUND "), "otherwise"},
      {netstring("TEMP try later"), unknown + "TEMP try later. (#4.4.3)\n"},
      {netstring("PERM a\nb"), unknown + "PERM a?b. (#4.4.3)\n"},
      {netstring("OK secured"), unusable + "unknown level secured. (#4.3.0)\n"},
      {netstring("OK "), unusable + "unknown level . (#4.3.0)\n"},
      {netstring("OK fingerprint"), unusable + "no fingerprint. (#4.3.0)\n"},
      {netstring("OK " + std::string(9000, 'x')),
       unusable + "unknown level " + std::string(486, 'x') + ". (#4.3.0)\n"},
      {netstring("MAYBE secure"), unknown + "malformed reply. (#4.4.3)\n"},
      {"12:OK may", unknown + "malformed reply. (#4.4.3)\n"},
      {"", unknown + "malformed reply. (#4.4.3)\n"},
  };
  for (const auto& [answer, wanted] : cases) {
    for (const std::string_view by_default : {"", ":encrypt\n", ":none\n"}) {
      const Asked got = asked(std::string(lines) + std::string(by_default), "A.Test.", answer);
      EXPECT_EQ(got.question, "14:postfix a.test,");
      std::string otherwise = "nothing";
      if (!by_default.empty()) {
        otherwise =
            std::string(by_default.substr(1, by_default.size() - 2)) + " by control/tlspolicy";
      }
      EXPECT_EQ(got.policy, wanted == "otherwise" ? otherwise : wanted) << answer;
    }
  }
}

// Nobody is there to be asked: to ask would be an error.
TEST(DomainPolicy, WhomNobodyAsksAbout) {
  const test::ScratchFolder folder;
  const SocketMap nobody{SocketMap::Unix{folder.path("none")}, "postfix"};
  const RemoteConfig config = config_with(lines, nobody);
  const std::pair<const char*, const char*> cases[] = {
      {"own.test", "may by control/tlspolicy"},
      {"Own.test.", "may by control/tlspolicy"},
      {"x.under.test", "none by control/tlspolicy"},
      {"bad.test", "Unable to use control/tlspolicy, line 3: unknown level sometimes. (#4.3.0)\n"},
      {"[192.0.2.1]", "nothing"},
      {"192.0.2.1", "nothing"},
      {"[IPv6:2001:db8::1]", "nothing"},
      {"", "nothing"},
      {"under.test",
       "Unable to look up the TLS policy of under.test in control/tlspolicymap: No such file or "
       "directory. (#4.4.3)\n"},
  };
  for (const auto& [host, wanted] : cases) {
    EXPECT_EQ(shown(policy_for_domain(host, config)), wanted) << host;
  }
  EXPECT_EQ(shown(policy_for_relay("a.test", config)), "nothing");
  EXPECT_EQ(shown(policy_for_relay("own.test.", config)), "may by control/tlspolicy");
  EXPECT_EQ(shown(policy_for_domain("a.test", config_with(lines, std::nullopt))), "nothing");
}

// What DNS says goes before it.
TEST(DomainPolicy, IsSecondToDane) {
  MapServer server([](int fd) { say(fd, netstring("OK secure match=mx.a.test")); });
  const auto policy = policy_for_domain("a.test", config_with(":dane\n", server.map()));
  ASSERT_TRUE(policy);
  EXPECT_EQ(shown(policy), "dane by control/tlspolicy");
  ASSERT_TRUE(policy->otherwise);
  EXPECT_EQ(policy->otherwise->words.match, std::vector<std::string>{"mx.a.test"});
  EXPECT_EQ(policy->otherwise->file, "control/tlspolicymap");
  EXPECT_EQ(asked("", "a.test", netstring("OK dane-only")).policy,
            "dane-only by control/tlspolicymap");
  const test::ScratchFolder folder;
  const SocketMap nobody{SocketMap::Unix{folder.path("none")}, "postfix"};
  EXPECT_EQ(shown(policy_for_domain("a.test", config_with(":dane-only\n", nobody))),
            "dane-only by control/tlspolicy");
}

// timeoutremote, where it is less than half a minute.
TEST(DomainPolicy, WaitsNoLongerThanForAReply) {
  MapServer server(test::wait_for_end);
  RemoteConfig config = config_with("", server.map());
  config.timeout_remote = seconds(1);
  EXPECT_EQ(shown(policy_for_domain("a.test", config)),
            "Unable to look up the TLS policy of a.test in control/tlspolicymap: timed out. "
            "(#4.4.3)\n");
}

}  // namespace
}  // namespace qmail::remote
