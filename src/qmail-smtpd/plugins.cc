#include "qmail-smtpd/plugins.h"

#include <algorithm>

#include "qmail-smtpd/address.h"
#include "qmail-smtpd/replies.h"
#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

std::optional<Section> section_of(char letter) {
  constexpr std::string_view letters = "chmrda";
  const std::size_t at = letters.find(letter);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<Section>(at);
}

// A reply that says nothing would leave the client waiting.
std::string reply_of(std::string_view text) {
  if (text.empty()) return std::string(reply::plugin_without_text);
  return std::string(text) + "\r\n";
}

void take_variable(std::string_view text, PluginAnswer& answer) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) return;
  answer.variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
}

void take_line(char letter, std::string_view raw, PluginAnswer& answer) {
  const std::string text = without_controls(raw.substr(0, longest_plugin_text));
  constexpr std::string_view ending = "ANOERD";
  answer.ends = ending.find(letter) != std::string_view::npos;
  switch (letter) {
    case 'A':
      answer.ends_all = true;
      break;
    case 'O':
      answer.overrides = true;
      break;
    case 'E':
      answer.refusal = reply_of(text);
      break;
    case 'R':
      answer.last_words = reply_of(text);
      break;
    case 'D':
      answer.last_words = "";
      break;
    case 'P':
      answer.said.append(text).append("\r\n");
      break;
    case 'H':
      if (!text.empty()) answer.headers.push_back(text + "\n");
      break;
    case 'C':
      answer.address = text.substr(0, longest_address);
      break;
    case 'S':
      take_variable(raw.substr(0, raw.find('\0')), answer);
      break;
    case 'U':
      answer.variables.emplace_back(raw.substr(0, raw.find('\0')), std::nullopt);
      break;
    case 'L': {
      const auto section = section_of(text.empty() ? '?' : to_lower(text.front()));
      const bool known =
          section == Section::mail || section == Section::rcpt || section == Section::data;
      if (known) answer.later_refusals.emplace_back(*section, reply_of(text.substr(1)));
      break;
    }
    default:
      break;
  }
}

}  // namespace

PluginList::PluginList(const std::vector<std::string>& entries) {
  std::optional<Section> section;
  for (const std::string& entry : entries) {
    if (entry.front() == '[') {
      section = section_of(entry.size() > 1 ? to_lower(entry[1]) : '?');
    } else if (section) {
      programs_.at(static_cast<std::size_t>(*section)).push_back(entry);
    }
  }
}

void take_plugin_output(std::string_view output, PluginAnswer& answer) {
  while (!output.empty() && !answer.ends) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    if (!line.empty()) take_line(line.front(), line.substr(1), answer);
    output.remove_prefix(std::min(end + 1, output.size()));
  }
}

}  // namespace qmail::smtpd
