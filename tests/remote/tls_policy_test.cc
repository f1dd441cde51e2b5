#include "qmail-remote/tls_policy.h"

#include <unistd.h>

#include <gtest/gtest.h>

#include "scratch.h"

namespace qmail::remote {
namespace {

using Level = TlsPolicy::Level;

TEST(TlsPolicyTest, Precedence) {
  const char* pem = "tlshosts/mx.example.org.pem";
  const char* list = "tlshosts/exhaustivelist";
  const char* not_this = "notlshosts/mx.example.org";
  const struct {
    std::vector<const char*> files;
    const char* name;
    Level level;
  } cases[] = {
      {{}, "mx.example.org", Level::may},
      {{pem}, "mx.example.org", Level::verify},
      {{list}, "mx.example.org", Level::never},
      {{not_this}, "mx.example.org", Level::never},
      {{pem, list, not_this}, "mx.example.org", Level::verify},
      {{not_this}, "other.example.org", Level::may},
      {{pem, list}, "other.example.org", Level::never},
      {{pem}, "MX.Example.org", Level::verify},  // in lower case
      {{not_this}, "MX.Example.org", Level::never},
      {{"tlshosts/MX.Example.org.pem"}, "MX.Example.org", Level::verify},  // as given
      {{"tlshosts/MX.Example.org.pem"}, "mx.example.org", Level::may},
      {{pem}, "mx.example.org.", Level::verify},  // without its final dot
      {{pem}, "MX.example.org.", Level::verify},
      {{not_this}, "mx.example.org.", Level::never},
      {{"tlshosts/mx.example.org..pem"}, "mx.example.org.", Level::verify},
      // an address: no file demands TLS, but it can be forbidden
      {{}, "", Level::may},
      {{list}, "", Level::never},
      {{"notlshosts/192.0.2.1"}, "", Level::never},
      {{"tlshosts/192.0.2.1.pem", "tlshosts/.pem"}, "", Level::may},
      {{"secret.pem", "secret"}, "../secret", Level::may},
  };
  for (const auto& one : cases) {
    const test::ScratchFolder folder;
    std::string label = one.name;
    folder.write("tlshosts/unrelated", "");
    folder.write("notlshosts/unrelated", "");
    for (const char* file : one.files) {
      folder.write(file, "");
      label.append(" ").append(file);
    }
    const ControlDir control(folder.path());
    const auto policy = tls_policy(control, one.name, *parse_ip("192.0.2.1"));
    ASSERT_TRUE(policy) << label;
    EXPECT_EQ(policy->level, one.level) << label;
    EXPECT_EQ(policy->authorities.empty(), one.level != Level::verify) << label;
  }
}

TEST(TlsPolicyTest, NamesTheFileAsItIsSpelled) {
  const test::ScratchFolder folder;
  folder.write("tlshosts/mx.example.org.pem", "");
  const ControlDir control(folder.path());
  const auto address = *parse_ip("192.0.2.1");
  EXPECT_EQ(tls_policy(control, "MX.example.ORG", address)->authorities,
            folder.path("tlshosts/mx.example.org.pem"));
}

TEST(TlsPolicyTest, AFolderIsAFileToo) {
  const test::ScratchFolder folder;
  folder.write("notlshosts/mx.example.org/x", "");
  const auto address = *parse_ip("192.0.2.1");
  EXPECT_EQ(tls_policy(ControlDir(folder.path()), "mx.example.org", address)->level, Level::never);
}

// What cannot be looked at may be there: nothing goes out in the clear because of that.
TEST(TlsPolicyTest, WhatCannotBeSeenIsNoPermission) {
  const auto address = *parse_ip("192.0.2.1");
  const auto make_link = [](const std::string& from, const char* to) {
    ASSERT_EQ(::symlink(to, from.c_str()), 0);
  };
  for (const char* loop : {"tlshosts", "notlshosts"}) {
    const test::ScratchFolder folder;
    make_link(folder.path(loop), loop);
    const auto policy = tls_policy(ControlDir(folder.path()), "mx.example.org", address);
    ASSERT_FALSE(policy) << loop;
    EXPECT_EQ(policy.error().reason, "Too many levels of symbolic links");
  }
  const test::ScratchFolder folder;
  folder.write("tlshosts/unrelated", "");
  make_link(folder.path("tlshosts/mx.example.org.pem"), "nowhere");
  EXPECT_EQ(tls_policy(ControlDir(folder.path()), "mx.example.org", address)->level, Level::verify);
  const std::string long_name(255, 'a');  // with .pem it is longer than any file's name
  EXPECT_EQ(tls_policy(ControlDir(folder.path()), long_name, address)->level, Level::may);
}

}  // namespace
}  // namespace qmail::remote
