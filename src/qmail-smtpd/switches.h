// Switches: what the environment asks of qmail-smtpd, for this client (tcprules) or for all (the
// run script). Read once. Who the client is stands in peer.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qmail-smtpd/auth_settings.h"

namespace qmail::smtpd {

struct Switches {
  std::optional<std::string> relayclient{};       // RELAYCLIENT
  std::optional<std::string> databytes{};         // DATABYTES
  std::string queue_program = "bin/qmail-queue";  // QMAILQUEUE
  std::optional<std::string> tls_ciphers{};       // TLSCIPHERS
  bool tls_from_the_start = false;                // SMTPS, unless it is empty
  bool tls_demanded = false;                      // FORCETLS, FORCE_TLS
  bool tls_forbidden = false;                     // DISABLETLS, DENY_TLS
  AuthSettings auth{};                            // SMTPAUTH and its like, and the arguments
  bool offers_size = false;                       // SMTPSIZE
  std::optional<std::string> most_recipients{};   // MAXRECIPIENTS
  std::optional<std::string> most_refusals{};     // BRTLIMIT
  std::uint32_t most_errors = 0;                  // SMTPD_MAXERRORS; 0: any number
  std::chrono::seconds longest_session{0};        // SMTPD_MAXTIME; 0: any time
  std::chrono::seconds greeting_delay{0};         // SMTPD_GREETDELAY
  bool drops_early_talkers = false;               // DROP_PRE_GREET
  bool asks_plugins = false;                      // ENABLE_SPP
  std::string plugin_list{};                      // SPPCONFFILE; empty: control/smtpplugins
  std::optional<std::string> recipient_check{};   // RCPTCHECK
  bool checks_relayed_recipients = false;         // RCPTCHECKRELAYCLIENT
  bool session_line = false;                      // SESSIONLOG
  bool debug = false;                             // DEBUG, here or at build time

  // Set but empty is a value, where nothing else is said.
  static Switches of_environment(const std::vector<std::string>& arguments = {});
};

}  // namespace qmail::smtpd
