#include "qmail-smtpd/checkpassword.h"

#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

using std::string_literals::operator""s;
using Verdict = PasswordCheck::Verdict;

class Checkpassword : public testing::Test {
 protected:
  PasswordCheck check(const std::string& script, int seconds = 20) const {
    const std::string path = dir_.put("check", "#!/bin/sh\n" + script + "\n");
    EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
    return check_password({path, "an argument"}, credentials(),
                          Deadline::after(std::chrono::seconds(seconds)));
  }
  static Credentials credentials() { return {"joe", Secret("secret"), "<1.2@host>"}; }

  ScratchDir dir_;
};

TEST_F(Checkpassword, WhatItIsGiven) {
  const auto check = this->check("cat <&3 >'" + dir_.file("read") + "'; echo \"$#$1\" >'" +
                                 dir_.file("arguments") + "'");
  EXPECT_EQ(check.verdict, Verdict::good);
  EXPECT_EQ(check.reply, "235 ok, go ahead (#2.0.0)\r\n");
  EXPECT_EQ(dir_.get("read"), "joe\0secret\0<1.2@host>\0"s);
  EXPECT_EQ(dir_.get("arguments"), "1an argument\n");
}

TEST_F(Checkpassword, SuccessWantsThePasswordRead) {
  constexpr auto temporary = "454 temporary authentication failure (#4.3.0)\r\n";
  for (const std::string script :
       {"exit 0", "head -c 3 <&3 >/dev/null", "head -c 9 <&3 >/dev/null"}) {
    EXPECT_EQ(check(script).verdict, Verdict::trouble) << script;
    EXPECT_EQ(check(script).reply, temporary) << script;
  }
  EXPECT_EQ(check("head -c 10 <&3 >/dev/null").verdict, Verdict::good);  // not the challenge
}

TEST_F(Checkpassword, Ends) {
  struct Row {
    std::string script;
    Verdict verdict;
    std::string reply;
    std::string reason;
  };
  const std::string path = dir_.file("check");
  const Row rows[] = {
      {"cat <&3; exit 1", Verdict::refused, "535 authentication failed (#5.7.1)\r\n", ""},
      {"exit 3", Verdict::refused, "535 authentication failed (#5.7.1)\r\n", ""},
      {"exit 100", Verdict::refused, "535 authentication failed (#5.7.1)\r\n", ""},
      {"exit 255", Verdict::refused, "535 authentication failed (#5.7.1)\r\n", ""},
      {"exit 2", Verdict::trouble, "454 temporary authentication failure (#4.3.0)\r\n",
       path + ": exit status 2"},
      {"cat <&3; exit 111", Verdict::trouble, "454 temporary authentication failure (#4.3.0)\r\n",
       path + ": exit status 111"},
      {"exit 126", Verdict::trouble, "454 temporary authentication failure (#4.3.0)\r\n",
       path + ": exit status 126"},
      {"exit 127", Verdict::trouble, "454 temporary authentication failure (#4.3.0)\r\n",
       path + ": exit status 127"},
      {"kill -9 $$", Verdict::trouble, "454 oops, problem with child and I can't auth (#4.3.0)\r\n",
       path + " was killed by signal 9"},
  };
  for (const Row& row : rows) {
    const PasswordCheck check = this->check(row.script);
    EXPECT_EQ(check.verdict, row.verdict) << row.script;
    EXPECT_EQ(check.reply, row.reply) << row.script;
    EXPECT_EQ(check.reason, row.reason) << row.script;
  }
}

TEST_F(Checkpassword, AProgramThatHangs) {
  const PasswordCheck check = this->check("cat <&3 >/dev/null; exec sleep 60", 1);
  EXPECT_EQ(check.verdict, Verdict::trouble);
  EXPECT_EQ(check.reply, "454 temporary authentication failure (#4.3.0)\r\n");
  EXPECT_EQ(check.reason, dir_.file("check") + " did not end in time");
}

TEST_F(Checkpassword, AProgramThatIsNotThere) {
  const PasswordCheck check = check_password({"/nowhere/checkpassword"}, credentials(),
                                             Deadline::after(std::chrono::seconds(5)));
  EXPECT_EQ(check.verdict, Verdict::trouble);
  EXPECT_EQ(check.reply, "454 oops, child won't start and I can't auth (#4.3.0)\r\n");
  EXPECT_EQ(check.reason, "/nowhere/checkpassword: No such file or directory");
}

}  // namespace
}  // namespace qmail::smtpd
