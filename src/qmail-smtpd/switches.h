// Switches: what the environment asks of qmail-smtpd, for this client (tcprules) or for all (the
// run script). Read once. Who the client is stands in peer.h.
#pragma once

#include <optional>
#include <string>

namespace qmail::smtpd {

struct Switches {
  std::optional<std::string> relayclient{};       // RELAYCLIENT
  std::optional<std::string> databytes{};         // DATABYTES
  std::string queue_program = "bin/qmail-queue";  // QMAILQUEUE
  std::optional<std::string> tls_ciphers{};       // TLSCIPHERS
  bool tls_from_the_start = false;                // SMTPS, unless it is empty
  bool debug = false;                             // DEBUG, here or at build time

  // Set but empty is a value, where nothing else is said.
  static Switches of_environment();
};

}  // namespace qmail::smtpd
