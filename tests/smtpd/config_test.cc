#include "qmail-smtpd/config.h"

#include <string>

#include <gtest/gtest.h>

#include "qmail-smtpd/peer.h"
#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

class Config : public testing::Test {
 protected:
  Config() { dir_.put("me", "mx.example.net\n"); }
  SmtpdConfig read(const Switches& switches = {}) const {
    auto config = SmtpdConfig::read(ControlDir(dir_.path()), switches);
    EXPECT_TRUE(config.has_value());
    return *std::move(config);
  }

  ScratchDir dir_;
};

TEST_F(Config, Defaults) {
  const SmtpdConfig config = read();
  EXPECT_EQ(config.greeting, "mx.example.net");
  EXPECT_EQ(config.localhost, "mx.example.net");
  EXPECT_EQ(config.timeout.count(), 1200);
  EXPECT_EQ(config.databytes, 0U);
  EXPECT_FALSE(config.bad_senders.bars("x@y"));
  EXPECT_TRUE(*config.recipient_hosts.accept("x@y"));
}

TEST_F(Config, GreetingAndLocalHost) {
  dir_.put("smtpgreeting", "");
  dir_.put("localiphost", "local.example.net");
  EXPECT_EQ(read().greeting, "");
  EXPECT_EQ(read().localhost, "local.example.net");
  const ScratchDir nameless;
  nameless.put("smtpgreeting", "hello there");
  const auto config = SmtpdConfig::read(ControlDir(nameless.path()), {});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->greeting, "hello there");
  EXPECT_EQ(config->localhost, std::nullopt);
}

TEST_F(Config, Timeout) {
  struct Row {
    std::string content;
    long seconds;
  };
  for (const Row& row : {Row{"7\n", 7}, Row{"0", 1}, Row{"soon", 1200}, Row{"-1", 1200},
                         Row{"2147483647", 2147483647}, Row{"2147483648", 1}, Row{"4294967295", 1},
                         Row{"4294967298", 2}}) {
    dir_.put("timeoutsmtpd", row.content);
    EXPECT_EQ(read().timeout.count(), row.seconds) << row.content;
  }
}

TEST_F(Config, Databytes) {
  struct Row {
    std::string content;
    std::uint32_t bytes;
  };
  const Row rows[] = {{"100 bytes", 100},         {"0", 0},          {"lots", 0},
                      {"4294967295", 4294967294}, {"4294967296", 0}, {"", 0}};
  for (const Row& row : rows) {
    dir_.put("databytes", row.content);
    EXPECT_EQ(read().databytes, row.bytes) << row.content;
  }
  dir_.put("databytes", "55");
  for (const Row& row : rows) {
    Switches switches;
    switches.databytes = row.content;
    EXPECT_EQ(read(switches).databytes, row.bytes) << row.content;
  }
}

TEST_F(Config, WhatCannotBeReadIsNamed) {
  for (const std::string name : {"me", "smtpgreeting", "localiphost", "timeoutsmtpd", "rcpthosts",
                                 "badmailfrom", "databytes"}) {
    const ScratchDir dir;
    if (name != "me") dir.put("me", "mx.example.net\n");
    dir.put_directory(name);
    const auto config = SmtpdConfig::read(ControlDir(dir.path()), {});
    ASSERT_FALSE(config.has_value()) << name;
    EXPECT_EQ(config.error().file, dir.file(name));
    EXPECT_EQ(config.error().reason, "Is a directory");
  }
  const ScratchDir empty;
  EXPECT_EQ(SmtpdConfig::read(ControlDir(empty.path()), {}).error().file, empty.file("me"));
}

class Variables : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void set(const char* name, const char* value) { ASSERT_EQ(::setenv(name, value, 1), 0); }

 private:
  static void clear() {
    for (const char* name :
         {"TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPLOCALHOST", "TCPLOCALIP",
          "RELAYCLIENT", "DATABYTES", "QMAILQUEUE", "TLSCIPHERS", "SMTPS", "DEBUG"}) {
      ASSERT_EQ(::unsetenv(name), 0);
    }
  }
};

TEST_F(Variables, Unset) {
  const Peer peer = Peer::of_environment();
  const Switches found = Switches::of_environment();
  EXPECT_EQ(peer.remote_ip, "unknown");
  EXPECT_EQ(peer.remote_host, "unknown");
  EXPECT_EQ(peer.remote_info, std::nullopt);
  EXPECT_EQ(peer.local_name, "unknown");
  EXPECT_EQ(found.relayclient, std::nullopt);
  EXPECT_EQ(found.databytes, std::nullopt);
  EXPECT_EQ(found.queue_program, "bin/qmail-queue");
  EXPECT_EQ(found.tls_ciphers, std::nullopt);
  EXPECT_FALSE(found.tls_from_the_start);
}

TEST_F(Variables, EmptyIsAValueExceptForSmtps) {
  for (const char* name : {"TCPREMOTEIP", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPLOCALHOST",
                           "RELAYCLIENT", "DATABYTES", "QMAILQUEUE", "TLSCIPHERS", "SMTPS"}) {
    set(name, "");
  }
  set("TCPLOCALIP", "192.0.2.25");
  const Peer peer = Peer::of_environment();
  const Switches found = Switches::of_environment();
  EXPECT_EQ(peer.remote_ip, "");
  EXPECT_EQ(peer.remote_host, "");
  EXPECT_EQ(peer.remote_info, "");
  EXPECT_EQ(peer.local_name, "");  // TCPLOCALHOST, not TCPLOCALIP
  EXPECT_EQ(found.relayclient, "");
  EXPECT_EQ(found.databytes, "");
  EXPECT_EQ(found.queue_program, "");
  EXPECT_EQ(found.tls_ciphers, "");
  EXPECT_FALSE(found.tls_from_the_start);
}

TEST_F(Variables, TheLocalAddressStandsInForTheName) {
  set("TCPLOCALIP", "192.0.2.25");
  EXPECT_EQ(Peer::of_environment().local_name, "192.0.2.25");
  set("SMTPS", "0");
  EXPECT_TRUE(Switches::of_environment().tls_from_the_start);
}

}  // namespace
}  // namespace qmail::smtpd
