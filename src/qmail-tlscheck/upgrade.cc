#include "qmail-tlscheck/upgrade.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "qmail-smtpd/auth_settings.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/known_names.h"
#include "qmail-tlscheck/retired_names.h"
#include "qmail/ascii.h"

namespace qmail::tlscheck {

namespace {

constexpr bool is_name_byte(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-';
}

// Is `name` a whole string in the programs, alone or behind "control/"?
bool names(std::string_view programs, std::string_view name) {
  std::string whole(name);
  whole.push_back('\0');
  for (std::size_t at = programs.find(whole); at != std::string_view::npos;
       at = programs.find(whole, at + 1)) {
    if (at == 0 || !is_name_byte(programs[at - 1])) return true;
  }
  return false;
}

const RetiredName* retired(std::span<const RetiredName> table, std::string_view name) {
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const RetiredName& retired) { return retired.name == name; });
  return row == table.end() ? nullptr : &*row;
}

void tell(const std::string& where, std::string_view name, const RetiredName* row,
          Findings& found) {
  const std::string what = "the old program knows " + std::string(name) + ", the new one does not";
  if (row == nullptr) {
    found.warn(where, what + ": it has no effect any more");
  } else {
    found.add(row->level, where, what + "; lost is: " + std::string(row->effect));
  }
}

// The family that most names in the programs are of which nobody else has.
void tell_family(std::string_view programs, Findings& found) {
  std::size_t most = 0;
  const Family* likely = nullptr;
  for (const Family& family : families()) {
    std::size_t marks = 0;
    for (const auto table : {retired_files(), retired_variables()}) {
      for (const RetiredName& row : table) {
        const bool only = row.families.size() == 1 && row.families.front() == family.letter;
        if (only && names(programs, row.name)) ++marks;
      }
    }
    if (marks > most) {
      most = marks;
      likely = &family;
    }
  }
  if (likely != nullptr) {
    found.ok("bin", "by the names in them, the old programs are of " + std::string(likely->name));
  }
}

// AUTH by the same words and another meaning.
void tell_auth(const std::string& programs, const Service& service, Findings& found) {
  if (service.arguments_known && service.arguments.size() > 1 && !service.variable("SMTPAUTH") &&
      names(programs, "SMTPAUTH")) {
    found.warn(service.file,
               "a program with arguments stands behind qmail-smtpd, and SMTPAUTH is "
               "not set: AUTH is offered now; SMTPAUTH=- in the environment leaves "
               "it off, as with the old program");
  }
  if (service.has_on("FORCETLS") && names(programs, "FORCETLS")) {
    found.warn(service.file,
               "FORCETLS is on: all mail outside TLS is refused now, where the old "
               "program refused AUTH only; not for port 25");
  }
  const auto auth = smtpd::AuthSettings::of(service.arguments, service.variable("SMTPAUTH"));
  if (names(programs, "SUBMISSIONPORT") && !auth.demanded) {
    found.warn(service.file,
               "the old program demands a login on port 587, unless SUBMISSIONPORT "
               "says another; SMTPAUTH=! in the environment demands it now");
  }
}

}  // namespace

Findings check_upgrade(const ControlDir& control, const std::string& programs,
                       const std::vector<VariableSet>& variables,
                       const std::vector<Service>& services) {
  Findings found;
  std::vector<std::string> entries;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(control.file(""), error), end;
       !error && entry != end; entry.increment(error)) {
    entries.push_back(entry->path().filename().string());
  }
  if (error) {
    found.fail(control.file(""), "cannot be listed: " + error.message());
  }
  std::sort(entries.begin(), entries.end());
  tell_family(programs, found);
  for (const std::string& name : entries) {
    if (is_known_file(name) || !names(programs, name)) continue;
    tell(control.file(name), name, retired(retired_files(), name), found);
  }
  // What ours hand on or get from the system like any program is no switch of the old one.
  constexpr std::array<std::string_view, 4> everybodys{"PATH", "HOME", "USER", "SHELL"};
  for (const VariableSet& set : variables) {
    const bool common =
        std::find(everybodys.begin(), everybodys.end(), set.name) != everybodys.end();
    if (common || is_known_variable(set.name) || !names(programs, set.name)) continue;
    tell(set.file, set.name, retired(retired_variables(), set.name), found);
  }
  Settings settings;
  for (const Service& service : services) {
    tell_auth(programs, service, found);
    settings.services.push_back(service.place);
  }
  for (const auto& check : {check_logins, check_services}) check({control, settings}, found);
  return found;
}

}  // namespace qmail::tlscheck
