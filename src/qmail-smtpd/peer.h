// Peer: who the client is and where it came in, as tcpserver says it (tcp-environ(5)).
#pragma once

#include <optional>
#include <string>

namespace qmail::smtpd {

struct Peer {
  std::string remote_ip = "unknown";         // TCPREMOTEIP
  std::string remote_host = "unknown";       // TCPREMOTEHOST
  std::optional<std::string> remote_info{};  // TCPREMOTEINFO
  std::string local_name = "unknown";        // TCPLOCALHOST, else TCPLOCALIP

  // Set but empty is a value.
  static Peer of_environment();
};

}  // namespace qmail::smtpd
