// control/tlspolicy, line by line as qmail-remote reads it: what stops mail, and what has no
// effect; and what it asks of the relays in smtproutes and authsenders, against the older files.
#include <algorithm>
#include <map>
#include <set>

#include "qmail-remote/config.h"
#include "qmail-remote/domain_policy.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/destinations.h"
#include "qmail/ascii.h"
#include "qmail/ip_address.h"
#include "tls/tls.h"

namespace qmail::tlscheck {

namespace {

using Line = remote::PolicyFile::Line;
using Level = remote::PolicyWords::Level;

std::string whose(const Line& line) {
  return line.domain.empty() ? "all other mail" : "mail for " + line.domain;
}

std::optional<IpAddress> text_address(std::string_view name) {
  const auto address = parse_ip(name);
  return address ? address : parse_ip_literal(name);
}

// Known by that name, or by that address alone. Who is not called may be anywhere.
remote::Exchanger server_called(const std::string& name) {
  if (const auto address = text_address(name)) return {*address, 0, ""};
  return {*parse_ip("192.0.2.1"), 0, name};
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

// The one in control/tlshosts that says alone what is asked of the relay, if it is there.
std::string file_that_decides(const Site& site, const std::string& relay) {
  const remote::Exchanger server = server_called(relay);
  const auto files = remote::tls_policy(site.control, server.name, server.address);
  if (!files || files->level != remote::TlsPolicy::Level::verify) return {};
  return files->authorities;
}

// The lines that mail goes by: to domains, and to which relays.
struct LinesInUse {
  std::set<const Line*> by_domains{};
  std::map<const Line*, std::vector<std::string>> by_relays{};

  static LinesInUse of(const remote::PolicyFile& policies, const Destinations& to) {
    LinesInUse in_use;
    for (const std::string& domain : to.domains) {
      in_use.by_domains.insert(policies.line_for(remote::destination(domain)));
    }
    for (const Relay& relay : to.relays) {
      in_use.by_relays[policies.line_for(remote::destination(relay.name))].push_back(relay.name);
    }
    return in_use;
  }
};

// Why qmail-remote never goes by the line.
std::optional<std::string> why_without_effect(const Site& site, const Line& line,
                                              const remote::RemoteConfig& config,
                                              const Destinations& to, const LinesInUse& in_use) {
  const std::vector<Line>& lines = config.policies.lines();
  const auto same = std::find_if(lines.rbegin(), lines.rend(), [&](const Line& other) {
    return equal_ignoring_case(other.domain, line.domain);
  });
  if (same->number != line.number) {
    return "line " + std::to_string(same->number) + " is for the same, and the last one counts";
  }
  if (line.domain.ends_with('.')) return "what mail goes to is looked for without a final dot";
  if (in_use.by_domains.contains(&line)) return std::nullopt;
  if (const auto relays = in_use.by_relays.find(&line); relays != in_use.by_relays.end()) {
    std::string decides;
    for (const std::string& relay : relays->second) {
      decides = file_that_decides(site, relay);
      if (decides.empty()) return std::nullopt;
    }
    return "what counts is " + decides;
  }
  const auto route = config.routes.find(line.domain);
  if (!to.domains.empty() && !line.domain.empty() && route && *route) {
    return "smtproutes sends " + whose(line) + " to " + (*route)->relay +
           ", whose line would count";
  }
  return std::string("all it is for has a route, and what counts are the relays' lines");
}

// What becomes of mail to a server of that name, or address, as a delivery would judge before it
// calls; nothing: it calls. TLSA records are not asked for: dane is check_dane's business.
std::optional<std::string> why_never_called(const Site& site, const std::string& name,
                                            std::uint16_t port,
                                            const remote::RemoteConfig& config) {
  auto policy = remote::policy_for_relay(name, config);
  if (!policy) return std::nullopt;  // the line's trouble
  const remote::Exchanger server = server_called(name);
  if (policy->leaves_it_to_dns() && !server.name.empty()) return std::nullopt;
  remote::DnsClient nobody(std::nullopt);
  remote::ServerPolicies policies(site.control, std::move(*policy), {});
  const auto asked = policies.of(server, port, nobody);
  if (asked) return std::nullopt;
  const std::string& report = asked.error().report.text;
  return report.substr(0, report.find("; connecting to "));
}

void check_relays(const Site& site, const remote::RemoteConfig& config, const Destinations& to,
                  Findings& found) {
  for (const Relay& relay : to.relays) {
    const auto why = why_never_called(site, relay.name, relay.port, config);
    if (!why) continue;
    found.fail(site.control.file(relay.file),
               "all mail to " + relay.name + " is deferred: " + *why);
  }
}

// What a line asks where control/tlshosts/exhaustivelist keeps TLS from everybody who has no file
// there.
void check_against_list(const Site& site, const Line& line, const remote::PolicyWords& words,
                        Findings& found) {
  if (!there(site, "tlshosts/exhaustivelist", found)) return;
  const std::string file = site.control.file("tlspolicy");
  const std::string where = "line " + std::to_string(line.number);
  const std::string list = site.control.file("tlshosts/exhaustivelist");
  if (words.level <= Level::may) {
    found.warn(file, where + " has no effect: " + list + " forbids TLS with who has no file there");
  } else {
    found.warn(file, where + ": " + whose(line) +
                         (is_dane(words.level) ? " to servers with TLSA records" : "") +
                         " is deferred, unless the server has a file of its own in tlshosts: " +
                         list + " forbids TLS with all others");
  }
}

void check_line(const Site& site, const Line& line, const remote::RemoteConfig& config,
                const Destinations& to, const LinesInUse& in_use, bool& wants_authorities,
                Findings& found) {
  const std::string file = site.control.file("tlspolicy");
  const std::string where = "line " + std::to_string(line.number);
  const auto why = why_without_effect(site, line, config, to, in_use);
  if (why) return found.warn(file, where + " has no effect: " + *why);
  const auto words = remote::PolicyFile::policy_of(line);
  if (!words) {
    return found.fail(file,
                      where + ": " + words.error().reason + ": " + whose(line) + " is deferred");
  }
  if (text_address(line.domain)) {
    const auto refused = why_never_called(site, line.domain, remote::smtp_port, config);
    if (refused) found.fail(file, where + ": " + whose(line) + " is deferred: " + *refused);
    if (words->level == Level::dane) {
      found.warn(file, where + ": dane is may here: an address has no TLSA records");
    }
  }
  check_against_list(site, line, *words, found);
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
  const Destinations to = Destinations::of(site, *config);
  bool wants_authorities = config->policy_map.has_value();  // it says "secure" of some
  const auto in_use = LinesInUse::of(config->policies, to);
  for (const Line& line : lines) {
    check_line(site, line, *config, to, in_use, wants_authorities, found);
  }
  check_relays(site, *config, to, found);
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
