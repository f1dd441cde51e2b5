// A file of its own: a program that confines itself no further need not carry the rest.
#include <sys/prctl.h>

#include "qmail/confinement.h"

namespace qmail {

void hide_memory() { static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }

}  // namespace qmail
