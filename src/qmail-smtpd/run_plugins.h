// Programs that are asked about the session: plug-ins (qmail-spp's interface), and RCPTCHECK.
//
// Each has a deadline, sees neither the client's connection nor what it could write there, and what
// it says is bounded. One that cannot be run, dies or does not end lets nothing pass.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "qmail-smtpd/log.h"
#include "qmail-smtpd/plugins.h"

namespace qmail::smtpd {

// Runs them one after the other until one of them ends it. `variables`: NAME=VALUE, on top of our
// environment, which their S and U change for those who come after them.
PluginAnswer run_plugins(const std::vector<std::string>& programs,
                         const std::vector<std::string>& variables, std::chrono::seconds timeout,
                         const Log& log);

// The reply with which RCPTCHECK's program refuses the recipient; nothing: it does not. Throws
// EndSession where it cannot say, or could not be run.
std::optional<std::string> check_recipient(const std::string& program,
                                           const std::vector<std::string>& variables,
                                           std::chrono::seconds timeout);

}  // namespace qmail::smtpd
