// control/tlspolicy, line by line as qmail-remote reads it: what stops mail, and what has no
// effect.
#include <algorithm>

#include "qmail-remote/config.h"
#include "qmail-tlscheck/checks.h"
#include "qmail/ascii.h"
#include "tls/tls.h"

namespace qmail::tlscheck {

namespace {

using Line = remote::PolicyFile::Line;
using Level = remote::PolicyWords::Level;

std::string whose(const Line& line) {
  return line.domain.empty() ? "all other mail" : "mail for " + line.domain;
}

// Can qmail-remote verify anybody by the file?
void check_authorities(const Site& site, const std::string& file, Findings& found) {
  check_access(site, file, Owner::remote, Secret::no, found);
  tls::ClientSettings settings;
  settings.verification = tls::Anchors{file};
  const auto context = tls::ClientContext::create(settings);
  if (!context) {
    found.fail(file,
               "cannot be used, all mail that needs it is deferred: " + context.error().detail);
  }
}

// Why qmail-remote never comes to the line.
std::optional<std::string> why_without_effect(const Line& line, const std::vector<Line>& lines,
                                              const remote::SmtpRoutes& routes) {
  const auto same = std::find_if(lines.rbegin(), lines.rend(), [&](const Line& other) {
    return equal_ignoring_case(other.domain, line.domain);
  });
  if (same->number != line.number) {
    return "line " + std::to_string(same->number) + " is for the same, and the last one counts";
  }
  if (line.domain != remote::destination(line.domain) && line.domain.ends_with('.')) {
    return "what mail goes to is looked for without a final dot";
  }
  const auto route = routes.find(line.domain);
  if (line.domain.empty() || !route || !*route) return std::nullopt;
  const std::string relay = remote::destination((*route)->relay);
  if (relay.empty() || equal_ignoring_case(relay, line.domain)) return std::nullopt;
  return "smtproutes sends " + whose(line) + " to " + relay + ", whose line would count";
}

void check_line(const Site& site, const Line& line, const remote::RemoteConfig& config,
                bool& wants_authorities, Findings& found) {
  const std::string file = site.control.file("tlspolicy");
  const std::string where = "line " + std::to_string(line.number);
  const auto why = why_without_effect(line, config.policies.lines(), config.routes);
  if (why) return found.warn(file, where + " has no effect: " + *why);
  const auto words = remote::PolicyFile::policy_of(line);
  if (!words) {
    return found.fail(file,
                      where + ": " + words.error().reason + ": " + whose(line) + " is deferred");
  }
  const bool by_chain = words->level == Level::verify || words->level == Level::secure;
  if (!words->tafile.empty()) {
    const std::string& name = words->tafile;
    check_authorities(site, name.starts_with('/') ? name : site.control.file(name), found);
  }
  wants_authorities = wants_authorities || (by_chain && words->tafile.empty());
}

}  // namespace

void check_policies(const Site& site, Findings& found) {
  const auto config = remote::read_config(site.control);
  if (!config) return;  // of which check_deliveries tells
  const std::vector<Line>& lines = config->policies.lines();
  bool wants_authorities = config->policy_map.has_value();  // it says "secure" of some
  for (const Line& line : lines) check_line(site, line, *config, wants_authorities, found);
  if (!lines.empty()) {
    found.ok(site.control.file("tlspolicy"), "policies: " + std::to_string(lines.size()));
  }
  if (!there(site, "tlsca.pem", found)) return;
  const std::string authorities = site.control.file("tlsca.pem");
  if (wants_authorities) {
    check_authorities(site, authorities, found);
  } else {
    found.warn(
        authorities,
        "has no effect: no line of tlspolicy is verify or secure without tafile, and there is "
        "no tlspolicymap");
  }
}

}  // namespace qmail::tlscheck
