#include "qmail/child_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace qmail {
namespace {

// What a shell that does `script` says on its descriptor 7.
std::string said_by(const std::string& script, ChildSetup setup = {}) {
  auto pipe = make_pipe();
  EXPECT_TRUE(pipe);
  setup.arguments = {"/bin/sh", "-c", script, "sh"};
  setup.descriptors.push_back({pipe->write_end.get(), 7});
  auto child = ChildProcess::start(setup);
  EXPECT_TRUE(child);
  pipe->write_end.reset();
  std::string text;
  std::array<char, 1000> piece{};
  for (ssize_t got = 0; (got = ::read(pipe->read_end.get(), piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  EXPECT_EQ(*child->wait(), 0);
  return text;
}

TEST(ChildProcess, HasTheDescriptorsItIsGivenAndNoOther) {
  const auto marker = make_pipe();
  ASSERT_TRUE(marker);
  const std::string all = "for fd in /proc/$$/fd/*; do readlink $fd; done >&7";
  std::array<char, 100> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(marker->read_end.get());
  ASSERT_GT(::readlink(link.c_str(), name.data(), name.size() - 1), 0);
  EXPECT_EQ(said_by(all).find(name.data()), std::string::npos);
  ChildSetup setup;
  setup.descriptors = {{marker->read_end.get(), 5}};
  EXPECT_NE(said_by(all, setup).find(name.data()), std::string::npos);
}

TEST(ChildProcess, VariablesReplaceOurs) {
  ASSERT_EQ(::setenv("CHILD_TEST", "ours", 1), 0);
  ASSERT_EQ(::setenv("CHILD_TEST_TOO", "kept", 1), 0);
  ChildSetup setup;
  setup.variables = {"CHILD_TEST=theirs", "CHILD_NEW="};
  EXPECT_EQ(said_by("env | grep ^CHILD | sort >&7", setup),
            "CHILD_NEW=\nCHILD_TEST=theirs\nCHILD_TEST_TOO=kept\n");
}

TEST(ChildProcess, Signals) {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  // Bit 12 (SIGPIPE is 13) of what is ignored.
  const std::string ignored =
      "test $((0x$(sed -n 's/^SigIgn:\t//p' /proc/$$/status) & 0x1000)) != 0";
  EXPECT_EQ(said_by(ignored + " && echo ignored >&7; exit 0"), "ignored\n");
  ChildSetup setup;
  setup.default_signals = {SIGPIPE};
  EXPECT_EQ(said_by(ignored + " || echo default >&7; exit 0", setup), "default\n");
  static_cast<void>(std::signal(SIGPIPE, SIG_DFL));
}

TEST(ChildProcess, WhatCannotBeRunIsAnError) {
  EXPECT_EQ(ChildProcess::start({.arguments = {"/nonexistent"}}).error(), ENOENT);
  EXPECT_EQ(ChildProcess::start({.arguments = {"/etc/passwd"}}).error(), EACCES);
  EXPECT_EQ(ChildProcess::start({.arguments = {"no-such-program"}, .in_path = true}).error(),
            ENOENT);
  EXPECT_EQ(ChildProcess::start({.arguments = {"sh"}}).error(), ENOENT);  // not looked for
}

TEST(ChildProcess, IsLookedForInThePath) {
  auto child = ChildProcess::start({.arguments = {"sh", "-c", "exit 7"}, .in_path = true});
  ASSERT_TRUE(child);
  const auto status = child->wait();
  ASSERT_TRUE(status);
  EXPECT_EQ(WEXITSTATUS(*status), 7);
}

TEST(ChildProcess, IsKilledWhenTimeIsUp) {
  auto child = ChildProcess::start({.arguments = {"/bin/sh", "-c", "exec sleep 60"}});
  ASSERT_TRUE(child);
  const auto status = child->wait_until(Deadline::after(std::chrono::seconds(0)));
  ASSERT_TRUE(status);
  EXPECT_FALSE(status->has_value());
  EXPECT_EQ(::kill(child->pid(), 0), -1);  // and is no zombie

  child = ChildProcess::start({.arguments = {"/bin/sh", "-c", "exit 3"}});
  ASSERT_TRUE(child);
  const auto in_time = child->wait_until(Deadline::after(std::chrono::seconds(10)));
  ASSERT_TRUE(in_time && *in_time);
  EXPECT_EQ(WEXITSTATUS(**in_time), 3);
}

}  // namespace
}  // namespace qmail
