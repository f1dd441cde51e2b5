// What qmail-smtpd is told by its environment and by the control files it reads at the start.
//
// Both are read once. A missing control file has its default; one that cannot be read is an error,
// and so is a host without a name.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "qmail-smtpd/relay_policy.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::smtpd {

// The variables as tcp-environ(5) and the man page name them; set but empty is a value, except for
// SMTPS.
struct Environment {
  std::string remote_ip = "unknown";              // TCPREMOTEIP
  std::string remote_host = "unknown";            // TCPREMOTEHOST
  std::optional<std::string> remote_info{};       // TCPREMOTEINFO
  std::string local_name = "unknown";             // TCPLOCALHOST, else TCPLOCALIP
  std::optional<std::string> relayclient{};       // RELAYCLIENT
  std::optional<std::string> databytes{};         // DATABYTES
  std::string queue_program = "bin/qmail-queue";  // QMAILQUEUE
  std::optional<std::string> tls_ciphers{};       // TLSCIPHERS
  bool tls_from_the_start = false;                // SMTPS
  bool debug = false;                             // DEBUG, here or at build time

  static Environment snapshot();
};

struct SmtpdConfig {
  static constexpr std::chrono::seconds default_timeout{1200};

  std::string greeting;                  // smtpgreeting, else me
  std::optional<std::string> localhost;  // localiphost, else me: replaces our address literals
  std::chrono::seconds timeout = default_timeout;
  std::uint32_t databytes = 0;  // largest message; 0: no limit
  BadSenders bad_senders;
  RecipientHosts recipient_hosts;

  static Result<SmtpdConfig, ControlError> read(const ControlDir& control,
                                                const Environment& environment);
};

}  // namespace qmail::smtpd
