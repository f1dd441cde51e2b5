#include "qmail-tlscheck/findings.h"

#include <gtest/gtest.h>

namespace qmail::tlscheck {
namespace {

TEST(Findings, TheWorstOneIsTheExitStatus) {
  Findings findings;
  EXPECT_EQ(findings.exit_status(), 0);
  findings.ok("a", "b");
  EXPECT_EQ(findings.exit_status(), 0);
  findings.fail("a", "b");
  findings.warn("a", "b");
  EXPECT_EQ(findings.exit_status(), 2);
}

TEST(Findings, Printed) {
  Findings findings;
  EXPECT_EQ(printed(findings, Style::plain), "");
  EXPECT_EQ(printed(findings, Style::json), "[]\n");
  findings.ok("control/me", "fine");
  findings.warn("control/x", "a \"b\\c\xe9\n");
  EXPECT_EQ(printed(findings, Style::plain),
            "ok   control/me: fine\nwarn control/x: a \"b\\c\\xe9\\x0a\n");
  EXPECT_EQ(printed(findings, Style::json),
            "[\n  {\"level\": \"ok\", \"file\": \"control/me\", \"text\": \"fine\"},\n"
            "  {\"level\": \"warn\", \"file\": \"control/x\", \"text\": \"a "
            "\\\"b\\\\c\\u00e9\\u000a\"}\n]\n");
  EXPECT_EQ(printed(findings, Style::coloured).substr(0, 13), "\033[32mok  \033[0m");
}

}  // namespace
}  // namespace qmail::tlscheck
