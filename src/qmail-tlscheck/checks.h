// Checks: the control directory as qmail-smtpd and qmail-remote would read it, a topic a function,
// each in a file of its own (check_TOPIC.cc).
//
// Each names what it found in one Finding or more; none changes anything. Whether a file works is
// asked of the code the programs run (src/tls); what is said besides is what an admin should know
// before they do.
#pragma once

#include "qmail-tlscheck/findings.h"
#include "qmail-tlscheck/services.h"
#include "qmail-tlscheck/site.h"

namespace qmail::tlscheck {

void check_folders(const Site& site, Findings& found);
void check_lists(const Site& site, Findings& found);
void check_certificates(const Site& site, Findings& found);
void check_parameters(const Site& site, Findings& found);
void check_relaying(const Site& site, Findings& found);
void check_hosts(const Site& site, Findings& found);
void check_deliveries(const Site& site, Findings& found);
void check_policies(const Site& site, Findings& found);
void check_policy_map(const Site& site, Findings& found);
void check_dane(const Site& site, Findings& found);
void check_logins(const Site& site, Findings& found);
void check_services(const Site& site, Findings& found);
void check_variables(const Site& site, Findings& found);

// `file`, wherever it is, as if it were control/servercert.pem; who can read it is not looked at.
void check_candidate(const Site& site, const std::string& file, Findings& found);

// All of them, in the order of the table in checks.cc.
Findings check_all(const ControlDir& control, const Settings& settings);

}  // namespace qmail::tlscheck
