#include "qmail-smtpd/command.h"

#include <string>

#include <gtest/gtest.h>

namespace qmail::smtpd {
namespace {

using std::string_literals::operator""s;

TEST(Command, VerbAndArgument) {
  struct Row {
    std::string line;
    Verb verb;
    std::string argument;
  };
  const Row rows[] = {
      {"NOOP", Verb::noop, ""},
      {"NOOP\r", Verb::noop, ""},
      {"NOOP\r\r", Verb::unknown, ""},  // one CR is taken off
      {"noop", Verb::noop, ""},
      {"hElO client.example", Verb::helo, "client.example"},
      {"EHLO", Verb::ehlo, ""},
      {"EHLO ", Verb::ehlo, ""},
      {"MAIL    FROM:<a b>  \r", Verb::mail, "FROM:<a b>  "},
      {"RCPT TO:<x>", Verb::rcpt, "TO:<x>"},
      {"DATA now", Verb::data, "now"},
      {"RSET", Verb::rset, ""},
      {"VRFY joe", Verb::vrfy, "joe"},
      {"HELP", Verb::help, ""},
      {"QUIT", Verb::quit, ""},
      {"starttls", Verb::starttls, ""},
      {"STARTTLS x", Verb::starttls, "x"},
      {"", Verb::unknown, ""},
      {"\r", Verb::unknown, ""},
      {" NOOP", Verb::unknown, "NOOP"},
      {"NOOP\tx", Verb::unknown, ""},
      {"NOOPS", Verb::unknown, ""},
      {"NOO", Verb::unknown, ""},
      {"NO\rOP", Verb::unknown, ""},
      {"\xceOOP", Verb::unknown, ""},
      {"NOOP\0garbage"s, Verb::noop, ""},
      {"NO\0OP"s, Verb::unknown, ""},
      {"MAIL FROM:<a\0b>"s, Verb::mail, "FROM:<a"},
      {"NOOP\r\0"s, Verb::unknown, ""},  // that CR is not the line's last byte
  };
  for (const Row& row : rows) {
    const Command command = parse_command({row.line});
    EXPECT_EQ(command.verb, row.verb) << row.line;
    EXPECT_EQ(command.argument, row.argument) << row.line;
    EXPECT_FALSE(command.cut_off);
  }
}

TEST(Command, ALineCutOffStaysOne) {
  const Command command = parse_command({"MAIL FROM:<aaa\r", true});
  EXPECT_EQ(command.verb, Verb::mail);
  EXPECT_EQ(command.argument, "FROM:<aaa\r");  // not the line's end
  EXPECT_TRUE(command.cut_off);
}

}  // namespace
}  // namespace qmail::smtpd
