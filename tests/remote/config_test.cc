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
  EXPECT_FALSE(plain->routes.find("example.org"));

  folder.write("helohost", "");
  folder.write("timeoutconnect", "7 seconds\n");
  folder.write("timeoutremote", "-5\n");
  folder.write("smtproutes", "# none\nexample.org:relay:26\n");
  const auto full = read_config(control);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->helohost, "");  // there, so it wins
  EXPECT_EQ(full->timeout_connect.count(), 7);
  EXPECT_EQ(full->timeout_remote.count(), 1200);  // no leading digit
  ASSERT_TRUE(full->routes.find("example.org"));
  EXPECT_EQ(full->routes.find("example.org")->port, 26);
}

TEST(RemoteConfigTest, WhatCannotBeReadIsNamed) {
  for (const char* name : {"me", "timeoutremote", "timeoutconnect", "helohost", "smtproutes"}) {
    const test::ScratchFolder folder;
    folder.write("me", "x\n");
    std::filesystem::remove(folder.path(name));
    std::filesystem::create_directory(folder.path(name));
    const auto config = read_config(ControlDir(folder.path()));
    ASSERT_FALSE(config) << name;
    EXPECT_EQ(config.error().file, folder.path(name));
  }
}

}  // namespace
}  // namespace qmail::remote
