#include "qmail-tlscheck/destinations.h"

#include <algorithm>

#include "qmail/ascii.h"

namespace qmail::tlscheck {

namespace {

// A domain that `key` is for, and no more exact one that could be written.
std::string domain_of(const std::string& key) {
  if (key.empty()) return "tlscheck.invalid";  // which never exists (RFC 6761)
  return remote::destination(key.starts_with('.') ? "tlscheck" + key : key);
}

template <typename Item>
void add_once(std::vector<Item>& list, Item item, bool is_there) {
  if (!is_there) list.push_back(std::move(item));
}

// Takes the relays that a file of routes leads to. Does every key lead to one?
template <typename Routes>
bool take_relays(const Routes& routes, const std::vector<std::string>& keys,
                 const std::string& file, std::vector<Relay>& relays) {
  bool all = true;
  for (const std::string& key : keys) {
    const auto route = routes.find(key);
    if (!route || !*route) {
      all = false;
      continue;
    }
    const Relay relay{(*route)->relay, (*route)->port, file};
    add_once(relays, relay, std::any_of(relays.begin(), relays.end(), [&](const Relay& other) {
               return equal_ignoring_case(other.name, relay.name) && other.port == relay.port;
             }));
  }
  return all;
}

}  // namespace

std::vector<std::string> keys_of_routes(const Site& site, std::string_view file) {
  std::vector<std::string> keys{""};
  const auto lines = site.control.list(file);
  if (!lines || !*lines) return keys;
  for (const std::string& line : **lines) {
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos) keys.push_back(line.substr(0, colon));
  }
  return keys;
}

Destinations Destinations::of(const Site& site, const remote::RemoteConfig& config) {
  Destinations all;
  if (take_relays(config.senders, keys_of_routes(site, "authsenders"), "authsenders", all.relays)) {
    return all;  // whoever sends it
  }
  std::vector<std::string> keys = keys_of_routes(site, "smtproutes");
  take_relays(config.routes, keys, "smtproutes", all.relays);
  for (const auto& line : config.policies.lines()) keys.push_back(line.domain);
  for (const std::string& key : keys) {
    const std::string domain = domain_of(key);
    const auto route = config.routes.find(domain);
    if (route && *route) continue;
    add_once(all.domains, domain,
             std::find(all.domains.begin(), all.domains.end(), domain) != all.domains.end());
  }
  return all;
}

}  // namespace qmail::tlscheck
