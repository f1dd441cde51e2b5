#include "qmail-remote/server_policy.h"

#include <utility>

#include "qmail-remote/messages.h"
#include "qmail-remote/policy_file.h"
#include "qmail-remote/smtp_routes.h"
#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

using Words = PolicyWords::Level;

Failure<Ending> not_called(const Exchanger& server, const std::string& sentence, Then then) {
  return Failure(Ending{deferred_before_tls(sentence, server.address.text()), then});
}

// How reports name it.
std::string shown_name(const Exchanger& server) {
  return server.name.empty() ? server.address.text() : server.name;
}

}  // namespace

Result<TlsPolicy, Ending> ServerPolicies::of(const Exchanger& server, std::uint16_t port,
                                             DnsClient& dns) {
  const auto files = tls_policy(control_, server.name, server.address);
  if (!files) {
    return not_called(server, tls_policy_unknown(files.error().file, files.error().reason),
                      Then::give_up);
  }
  if (files->level == TlsPolicy::Level::verify) return *files;

  auto policy = need_dns()     ? by_records(server, port, dns)
                : domain_.said ? as_said(server, *domain_.said)
                               : Result<TlsPolicy, Ending>(*files);
  if (!policy) return policy;
  if (credentials_.demand) policy->demand(*credentials_.demand);
  // A handshake that anybody on the way can spoil must not lay a password open.
  if (credentials_.any) policy->falls_back = false;
  if (files->forbidden) {
    if (policy->demands_tls()) {
      return not_called(server, tls_forbidden_while(shown_name(server), policy->why),
                        Then::try_next);
    }
    policy = *files;
  }
  if (policy->level == TlsPolicy::Level::never && port == smtps_port) {
    return not_called(server,
                      files->forbidden
                          ? tls_forbidden_on_465(shown_name(server))
                          : tls_forbidden_on_465_by(domain_.said->file, domain_.destination),
                      Then::give_up);
  }
  return policy;
}

// But for what DNS has a say in.
Result<TlsPolicy, Ending> ServerPolicies::as_said(const Exchanger& server,
                                                  const DomainPolicy::Saying& saying) const {
  const PolicyWords& words = saying.words;
  TlsPolicy policy;
  policy.server_name = server_name(server, words);
  policy.why = policy_says(saying.file, name_of(words.level), domain_.destination);
  switch (words.level) {
    case Words::none:
      policy.level = TlsPolicy::Level::never;
      return policy;
    case Words::may:
      policy.falls_back = true;
      return policy;
    case Words::encrypt:
      policy.level = TlsPolicy::Level::encrypt;
      return policy;
    case Words::fingerprint:
      policy.level = TlsPolicy::Level::verify;
      policy.verification = tls::Fingerprints{words.fingerprints};
      return policy;
    case Words::verify:
    case Words::secure:
      return verified(server, words, std::move(policy));
    case Words::dane:
    case Words::dane_only:
      return policy;  // by_records goes on
  }
  return policy;
}

// DANE: who has records is held to them. The others get what is said otherwise or, if nothing is,
// what is left: TLS, where they have some that nobody can use; else TLS if it can be had.
// `dane-only` leaves nothing, and nothing to guess either: the server's name must have DNSSEC, too.
Result<TlsPolicy, Ending> ServerPolicies::by_records(const Exchanger& server, std::uint16_t port,
                                                     DnsClient& dns) {
  const std::string name = shown_name(server);
  auto found = lookups_.of(dns, server, port);
  if (!found) return not_called(server, records_unknown(name), Then::try_next);
  const bool any = !found->records.empty();
  std::erase_if(found->records, [](const TlsaRecord& record) { return !is_usable(record); });
  const bool usable = !found->records.empty();
  const bool by_others = !usable && domain_.otherwise;
  const DomainPolicy::Saying& saying = by_others ? *domain_.otherwise : *domain_.said;
  const Words level = saying.words.level;
  auto said = as_said(server, saying);
  if (!said || !is_dane(level)) return said;
  TlsPolicy policy = *std::move(said);
  if (level == Words::dane_only && (!usable || !server.mx_secure)) {
    return not_called(server, no_records(any && !usable ? "usable" : "secure", name, policy.why),
                      Then::try_next);
  }
  if (usable) {
    policy.level = TlsPolicy::Level::verify;
    policy.server_name = found->base;
    policy.name_is_hearsay = !server.mx_secure;
    policy.verification = records_to_match(server, *std::move(found));
  } else if (any) {
    policy.level = TlsPolicy::Level::encrypt;
  } else {
    policy.falls_back = true;
  }
  return policy;
}

// An authority of the records may vouch for the name that they belong to, or for what MX leads from
// (RFC 7672, 3.2.3); where nothing does, for the server's name.
tls::Tlsa ServerPolicies::records_to_match(const Exchanger& server, ServerTlsa usable) const {
  tls::Tlsa wanted{std::move(usable.records), std::move(usable.base)};
  if (server.domain.empty()) {
    wanted.names = {without_final_dot(server.name)};
  } else {
    wanted.names = {domain_.destination, without_final_dot(server.domain)};
  }
  return wanted;
}

Result<TlsPolicy, Ending> ServerPolicies::verified(const Exchanger& server,
                                                   const PolicyWords& words,
                                                   TlsPolicy policy) const {
  tls::Anchors anchors;
  choose_names(server, words, policy, anchors);
  if (policy.wanted.empty()) {
    return not_called(server, name_not_verified(server.address.text(), text_no_name),
                      Then::try_next);
  }
  if (!words.tafile.empty()) {
    anchors.file = words.tafile.starts_with('/') ? words.tafile : control_.file(words.tafile);
    anchors.partial_chains = true;
  } else {
    const auto own = control_.has("tlsca.pem");
    if (!own) {
      return not_called(server, tls_policy_unknown(own.error().file, own.error().reason),
                        Then::give_up);
    }
    if (*own) anchors.file = control_.file("tlsca.pem");
  }
  policy.level = TlsPolicy::Level::verify;
  policy.authorities = anchors.file.empty() ? std::string(text_system_authorities) : anchors.file;
  policy.verification = std::move(anchors);
  return policy;
}

// Whom the certificate may be for. `hostname`, `nexthop` and `dot-nexthop` stand for names: not for
// addresses.
void ServerPolicies::choose_names(const Exchanger& server, const PolicyWords& words,
                                  TlsPolicy& policy, tls::Anchors& anchors) const {
  std::vector<std::string> match = words.match;
  if (match.empty()) {
    match = words.level == Words::verify ? std::vector<std::string>{"hostname"}
                                         : std::vector<std::string>{"nexthop", "dot-nexthop"};
  }
  const std::string& nexthop = domain_.destination;
  const bool is_name = !nexthop.empty() && !is_address(nexthop);
  const auto add = [&](std::vector<std::string>& names, std::string_view name, std::string shown) {
    names.push_back(without_final_dot(name));
    policy.wanted.push_back(std::move(shown));
  };
  for (const std::string& one : match) {
    if (equal_ignoring_case(one, "hostname")) {
      if (!server.name.empty()) add(anchors.names, server.name, without_final_dot(server.name));
    } else if (equal_ignoring_case(one, "nexthop")) {
      if (is_name) add(anchors.names, nexthop, nexthop);
    } else if (equal_ignoring_case(one, "dot-nexthop")) {
      if (is_name) add(anchors.domains, nexthop, "." + nexthop);
    } else if (one.starts_with('.')) {
      add(anchors.domains, one.substr(1), one);
    } else {
      add(anchors.names, one, one);
    }
  }
}

std::string ServerPolicies::server_name(const Exchanger& server, const PolicyWords& words) const {
  if (words.servername.empty() || equal_ignoring_case(words.servername, "hostname")) {
    return without_final_dot(server.name);
  }
  if (!equal_ignoring_case(words.servername, "nexthop")) {
    return without_final_dot(words.servername);
  }
  return is_address(domain_.destination) ? std::string() : domain_.destination;
}

}  // namespace qmail::remote
