#include "qmail-smtpd/peer.h"

#include <utility>

#include "qmail/environment.h"

namespace qmail::smtpd {

Peer Peer::of_environment() {
  Peer peer;
  const auto take = [](std::string& into, std::optional<std::string> value) {
    if (value) into = *std::move(value);
  };
  take(peer.remote_ip, environment_variable("TCPREMOTEIP"));
  take(peer.remote_host, environment_variable("TCPREMOTEHOST"));
  peer.remote_info = environment_variable("TCPREMOTEINFO");
  take(peer.local_name, environment_variable("TCPLOCALIP"));
  take(peer.local_name, environment_variable("TCPLOCALHOST"));
  return peer;
}

}  // namespace qmail::smtpd
