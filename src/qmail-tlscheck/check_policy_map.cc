// control/tlspolicymap: is the policy server there, may qmail-remote speak to it, and what does it
// say? It is asked as a delivery asks it, of a domain that never exists (RFC 6761).
#include <chrono>
#include <filesystem>
#include <sys/stat.h>

#include "qmail-remote/config.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/site.h"

namespace qmail::tlscheck {

namespace {

constexpr std::string_view some_domain = "tlscheck.invalid";
constexpr std::chrono::seconds patience{10};
constexpr const char* consequence = ": qmail-remote defers all mail that it asks about";

// Where the system would not let the user of qmail-remote connect; empty: nowhere.
std::string forbidden_at(const Account& who, const std::string& socket) {
  const std::filesystem::path path(socket);
  for (auto folder = path.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    if (!can_search(who, folder)) return folder;
  }
  return can_write(who, socket) ? std::string() : socket;
}

// May qmail-remote's user connect? Where the answer is no it is a finding.
bool may_connect(const Site& site, const std::string& file, const std::string& socket,
                 Findings& found) {
  struct stat status {};
  if (!site.settings.remote || ::stat(socket.c_str(), &status) != 0) return true;
  const std::string obstacle = forbidden_at(*site.settings.remote, socket);
  if (obstacle.empty()) return true;
  found.fail(file, site.settings.remote->name + " may not connect to " + socket + " (" + obstacle +
                       "): chown or chmod it" + consequence);
  return false;
}

// Mail with a route is not asked about.
void check_use(const std::string& file, const remote::RemoteConfig& config, Findings& found) {
  const auto route = config.routes.find(some_domain);
  if (!route || !*route) return;
  found.warn(file, "is not asked about mail that smtproutes sends to " + (*route)->relay +
                       ", which is all that has no other line there");
}

}  // namespace

void check_policy_map(const Site& site, Findings& found) {
  const auto config = remote::read_config(site.control);
  if (!config || !config->policy_map) return;  // check_deliveries tells of what cannot be used
  const std::string file = site.control.file("tlspolicymap");
  const remote::SocketMap& map = *config->policy_map;
  check_use(file, *config, found);
  const auto* socket = std::get_if<remote::SocketMap::Unix>(&map.server);
  if (socket != nullptr && !may_connect(site, file, socket->path, found)) return;
  const auto answer = remote::look_up(map, some_domain, patience);
  if (!answer) return found.fail(file, "no policy to be had: " + answer.error() + consequence);
  if (*answer) {
    const auto words = remote::parse_policy(**answer);
    if (!words)
      return found.fail(file,
                        "the policy server says " + **answer + ": " + words.error() + consequence);
  }
  found.ok(file, "the policy server answers");
}

}  // namespace qmail::tlscheck
