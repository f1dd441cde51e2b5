// A command line taken apart: verb and argument. Pure.
//
// Verbs match whole and in any letter case; the argument is not looked at here. What cannot be
// understood is Verb::unknown, never an error.
#pragma once

#include <string_view>

namespace qmail::smtpd {

enum class Verb {
  helo,
  ehlo,
  mail,
  rcpt,
  data,
  rset,
  noop,
  vrfy,
  help,
  quit,
  starttls,
  unknown,
};

// A line as it came, without its LF. `cut_off`: it was too long to be kept, `text` is its start.
struct CommandLine {
  std::string_view text;
  bool cut_off = false;
};

// Refers to the line's bytes.
struct Command {
  Verb verb = Verb::unknown;
  std::string_view argument{};
  bool cut_off = false;
};

// One CR at the end is taken off; everything from the first NUL on is ignored. The verb ends at the
// first SP, further SPs are skipped, the rest is the argument, trailing blanks included.
Command parse_command(CommandLine line);

}  // namespace qmail::smtpd
