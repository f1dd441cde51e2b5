// For systems that are not Linux: nothing is given up but the core file.
#include <sys/resource.h>

#include "qmail/confinement.h"

namespace qmail {

void confine(std::span<const char* const> /*writable*/, ForbiddenCall /*forbidden*/) {}

void hide_memory() {
  const rlimit none{};
  static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
}

}  // namespace qmail
