// What qmail-smtpd would make its TLS of, as far as the control files say (a list in TLSCIPHERS is
// not known here).
#pragma once

#include <string>

#include "qmail-tlscheck/site.h"
#include "tls/tls.h"

namespace qmail::tlscheck {

// A certificate with the ciphers, since their list sets the security level that it must meet. A
// list that cannot be read counts as none: check_parameters says so.
tls::ServerSettings certificate_settings(const Site& site, const std::string& certificate_file);

}  // namespace qmail::tlscheck
