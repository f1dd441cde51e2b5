#include "qmail-smtpd/peer.h"

#include <utility>

#include "qmail/environment.h"

namespace qmail::smtpd {

Peer Peer::of_environment() {
  Peer peer;
  const auto take = [](std::string& into, const char* name) {
    if (auto value = environment_variable(name)) into = *std::move(value);
  };
  take(peer.remote_ip, "TCPREMOTEIP");
  take(peer.remote_host, "TCPREMOTEHOST");
  peer.remote_info = environment_variable("TCPREMOTEINFO");
  take(peer.local_name, "TCPLOCALIP");
  take(peer.local_name, "TCPLOCALHOST");
  return peer;
}

}  // namespace qmail::smtpd
