// For systems whose headers know no Landlock: nothing is given up.
#include "qmail/confinement.h"

namespace qmail {

void confine(std::span<const char* const> /*writable*/) {}

void hide_memory() {}

}  // namespace qmail
