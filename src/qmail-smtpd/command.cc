#include "qmail-smtpd/command.h"

#include <array>

#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

struct Name {
  std::string_view name;
  Verb verb;
};

constexpr std::array<Name, 11> names{{
    {"rcpt", Verb::rcpt},
    {"mail", Verb::mail},
    {"data", Verb::data},
    {"quit", Verb::quit},
    {"helo", Verb::helo},
    {"ehlo", Verb::ehlo},
    {"rset", Verb::rset},
    {"help", Verb::help},
    {"noop", Verb::noop},
    {"vrfy", Verb::vrfy},
    {"starttls", Verb::starttls},
}};

Verb find_verb(std::string_view word) {
  for (const Name& entry : names) {
    if (equal_ignoring_case(word, entry.name)) return entry.verb;
  }
  return Verb::unknown;
}

}  // namespace

Command parse_command(CommandLine line) {
  std::string_view text = line.text;
  if (!line.cut_off && !text.empty() && text.back() == '\r') text.remove_suffix(1);
  text = text.substr(0, text.find('\0'));

  const std::size_t space = text.find(' ');
  Command command{find_verb(text.substr(0, space)), {}, line.cut_off};
  if (space == std::string_view::npos) return command;
  const std::size_t argument = text.find_first_not_of(' ', space);
  if (argument != std::string_view::npos) command.argument = text.substr(argument);
  return command;
}

}  // namespace qmail::smtpd
