#include "qmail-tlscheck/variables_set.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "qmail-tlscheck/tcp_rules.h"
#include "qmail/ascii.h"
#include "qmail/control.h"

namespace qmail::tlscheck {

namespace {

namespace fs = std::filesystem;

constexpr bool is_name_byte(char c) { return is_letter(c) || is_digit(c) || c == '_'; }

// The sorted entries of a folder; none where there is no such folder.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

void take_names(const std::string& file, std::string_view text, std::vector<VariableSet>& found) {
  for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && is_name_byte(text[begin - 1])) --begin;
    const std::string name(text.substr(begin, at - begin));
    const bool known = std::any_of(found.begin(), found.end(),
                                   [&](const VariableSet& set) { return set.name == name; });
    if (!name.empty() && !is_digit(name.front()) && !known) found.push_back({file, name});
  }
}

}  // namespace

std::vector<VariableSet> variables_set_in(const std::string& path) {
  std::vector<VariableSet> found;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    found = variables_set_in(path + "/run");
    for (const fs::path& entry : entries_of(path + "/env")) {
      found.push_back({entry.string(), entry.filename().string()});
    }
    return found;
  }
  const auto content = read_file(path);
  if (!content || !*content) return found;
  // The values in a cdb of tcprules are "+NAME=VALUE" and NUL, one behind the other; no need to
  // know where a record begins.
  if (path.ends_with(".cdb")) {
    take_names(path, **content, found);
    return found;
  }
  std::string_view text(**content);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] != '#') take_names(path, line, found);
  }
  return found;
}

std::vector<VariableSet> usual_variables() {
  std::vector<std::string> places = usual_tcp_rules();
  for (const char* watched : {"/service", "/etc/service"}) {
    for (const fs::path& entry : entries_of(watched)) places.push_back(entry.string());
  }
  std::vector<VariableSet> found;
  for (const std::string& place : places) {
    for (VariableSet& set : variables_set_in(place)) found.push_back(std::move(set));
  }
  return found;
}

}  // namespace qmail::tlscheck
