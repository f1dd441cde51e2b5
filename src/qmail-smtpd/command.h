// A command line taken apart: verb and argument. Pure.
//
// Neither is looked at here: which verbs there are stands in verbs.h.
#pragma once

#include <string_view>

namespace qmail::smtpd {

// A line as it came, without its LF. `cut_off`: it was too long to be kept, `text` is its start.
struct CommandLine {
  std::string_view text;
  bool cut_off = false;
};

// Refers to the line's bytes.
struct Command {
  std::string_view verb{};
  std::string_view argument{};
  bool cut_off = false;
  bool holds_nul = false;  // there was more, but it does not count
};

// One CR at the end is taken off; everything from the first NUL on is ignored. The verb ends at the
// first SP, further SPs are skipped, the rest is the argument, trailing blanks included.
Command parse_command(CommandLine line);

// Is it the first line of a request to a web server, such as a web page can have a browser send?
bool speaks_http(const Command& command);

}  // namespace qmail::smtpd
