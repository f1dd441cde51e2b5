#include "qmail-remote/config.h"

#include <gtest/gtest.h>

#include "scratch.h"

namespace qmail::remote {
namespace {

TEST(RemoteConfigTest, DefaultsAndFiles) {
  const test::ScratchFolder folder;
  const ControlDir control(folder.path());
  ASSERT_FALSE(read_config(control));  // neither me nor helohost
  folder.write("me", "client.example.com \t\r\nsecond line\n");
  const auto plain = read_config(control);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->helohost, "client.example.com");
  EXPECT_EQ(plain->timeout_connect.count(), 60);
  EXPECT_EQ(plain->timeout_remote.count(), 1200);
  EXPECT_FALSE(*plain->routes.find("example.org"));

  folder.write("helohost", "");
  folder.write("timeoutconnect", "7 seconds\n");
  folder.write("timeoutremote", "-5\n");
  folder.write("smtproutes", "# none\nexample.org:relay:26\n");
  const auto full = read_config(control);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->helohost, "");  // there, so it wins
  EXPECT_EQ(full->timeout_connect.count(), 7);
  EXPECT_EQ(full->timeout_remote.count(), 1200);  // no leading digit
  const auto route = full->routes.find("example.org");
  ASSERT_TRUE(route && *route);
  EXPECT_EQ((*route)->port, 26);
}

TEST(RemoteConfigTest, WhatCannotBeReadIsNamed) {
  for (const char* name : {"me", "timeoutremote", "timeoutconnect", "helohost", "smtproutes",
                           "addresspreference", "outgoingip", "outgoingip6", "helohostbyip",
                           "mailparams", "pipelining", "tlsreport", "tlspolicy", "tlspolicymap"}) {
    const test::ScratchFolder folder;
    folder.write("me", "x\n");
    std::filesystem::remove(folder.path(name));
    std::filesystem::create_directory(folder.path(name));
    const auto config = read_config(ControlDir(folder.path()));
    ASSERT_FALSE(config) << name;
    EXPECT_EQ(std::get<ControlError>(config.error()).file, folder.path(name));
  }
}

TEST(RemoteConfigTest, AddressPreferenceByTable) {
  const std::pair<const char*, AddressPreference> cases[] = {
      {"ipv4", AddressPreference::v4_first},      {"ipv6\n", AddressPreference::v6_first},
      {"Any \r\n", AddressPreference::any_first}, {"ipv4only\nipv6\n", AddressPreference::v4_only},
      {"IPv6Only", AddressPreference::v6_only},   {"", AddressPreference::v4_first},
  };
  const test::ScratchFolder folder;
  folder.write("me", "x\n");
  const ControlDir control(folder.path());
  EXPECT_EQ(read_config(control)->address_preference, AddressPreference::v4_first);
  for (const auto& [text, wanted] : cases) {
    folder.write("addresspreference", text);
    const auto config = read_config(control);
    ASSERT_TRUE(config) << text;
    EXPECT_EQ(config->address_preference, wanted) << text;
  }
  for (const char* text : {"inet", "ipv4 ipv6", "4", "ipv4only,"}) {
    folder.write("addresspreference", text);
    const auto config = read_config(control);
    ASSERT_FALSE(config) << text;
    const auto& bad = std::get<BadLine>(config.error());
    EXPECT_EQ(bad.file + " " + std::to_string(bad.line) + " " + bad.reason,
              "addresspreference 1 unknown word " + std::string(text));
  }
}

TEST(RemoteConfigTest, WordsByTable) {
  const test::ScratchFolder folder;
  folder.write("me", "x\n");
  const ControlDir control(folder.path());
  const struct {
    const char* text;
    bool data;
    bool quit;
  } cases[] = {
      {"", false, false},
      {"data", true, false},
      {"QUIT\n", false, true},
      {"data quit\n", true, true},
      {"# both\n\n \tData\t \tQuit \r\n", true, true},
      {"data\nquit\ndata", true, true},
      {"#data\n", false, false},
  };
  EXPECT_FALSE(read_config(control)->pipelining.data);
  for (const auto& one : cases) {
    folder.write("pipelining", one.text);
    const auto config = read_config(control);
    ASSERT_TRUE(config) << one.text;
    EXPECT_EQ(config->pipelining.data, one.data) << one.text;
    EXPECT_EQ(config->pipelining.quit, one.quit) << one.text;
  }
  const std::pair<const char*, const char*> bad_lines[] = {
      {"all", "1 unknown word all"},
      {"data, quit", "1 unknown word data,"},
      {"# a\ndata\nquit dataquit", "3 unknown word dataquit"},
      {"data # and QUIT", "1 unknown word #"},
  };
  for (const auto& [text, wanted] : bad_lines) {
    folder.write("pipelining", text);
    const auto config = read_config(control);
    ASSERT_FALSE(config) << text;
    const auto& bad = std::get<BadLine>(config.error());
    EXPECT_EQ(bad.file, "pipelining");
    EXPECT_EQ(std::to_string(bad.line) + " " + bad.reason, wanted);
  }
}

TEST(RemoteConfigTest, MailParameters) {
  const test::ScratchFolder folder;
  folder.write("me", "x\n");
  const ControlDir control(folder.path());
  EXPECT_FALSE(read_config(control)->parameters.size);
  folder.write("mailparams", "Size\nSMTPUTF8\n");
  EXPECT_TRUE(read_config(control)->parameters.size);
  EXPECT_FALSE(read_config(control)->parameters.eight_bit);
  EXPECT_TRUE(read_config(control)->parameters.smtputf8);
  folder.write("mailparams", "8bitmime");
  EXPECT_TRUE(read_config(control)->parameters.eight_bit);
  folder.write("mailparams", "size\nbody");
  const auto config = read_config(control);
  ASSERT_FALSE(config);
  EXPECT_EQ(std::get<BadLine>(config.error()).line, 2U);
  EXPECT_EQ(std::get<BadLine>(config.error()).reason, "unknown word body");
}

TEST(RemoteConfigTest, TlsInTheReport) {
  const test::ScratchFolder folder;
  folder.write("me", "x\n");
  const ControlDir control(folder.path());
  EXPECT_FALSE(read_config(control)->tls_words);
  const std::pair<const char*, bool> cases[] = {
      {"", false}, {"\n1\n", false}, {"0\n", false}, {"1", true}, {"yes\n", true}, {"00\n", true},
  };
  for (const auto& [text, wanted] : cases) {
    folder.write("tlsreport", text);
    EXPECT_EQ(read_config(control)->tls_words, wanted) << text;
  }
}

TEST(RemoteConfigTest, PolicyMap) {
  const test::ScratchFolder folder;
  folder.write("me", "x\n");
  const ControlDir control(folder.path());
  EXPECT_FALSE(read_config(control)->policy_map);
  folder.write("tlspolicymap", "");
  EXPECT_FALSE(read_config(control)->policy_map);
  folder.write("tlspolicymap", "\ninet:127.0.0.1:8461:postfix\n");
  EXPECT_FALSE(read_config(control)->policy_map);
  folder.write("tlspolicymap", "inet:127.0.0.1:8461:postfix \r\nsecond line\n");
  const auto config = read_config(control);
  ASSERT_TRUE(config && config->policy_map);
  EXPECT_EQ(config->policy_map->map, "postfix");
  folder.write("tlspolicymap", "inet:localhost:8461:postfix\n");
  const auto bad = read_config(control);
  ASSERT_FALSE(bad);
  const auto& line = std::get<BadLine>(bad.error());
  EXPECT_EQ(line.file + " " + std::to_string(line.line) + " " + line.reason,
            "tlspolicymap 1 bad value");
}

TEST(RemoteConfigTest, SourceAddresses) {
  const test::ScratchFolder folder;
  folder.write("me", "x\n");
  const ControlDir control(folder.path());
  EXPECT_FALSE(read_config(control)->sources.v4);
  folder.write("outgoingip", "192.0.2.2 \r\n192.0.2.3\n");
  folder.write("outgoingip6", "::\n");
  folder.write("helohostbyip", "192.0.2.2:two.test\n");
  const auto config = read_config(control);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->sources.v4, parse_ip("192.0.2.2"));
  EXPECT_FALSE(config->sources.v6);
  EXPECT_FALSE(config->helohosts.empty());

  folder.write("outgoingip6", "192.0.2.2\n");
  EXPECT_EQ(std::get<BadSource>(read_config(control).error()).file, "outgoingip6");
  folder.write("outgoingip", "mail.example\n");
  EXPECT_EQ(std::get<BadSource>(read_config(control).error()).file, "outgoingip");
  folder.write("outgoingip", "");
  folder.write("outgoingip6", "");
  folder.write("helohostbyip", "two.test\n");
  EXPECT_EQ(std::get<BadLine>(read_config(control).error()).line, 1U);
}

}  // namespace
}  // namespace qmail::remote
