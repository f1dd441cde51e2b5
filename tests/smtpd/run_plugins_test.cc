#include "qmail-smtpd/run_plugins.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "qmail/environment.h"

namespace qmail::smtpd {
namespace {

PluginAnswer run(const std::vector<std::string>& programs) {
  return run_plugins(programs, {"SMTPMAILFROM=joe"}, std::chrono::seconds(10),
                     Log(-1, "192.0.2.7"));
}

TEST(RunPlugins, WhatOneSetsTheNextOneSees) {
  const PluginAnswer answer =
      run({":echo SPLUGIN_A=1; echo SPLUGIN_B=2", ":echo \"P$PLUGIN_A $PLUGIN_B\"; echo UPLUGIN_A",
           ":echo \"P${PLUGIN_A-none} $SMTPMAILFROM\"", ":echo N", ":echo Pnever"});
  EXPECT_EQ(answer.said, "1 2\r\nnone joe\r\n");
  EXPECT_FALSE(environment_variable("PLUGIN_A"));
  EXPECT_EQ(environment_variable("PLUGIN_B"), "2");  // qmail-queue sees it, too
  EXPECT_FALSE(environment_variable("SMTPMAILFROM"));
}

TEST(RunPlugins, TheyDoNotSeeTheClient) {
  const PluginAnswer answer =
      run({":readlink /proc/$$/fd/0 | sed s/^/P/; "
           "readlink /proc/$$/fd/1 | sed 's/^/P/; s/:.*//'"});
  EXPECT_EQ(answer.said, "/dev/null\r\npipe\r\n");
}

// What is said beyond the limit is dropped, and a program that is still at it need not wait.
TEST(RunPlugins, EndlessOutput) {
  const PluginAnswer answer = run({":head -c 10000000 /dev/zero | tr '\\0' x; echo; echo Plost"});
  EXPECT_EQ(answer.said, "");
  EXPECT_FALSE(answer.refusal);
}

TEST(RunPlugins, AFailureIsTheReply) {
  EXPECT_EQ(run({":echo Pa", "/nowhere", ":echo Pb"}).refusal,
            "451 qmail-spp failure: /nowhere: can't execute (#4.3.0)\r\n");
  EXPECT_EQ(run({":kill -9 $$"}).refusal,
            "451 qmail-spp failure: :kill -9 $$: child crashed (#4.3.0)\r\n");
  EXPECT_FALSE(run({":exit 111"}).refusal);
}

}  // namespace
}  // namespace qmail::smtpd
