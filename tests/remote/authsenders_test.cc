#include "qmail-remote/authsenders.h"

#include <string>

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

std::string found(const AuthSenders& senders, std::string_view sender) {
  const auto result = senders.find(sender);
  if (!result) return result.error().reason;
  const auto& route = *result;
  if (!route) return "none";
  std::string text = route->relay + " " + std::to_string(route->port);
  if (route->login) text.append(" ").append(route->login->credentials.user.view());
  return text;
}

TEST(AuthSenders, ByTable) {
  const AuthSenders senders(
      parse_numbered_list("me@from.test:one:587|joe|pw\n@from.test:two\n"
                          ".deep.test:three|u|p\n@own.test:\nme@bad.test:x|u\n"
                          "@from.test:four\n"));
  const std::pair<const char*, const char*> cases[] = {
      {"me@from.test", "one 587 joe"},
      {"Me@From.Test", "one 587 joe"},
      {"you@from.test", "four 25"},  // of equal keys the last
      {"x@a.deep.test", "three 25 u"},
      {"x@a.b.deep.test", "three 25 u"},
      {"x@deep.test", "none"},
      {"x.deep.test", "three 25 u"},
      {"x@own.test", "none"},  // smtproutes counts
      {"me@bad.test", "no password"},
      {"else@bad.test", "none"},
      {"", "none"},
      {"nobody", "none"},
  };
  for (const auto& [sender, route] : cases) EXPECT_EQ(found(senders, sender), route) << sender;
  EXPECT_FALSE(senders.line_without_colon());
}

TEST(AuthSenders, TheEmptyKeyIsEverybody) {
  const AuthSenders senders(parse_numbered_list(":relay|u|p\n@from.test:\n"));
  EXPECT_EQ(found(senders, ""), "relay 25 u");
  EXPECT_EQ(found(senders, "x@y"), "relay 25 u");
  EXPECT_EQ(found(senders, "x@from.test"), "none");
  const auto route = senders.find("a b@y");
  ASSERT_TRUE(route && *route);
  EXPECT_EQ((*route)->login->why, "control/authsenders has a password for a?b@y");
}

TEST(AuthSenders, ALineWithoutColon) {
  const AuthSenders senders(parse_numbered_list("# x\n\na@b:relay\nc@d|joe|pw\n"));
  const auto bad = senders.line_without_colon();
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->file + " " + std::to_string(bad->line) + " " + bad->reason,
            "authsenders 4 no colon");
}

}  // namespace
}  // namespace qmail::remote
