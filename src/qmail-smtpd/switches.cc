#include "qmail-smtpd/switches.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "qmail/ascii.h"
#include "qmail/environment.h"

namespace qmail::smtpd {

namespace {

constexpr std::uint32_t longest_delay = 300;

// Not set, or no number: 0.
std::uint32_t number_in(const char* variable) {
  const auto text = environment_variable(variable);
  return text ? leading_number(*text).value_or(0) : 0;
}

}  // namespace

Switches Switches::of_environment(const std::vector<std::string>& arguments) {
  Switches found;
  found.relayclient = environment_variable("RELAYCLIENT");
  found.databytes = environment_variable("DATABYTES");
  if (auto program = environment_variable("QMAILQUEUE")) found.queue_program = *std::move(program);
  found.tls_ciphers = environment_variable("TLSCIPHERS");
  found.tls_from_the_start = environment_asks("SMTPS");
  found.tls_demanded = environment_switch("FORCETLS") || environment_switch("FORCE_TLS");
  found.tls_forbidden = environment_switch("DISABLETLS") || environment_switch("DENY_TLS");
  found.auth = AuthSettings::of_environment(arguments);
  found.offers_size = environment_switch("SMTPSIZE");
  found.most_recipients = environment_variable("MAXRECIPIENTS");
  found.most_refusals = environment_variable("BRTLIMIT");
  found.most_errors = number_in("SMTPD_MAXERRORS");
  found.longest_session = std::chrono::seconds(number_in("SMTPD_MAXTIME"));
  found.greeting_delay =
      std::chrono::seconds(std::min(number_in("SMTPD_GREETDELAY"), longest_delay));
  found.drops_early_talkers = environment_switch("DROP_PRE_GREET");
  found.asks_plugins = environment_variable("ENABLE_SPP").has_value();
  found.plugin_list = environment_variable("SPPCONFFILE").value_or("");
  if (environment_asks("RCPTCHECK")) found.recipient_check = environment_variable("RCPTCHECK");
  found.checks_relayed_recipients = environment_switch("RCPTCHECKRELAYCLIENT");
  found.session_line = environment_switch("SESSIONLOG");
  found.debug = debug_wanted();
  return found;
}

}  // namespace qmail::smtpd
