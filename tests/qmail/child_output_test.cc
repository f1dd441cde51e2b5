#include "qmail/child_output.h"

#include <cerrno>
#include <chrono>
#include <string>
#include <sys/wait.h>

#include <gtest/gtest.h>

namespace qmail {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

Result<ChildOutput, int> run(const std::string& script, int descriptor = 1,
                             seconds time = seconds(20)) {
  return run_for_output({.arguments = {"/bin/sh", "-c", script}}, descriptor, 100,
                        Deadline::after(time));
}

TEST(ChildOutput, WhatItSaysAndHowItEnds) {
  const auto output = run("echo a; echo b; exit 7");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->text, "a\nb\n");
  ASSERT_TRUE(output->status);
  EXPECT_EQ(WEXITSTATUS(*output->status), 7);
  EXPECT_EQ(run("echo a; echo b >&4", 4)->text, "b\n");
  EXPECT_TRUE(WIFSIGNALED(*run("kill -9 $$")->status));
  EXPECT_EQ(run_for_output({.arguments = {"/nowhere"}}, 1, 9, Deadline::after(seconds(1))).error(),
            ENOENT);
}

TEST(ChildOutput, IsBounded) {
  const auto output = run("head -c 1000000 /dev/zero | tr '\\0' x; exit 3");
  ASSERT_TRUE(output && output->status);
  EXPECT_EQ(output->text, std::string(100, 'x'));
  EXPECT_EQ(WEXITSTATUS(*output->status), 3);
}

TEST(ChildOutput, WhoeverHangsIsKilled) {
  for (const char* script : {"exec sleep 60", "exec >&-; exec sleep 60", "yes"}) {
    const auto start = steady_clock::now();
    const auto output = run(script, 1, seconds(1));
    ASSERT_TRUE(output);
    EXPECT_FALSE(output->status) << script;
    EXPECT_LT(steady_clock::now() - start, seconds(10));
  }
}

TEST(ChildOutput, WhatItLeavesBehindIsNotWaitedFor) {
  const auto start = steady_clock::now();
  const auto output = run("echo last; sleep 30 & exit 5");
  ASSERT_TRUE(output && output->status);
  EXPECT_EQ(output->text, "last\n");
  EXPECT_EQ(WEXITSTATUS(*output->status), 5);
  EXPECT_LT(steady_clock::now() - start, seconds(15));
}

}  // namespace
}  // namespace qmail
