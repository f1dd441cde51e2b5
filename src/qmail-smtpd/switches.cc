#include "qmail-smtpd/switches.h"

#include <utility>

#include "qmail/environment.h"

namespace qmail::smtpd {

Switches Switches::of_environment() {
  Switches found;
  found.relayclient = environment_variable("RELAYCLIENT");
  found.databytes = environment_variable("DATABYTES");
  if (auto program = environment_variable("QMAILQUEUE")) found.queue_program = *std::move(program);
  found.tls_ciphers = environment_variable("TLSCIPHERS");
  found.tls_from_the_start = environment_asks("SMTPS");
  found.debug = debug_wanted();
  return found;
}

}  // namespace qmail::smtpd
