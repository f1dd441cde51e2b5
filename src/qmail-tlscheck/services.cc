#include "qmail-tlscheck/services.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "qmail/ascii.h"
#include "qmail/control.h"

namespace qmail::tlscheck {

namespace {

namespace fs = std::filesystem;

using Variables = std::map<std::string, std::string>;

constexpr bool is_name_byte(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// The commands of a script: lines, joined where they end in a backslash, without comments.
std::vector<std::string> commands(std::string_view text) {
  std::vector<std::string> found;
  bool goes_on = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = without_trailing_space(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    const bool continued = line.ends_with('\\');
    if (continued) line.remove_suffix(1);
    if (!goes_on) found.emplace_back();
    if (goes_on || !line.starts_with('#')) found.back().append(line).append(" ");
    goes_on = continued;
  }
  return found;
}

// A word of a command, quotes taken off; single ones keep what is in them from being expanded.
struct Word {
  std::string text{};
  bool literal = false;
};

// Up to what ends the command: a ';', '|', '&' or a redirection.
std::vector<Word> words(std::string_view command) {
  std::vector<Word> found;
  Word word;
  bool inside = false;
  char quote = '\0';
  for (const char c : command) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word.text.push_back(c);
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      inside = true;
      word.literal = word.literal || c == '\'';
    } else if (is_blank(c)) {
      if (inside) found.push_back(std::exchange(word, {}));
      inside = false;
    } else if (c == ';' || c == '|' || c == '&' || c == '>' || c == '<') {
      // The number of a descriptor stands before its redirection.
      const bool number = std::all_of(word.text.begin(), word.text.end(), is_digit);
      if (inside && !number) found.push_back(word);
      return found;
    } else {
      word.text.push_back(c);
      inside = true;
    }
  }
  if (inside) found.push_back(word);
  return found;
}

// $NAME, ${NAME}, ${NAME-DEFAULT} and ${NAME:-DEFAULT}; nothing: more than that.
std::optional<std::string> expanded(std::string_view text, const Variables& variables) {
  std::string result;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find_first_of("$`"), text.size());
    result.append(text.substr(0, dollar));
    text.remove_prefix(dollar);
    if (text.empty()) break;
    const bool braces = text.starts_with("${");
    text.remove_prefix(braces ? 2 : 1);
    std::size_t length = 0;
    while (length < text.size() && is_name_byte(text[length])) ++length;
    if (length == 0) return std::nullopt;
    const auto known = variables.find(std::string(text.substr(0, length)));
    text.remove_prefix(length);
    std::string_view otherwise;
    if (braces) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) return std::nullopt;
      otherwise = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (otherwise.starts_with(':')) otherwise.remove_prefix(1);
      if (!otherwise.empty() && !otherwise.starts_with('-')) return std::nullopt;
      if (!otherwise.empty()) otherwise.remove_prefix(1);
    }
    result.append(known == variables.end() ? otherwise : known->second);
  }
  return result;
}

// NAME=VALUE, if the word is one.
std::optional<std::pair<std::string, std::string>> assignment(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0 || is_digit(word.front())) return std::nullopt;
  const std::string name = word.substr(0, equals);
  if (!std::all_of(name.begin(), name.end(), is_name_byte)) return std::nullopt;
  return std::pair(name, word.substr(equals + 1));
}

bool is_smtpd(std::string_view word) {
  return word == "qmail-smtpd" || word.ends_with("/qmail-smtpd");
}

// What a variable holds may be several words, unless it was in quotes; a name of a program with
// its arguments is what is meant here.
void take(const Word& word, Service& service) {
  const auto text =
      word.literal ? std::optional(word.text) : expanded(word.text, service.variables);
  if (!text) {
    service.arguments_known = false;
    return;
  }
  if (word.text.find('$') == std::string::npos) {
    service.arguments.push_back(*text);
    return;
  }
  for (const Word& part : words(*text)) service.arguments.push_back(part.text);
}

// An option of tcpserver whose value is the next word, or stands in this one: -x FILE, -vRx FILE.
struct RulesOption {
  bool next = false;
  std::string_view value{};
};

RulesOption rules_option(std::string_view word) {
  if (!word.starts_with('-') || word.find('/') != std::string_view::npos) {
    return {false, word.starts_with("-x") ? word.substr(2) : std::string_view()};
  }
  return {word.ends_with('x')};
}

// True: the command starts qmail-smtpd.
bool read_command(const std::string& command, Service& service) {
  bool found = false;
  bool names_rules = false;
  for (const Word& word : words(command)) {
    if (found) {
      take(word, service);
      continue;
    }
    if (const auto set = assignment(word.text)) {
      auto value =
          word.literal ? std::optional(set->second) : expanded(set->second, service.variables);
      // Not known is not empty.
      service.variables.insert_or_assign(set->first, value ? *std::move(value) : set->second);
      continue;
    }
    const auto text = word.literal ? word.text : expanded(word.text, service.variables);
    found = is_smtpd(text.value_or(word.text));
    const RulesOption option = rules_option(word.text);
    if (names_rules && text) service.rules = *text;
    if (!option.value.empty()) service.rules = option.value;
    names_rules = option.next;
  }
  return found;
}

// As envdir(8) has it: the first line; an empty file unsets the variable.
void read_folder(const std::string& folder, Service& service) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto content = read_file(entry->path().string());
    if (!content || !*content || (*content)->empty()) continue;
    service.variables.insert_or_assign(
        entry->path().filename().string(),
        std::string(
            without_trailing_space(std::string_view(**content).substr(0, (*content)->find('\n')))));
  }
}

}  // namespace

std::optional<std::string> Service::variable(const std::string& name) const {
  const auto found = variables.find(name);
  if (found == variables.end()) return std::nullopt;
  return found->second;
}

bool Service::has_on(const std::string& name) const {
  const auto value = variable(name);
  return value && !value->empty() && *value != "0";
}

std::optional<Service> service_in(const std::string& path) {
  std::error_code error;
  const bool folder = fs::is_directory(path, error);
  Service service{path, folder ? path + "/run" : path};
  if (folder) read_folder(path + "/env", service);
  const auto script = read_file(service.file);
  if (!script || !*script) return std::nullopt;
  for (const std::string& command : commands(**script)) {
    if (read_command(command, service)) return service;
  }
  return std::nullopt;
}

std::vector<std::string> usual_services() {
  std::vector<std::string> found;
  for (const char* watched : {"/service", "/etc/service"}) {
    std::error_code error;
    for (fs::directory_iterator entry(watched, error), end; !error && entry != end;
         entry.increment(error)) {
      found.push_back(entry->path().string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace qmail::tlscheck
