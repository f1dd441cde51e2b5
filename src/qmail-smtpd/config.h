// What qmail-smtpd is told by the control files it reads at the start.
//
// A missing control file has its default; one that cannot be read is an error, and so is a host
// without a name. Where the environment overrides a file, it has done so here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "qmail-smtpd/plugins.h"
#include "qmail-smtpd/relay_policy.h"
#include "qmail-smtpd/switches.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::smtpd {

struct SmtpdConfig {
  static constexpr std::chrono::seconds default_timeout{1200};

  std::string greeting;                  // smtpgreeting, else me
  std::optional<std::string> localhost;  // localiphost, else me: replaces our address literals
  std::chrono::seconds timeout = default_timeout;
  std::uint32_t databytes = 0;  // largest message; 0: no limit
  BadSenders bad_senders;
  RecipientHosts recipient_hosts;
  PluginList plugins;  // where the environment asks for them

  static Result<SmtpdConfig, ControlError> read(const ControlDir& control,
                                                const Switches& switches);
  // Of those, the one that counts before there is a session.
  static Result<std::chrono::seconds, ControlError> read_timeout(const ControlDir& control);
};

// The plug-ins, if the switches ask for them: then there must be a list.
Result<PluginList, ControlError> read_plugins(const ControlDir& control, const Switches& switches);

}  // namespace qmail::smtpd
