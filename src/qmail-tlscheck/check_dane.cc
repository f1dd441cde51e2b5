// dane and dane-only in control/tlspolicy: can anything that DNS says be secure here? The name
// servers are those that qmail-remote would ask, judged by its own code; the root is signed, so who
// validates says so of it.
#include <algorithm>

#include "qmail-remote/config.h"
#include "qmail-tlscheck/checks.h"

namespace qmail::tlscheck {

namespace {

using Line = remote::PolicyFile::Line;
using Words = remote::PolicyWords::Level;

bool any_says(const std::vector<Line>& lines, Words level) {
  return std::any_of(lines.begin(), lines.end(), [&](const Line& line) {
    const auto words = remote::PolicyFile::policy_of(line);
    return words && words->level == level;
  });
}

// Why nothing is secure; nothing: something may be.
std::optional<std::string> why_nothing_is_secure() {
  remote::DnsClient dns(remote::name_server_of_environment());
  dns.ask_for_security();
  if (!dns.believes_servers()) {
    return "a name server that is asked is not on this host (127.0.0.1), and resolv.conf does not "
           "say \"options trust-ad\"";
  }
  const auto root = dns.origin(".");
  if (root && root->secure) return std::nullopt;
  return root ? "the name server does not say that it validates (the root's SOA has no AD)"
              : "the name server gives no answer for the root";
}

}  // namespace

void check_dane(const Site& site, Findings& found) {
  const auto config = remote::read_config(site.control);
  if (!config) return;  // of which check_deliveries tells
  const std::vector<Line>& lines = config->policies.lines();
  const bool dane = any_says(lines, Words::dane);
  const bool dane_only = any_says(lines, Words::dane_only);
  if (!dane && !dane_only) return;
  const std::string file = site.control.file("tlspolicy");
  const auto why = why_nothing_is_secure();
  if (!why) return found.ok(file, "dane: the name server validates, and is believed");
  if (dane) found.warn(file, "dane is may here: " + *why);
  if (dane_only) found.fail(file, "mail for who is dane-only is deferred: " + *why);
}

}  // namespace qmail::tlscheck
