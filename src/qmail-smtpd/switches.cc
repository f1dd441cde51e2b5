#include "qmail-smtpd/switches.h"

#include <utility>

#include "qmail/environment.h"

namespace qmail::smtpd {

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
  found.debug = debug_wanted();
  return found;
}

}  // namespace qmail::smtpd
