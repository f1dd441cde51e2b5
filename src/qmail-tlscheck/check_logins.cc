// Passwords in control files: qmail-remote's logins at relays (RELAY[:PORT]|USER|PASSWORD). Who can
// read them, whether they can be sent at all, and to whom. Nothing of a login is ever printed.
#include <algorithm>

#include "qmail-remote/config.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/destinations.h"
#include "qmail/ascii.h"
#include "qmail/ip_address.h"

namespace qmail::tlscheck {

namespace {

bool has_login(const std::string& line) { return line.find('|') != std::string::npos; }

// Does control/tlspolicy have the relay prove who it is? `dane` only if it has records.
bool policy_verifies(const Site& site, const std::string& relay) {
  const auto config = remote::read_config(site.control);
  if (!config) return false;
  const auto found = config->policies.find(remote::destination(relay));
  using Level = remote::PolicyWords::Level;
  if (!found || !*found) return false;
  const Level level = (*found)->policy.level;
  return level >= Level::fingerprint && level != Level::dane;
}

// A login is sent inside TLS only: what the files about TLS make of the relay.
void check_relay(const Site& site, const std::string& file, const remote::Route& route,
                 Findings& found) {
  if (route.relay.empty()) return;  // qmail-remote refuses the line, and check_deliveries tells
  const std::string& relay = route.relay;
  const auto verified = site.control.has("tlshosts/" + relay + ".pem");
  if (verified && *verified) return;
  if (policy_verifies(site, relay)) return;
  for (const std::string& entry : {"notlshosts/" + relay, std::string("tlshosts/exhaustivelist")}) {
    const auto forbids = site.control.has(entry);
    if (!forbids || !*forbids || route.port == remote::smtps_port) continue;
    found.fail(file, "has a login for " + relay + ", which is sent inside TLS only, and " +
                         site.control.file(entry) + " forbids TLS there: the mail is deferred");
    return;
  }
  if (parse_ip(relay) || parse_ip_literal(relay)) {
    found.warn(file, "has a login for " + relay +
                         ", an address: whoever answers there gets it; a name can be verified");
  } else {
    found.warn(file, "has a login for " + relay +
                         ", and whoever answers there gets it: " + site.control.file("tlspolicy") +
                         " with " + relay + ":secure has it verified");
  }
}

// Logins as other qmails write them, which are none here.
void check_form(const std::string& file, std::string_view domain, std::string_view value,
                Findings& found) {
  const std::string of = "the line of " + (domain.empty() ? "all other mail" : std::string(domain));
  const std::string_view relay = value.substr(0, value.find('|'));
  if (relay.find(';') != std::string_view::npos) {
    found.fail(file, of + " has a ; before the port, as aQmail wants it: here it is a colon");
  }
  if (relay.size() == value.size() && relay.find_first_of(" \t") != std::string_view::npos) {
    found.fail(file, of + " has words behind the relay, as other qmails have user and password: "
                          "here it is RELAY:PORT|USER|PASSWORD, and without that nobody logs in");
  }
}

// Lines that qmail-remote cannot use, which stops the mail they are for.
template <typename Routes>
void check_lines(const Site& site, std::string_view name, const Routes& routes, Findings& found) {
  std::vector<std::size_t> told;
  for (const std::string& key : keys_of_routes(site, name)) {
    const auto route = routes.find(key);
    if (route || std::count(told.begin(), told.end(), route.error().line) != 0) continue;
    told.push_back(route.error().line);
    found.fail(site.control.file(name), "line " + std::to_string(route.error().line) + ": " +
                                            route.error().reason +
                                            ": the mail that it is for is deferred");
  }
}

void check_file(const Site& site, std::string_view name, Findings& found) {
  const auto lines = site.control.list(name);
  if (!lines || !*lines) return;
  const std::string file = site.control.file(name);
  if (std::any_of((*lines)->begin(), (*lines)->end(), has_login) && world_readable(file)) {
    found.fail(file, "can be read by everybody on this machine and holds a password: chmod 640");
  }
  for (const std::string_view line : **lines) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view value = line.substr(colon + 1);
    check_form(file, line.substr(0, colon), value, found);
    const std::size_t bar = value.find('|');
    if (bar == std::string_view::npos) continue;
    check_relay(site, file, remote::parse_relay(value.substr(0, bar)), found);
  }
}

}  // namespace

void check_logins(const Site& site, Findings& found) {
  check_file(site, "authsenders", found);
  check_file(site, "smtproutes", found);
  const auto config = remote::read_config(site.control);
  if (!config) return;  // of which check_deliveries tells
  check_lines(site, "authsenders", config->senders, found);
  check_lines(site, "smtproutes", config->routes, found);
}

}  // namespace qmail::tlscheck
