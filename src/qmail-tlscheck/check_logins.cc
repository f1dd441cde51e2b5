// Passwords in control files: qmail-remote's logins at relays (RELAY|USER|PASSWORD).
#include <algorithm>

#include "qmail-tlscheck/checks.h"

namespace qmail::tlscheck {

namespace {

void check_passwords(const Site& site, std::string_view name, Findings& found) {
  const auto lines = site.control.list(name);
  if (!lines || !*lines) return;
  const bool passwords =
      std::any_of((*lines)->begin(), (*lines)->end(),
                  [](const std::string& line) { return line.find('|') != std::string::npos; });
  const std::string file = site.control.file(name);
  if (passwords && world_readable(file)) {
    found.fail(file, "can be read by everybody on this machine and holds a password: chmod 640");
  }
}

}  // namespace

void check_logins(const Site& site, Findings& found) {
  check_passwords(site, "authsenders", found);
  check_passwords(site, "smtproutes", found);
}

}  // namespace qmail::tlscheck
