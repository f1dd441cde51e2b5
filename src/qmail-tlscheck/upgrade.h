// What changes without a word when other programs are replaced by ours: control files and variables
// that the old programs know by name, that the site has, and that ours do not know.
#pragma once

#include <string>
#include <vector>

#include "qmail-tlscheck/findings.h"
#include "qmail-tlscheck/services.h"
#include "qmail-tlscheck/variables_set.h"
#include "qmail/control.h"

namespace qmail::tlscheck {

// `programs`: the bytes of the old ones. A name that they do not know is not mentioned.
// Where AUTH is asked for in another way than it was is said, too.
Findings check_upgrade(const ControlDir& control, const std::string& programs,
                       const std::vector<VariableSet>& variables,
                       const std::vector<Service>& services = {});

}  // namespace qmail::tlscheck
