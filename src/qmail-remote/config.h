// RemoteConfig: the control files that every delivery needs, read once, in the order of
// qmail-remote(8). Files about TLS are read when TLS comes up.
#pragma once

#include <chrono>
#include <string>

#include "qmail-remote/smtp_routes.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::remote {

struct RemoteConfig {
  std::chrono::seconds timeout_connect{60};
  std::chrono::seconds timeout_remote{1200};
  std::string helohost;
  SmtpRoutes routes;
};

// The error names the file; when neither helohost nor me is there, it names me.
Result<RemoteConfig, ControlError> read_config(const ControlDir& control);

}  // namespace qmail::remote
