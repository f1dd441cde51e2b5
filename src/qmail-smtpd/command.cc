#include "qmail-smtpd/command.h"

namespace qmail::smtpd {

Command parse_command(CommandLine line) {
  std::string_view text = line.text;
  if (!line.cut_off && !text.empty() && text.back() == '\r') text.remove_suffix(1);
  const std::size_t nul = text.find('\0');
  text = text.substr(0, nul);

  const std::size_t space = text.find(' ');
  Command command{text.substr(0, space), {}, line.cut_off, nul != std::string_view::npos};
  if (space == std::string_view::npos) return command;
  const std::size_t argument = text.find_first_not_of(' ', space);
  if (argument != std::string_view::npos) command.argument = text.substr(argument);
  return command;
}

bool speaks_http(const Command& command) {
  if (command.cut_off) return command.argument.starts_with('/');  // the version is not known
  const std::size_t space = command.argument.rfind(' ');
  return space != std::string_view::npos && command.argument.substr(space + 1).starts_with("HTTP/");
}

}  // namespace qmail::smtpd
