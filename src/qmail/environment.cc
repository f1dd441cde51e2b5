#include "qmail/environment.h"

#include <cerrno>
#include <cstdlib>
#include <new>
#include <string_view>
#include <unistd.h>

#include "qmail/build_config.h"

namespace qmail {

std::optional<std::string> environment_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

bool environment_asks(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool environment_switch(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

void put_into_environment(const char* name, const std::string& value) {
  if (::setenv(name, value.c_str(), 1) != 0 && errno == ENOMEM) throw std::bad_alloc();
}

void remove_from_environment(const char* name) { static_cast<void>(::unsetenv(name)); }

bool enter_home() {
  const char* home = std::getenv("QMAILHOME");
  return ::chdir(home != nullptr && *home != '\0' ? home : built_home) == 0;
}

bool debug_wanted() { return built_with_debug || environment_asks("DEBUG"); }

}  // namespace qmail
