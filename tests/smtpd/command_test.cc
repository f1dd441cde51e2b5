#include "qmail-smtpd/command.h"

#include <string>

#include <gtest/gtest.h>

#include "qmail-smtpd/verbs.h"

namespace qmail::smtpd {
namespace {

using std::string_literals::operator""s;

TEST(Command, VerbAndArgument) {
  struct Row {
    std::string line;
    std::string verb;  // as in the table; empty: there is none
    std::string argument;
  };
  const Row rows[] = {
      {"NOOP", "noop", ""},
      {"NOOP\r", "noop", ""},
      {"NOOP\r\r", "", ""},  // one CR is taken off
      {"noop", "noop", ""},
      {"hElO client.example", "helo", "client.example"},
      {"EHLO", "ehlo", ""},
      {"EHLO ", "ehlo", ""},
      {"MAIL    FROM:<a b>  \r", "mail", "FROM:<a b>  "},
      {"RCPT TO:<x>", "rcpt", "TO:<x>"},
      {"DATA now", "data", "now"},
      {"RSET", "rset", ""},
      {"VRFY joe", "vrfy", "joe"},
      {"HELP", "help", ""},
      {"QUIT", "quit", ""},
      {"starttls", "starttls", ""},
      {"STARTTLS x", "starttls", "x"},
      {"", "", ""},
      {"\r", "", ""},
      {" NOOP", "", "NOOP"},
      {"NOOP\tx", "", ""},
      {"NOOPS", "", ""},
      {"NOO", "", ""},
      {"NO\rOP", "", ""},
      {"\xceOOP", "", ""},
      {"NOOP\0garbage"s, "noop", ""},
      {"NO\0OP"s, "", ""},
      {"MAIL FROM:<a\0b>"s, "mail", "FROM:<a"},
      {"NOOP\r\0"s, "", ""},  // that CR is not the line's last byte
  };
  for (const Row& row : rows) {
    const Command command = parse_command({row.line});
    const Verb* const verb = find_verb(command.verb);
    EXPECT_EQ(verb == nullptr ? "" : verb->name, row.verb) << row.line;
    EXPECT_EQ(command.argument, row.argument) << row.line;
    EXPECT_FALSE(command.cut_off);
  }
}

TEST(Command, ALineCutOffStaysOne) {
  const Command command = parse_command({"MAIL FROM:<aaa\r", true});
  EXPECT_EQ(command.verb, "MAIL");
  EXPECT_EQ(command.argument, "FROM:<aaa\r");  // not the line's end
  EXPECT_TRUE(command.cut_off);
}

TEST(Command, TheFirstLineOfARequestToAWebServer) {
  for (const char* line : {"GET / HTTP/1.1\r", "POST /a b HTTP/1.0\r", "PRI * HTTP/2.0\r"}) {
    EXPECT_TRUE(speaks_http(parse_command({line}))) << line;
  }
  EXPECT_TRUE(speaks_http(parse_command({"GET /long", true})));
  for (const char* line :
       {"GET /\r", "HTTP/1.1 200 OK\r", "GET HTTP/1.1\r", "GET / http/1.1\r", "\r", ""}) {
    EXPECT_FALSE(speaks_http(parse_command({line}))) << line;
  }
  EXPECT_FALSE(speaks_http(parse_command({"XYZ long", true})));
}

}  // namespace
}  // namespace qmail::smtpd
