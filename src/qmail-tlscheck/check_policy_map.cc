// control/tlspolicymap: is the policy server there, may qmail-remote speak to it, and what does it
// say? It is asked as a delivery asks it, of a domain that never exists (RFC 6761).
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sys/stat.h>

#include "qmail-remote/config.h"
#include "qmail-remote/domain_policy.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/destinations.h"

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

// Why qmail-remote never asks; nothing: it may.
std::optional<std::string> why_never_asked(const Site& site, const remote::RemoteConfig& config) {
  const Destinations to = Destinations::of(site, config);
  if (to.domains.empty()) return "all mail has a route (smtproutes, authsenders)";
  if (std::any_of(to.domains.begin(), to.domains.end(), [&](const std::string& domain) {
        return remote::asks_policy_server(domain, config);
      })) {
    return std::nullopt;
  }
  const auto by_default = config.policies.find(some_domain);
  const std::string file = site.control.file("tlspolicy");
  if (!by_default) return "the default in " + file + " cannot be used";
  if (*by_default && (*by_default)->is_default &&
      (*by_default)->policy.level == remote::PolicyWords::Level::dane_only) {
    return "the default in " + file + " is dane-only, beside which nothing counts";
  }
  return "all mail without a route has a line of its own in " + file;
}

}  // namespace

void check_policy_map(const Site& site, Findings& found) {
  const auto config = remote::read_config(site.control);
  if (!config || !config->policy_map) return;  // check_deliveries tells of what cannot be used
  const std::string file = site.control.file("tlspolicymap");
  const remote::SocketMap& map = *config->policy_map;
  if (const auto why = why_never_asked(site, *config)) {
    return found.warn(file, "has no effect, nobody is asked: " + *why);
  }
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
