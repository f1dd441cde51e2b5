// Checks: the control directory as qmail-smtpd and qmail-remote would read it, file by file.
//
// Each check names what it found in one Finding or more; none changes anything. Whether a file
// works is asked of the code the programs run (src/tls); what is said besides is what an admin
// should know before they do.
#pragma once

#include <ctime>
#include <optional>

#include "qmail-tlscheck/access.h"
#include "qmail-tlscheck/findings.h"
#include "qmail/control.h"

namespace qmail::tlscheck {

struct Settings {
  std::optional<Account> smtpd{};   // who runs qmail-smtpd; absent: not checked
  std::optional<Account> remote{};  // who runs qmail-remote
  std::time_t now = 0;
  int days_of_warning = 14;  // a certificate that expires sooner gets a warning
};

// All of them, in the order of qmail-control-tls(5).
Findings check_all(const ControlDir& control, const Settings& settings);

}  // namespace qmail::tlscheck
