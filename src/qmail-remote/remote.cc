#include "qmail-remote/remote.h"

#include <algorithm>
#include <optional>
#include <unistd.h>
#include <utility>
#include <variant>

#include "qmail-remote/address.h"
#include "qmail-remote/config.h"
#include "qmail-remote/conversation.h"
#include "qmail-remote/delivery.h"
#include "qmail-remote/dial.h"
#include "qmail-remote/dns_client.h"
#include "qmail-remote/domain_policy.h"
#include "qmail-remote/messages.h"
#include "qmail-remote/mx_resolver.h"
#include "qmail-remote/server_policy.h"
#include "qmail-remote/server_walk.h"
#include "qmail-remote/tcpto.h"
#include "qmail/environment.h"

namespace qmail::remote {

namespace {

// A value, or the report with which everything ends.
template <typename T>
using OrReport = Result<T, MessageReport>;

struct Recipients {
  std::vector<Recipient> list;
  bool all_aliases = true;
};

enum class Domains { as_given, canonical };

OrReport<Recipients> prepare_recipients(const std::vector<std::string>& addresses, Domains domains,
                                        DnsClient& dns) {
  Recipients recipients;
  for (const std::string& address : addresses) {
    if (has_line_break(address)) {
      recipients.list.push_back({"", true});
      continue;
    }
    if (domains == Domains::as_given) {
      recipients.list.push_back({remote::quoted(address)});
      continue;
    }
    const auto found = canonical(address, dns);
    if (!found) return Failure(deferred(text_alias_lookup_failed));
    recipients.all_aliases = recipients.all_aliases && found->is_alias;
    recipients.list.push_back({remote::quoted(found->address)});
  }
  return recipients;
}

MessageReport unusable(const ConfigError& error) {
  if (const auto* line = std::get_if<BadLine>(&error)) return unusable_line(*line);
  if (const auto* source = std::get_if<BadSource>(&error)) return invalid_source(source->file);
  return deferred(text_control_unreadable);
}

MessageReport lookup_failed(LookupFailure failure, const std::string& host) {
  switch (failure) {
    case LookupFailure::no_such_host:
      return no_such_host(host);
    case LookupFailure::no_exchanger:
      return failed(text_no_exchanger);
    case LookupFailure::temporary:
      break;
  }
  return deferred(text_host_lookup_failed);
}

// The servers to try, in order; not one of them is this host unless a route or an alias led to it.
OrReport<std::vector<Exchanger>> find_servers(const std::string& host,
                                              const std::optional<Route>& route, bool may_be_me,
                                              AddressPreference preference, DnsClient& dns) {
  const std::string& name = route ? route->relay : host;
  auto found = route ? addresses_of(dns, name, preference) : exchangers_of(dns, name, preference);
  if (!found) return Failure(lookup_failed(found.error(), name));
  if (may_be_me) return std::move(*found);
  const auto me = OwnAddresses::learn();
  if (!me) return Failure(deferred(text_no_resources));
  auto better = better_than_me(std::move(*found), *me);
  if (better.empty()) return Failure(failed(text_exchanger_is_me));
  return better;
}

// How we speak over this connection: with the name that belongs to where it comes from.
Result<Manner, BadLine> manner_on(int socket, const Manner& manner, const HeloHosts& helohosts) {
  Manner here = manner;
  if (helohosts.empty()) return here;
  const auto source = source_of(socket);
  auto name = source ? helohosts.find(*source) : std::optional<std::string>();
  if (!name) return Failure(name.error());
  if (*name) here.helohost = std::move(**name);
  return here;
}

ServerPolicies::Credentials credentials_of(const Manner& manner) {
  if (manner.login == nullptr) return {};
  if (manner.allow_insecure_auth) return {true};
  return {true, manner.login->why};
}

// Calls one server after another until one has taken or refused the mail, or all have been called.
MessageReport try_servers(ServerWalk walk, std::uint16_t port, ServerPolicies& policies,
                          DnsClient& dns, const Dialing& dialing, const HeloHosts& helohosts,
                          const Manner& manner, const Mail& mail, Reports& reports) {
  while (const Exchanger* server = walk.next()) {
    std::optional<UniqueFd> socket;
    if (!policies.need_dns()) {
      socket = walk.call();
      if (!socket) continue;
    }
    auto policy = policies.of(*server, port, dns);
    if (!policy) {
      walk.ended(std::move(policy.error()));
      continue;
    }
    // Where DNS has a say, it may say that the server is not to be called.
    if (!socket) socket = walk.call();
    if (!socket) continue;
    const auto here = manner_on(socket->get(), manner, helohosts);
    if (!here) return unusable_line(here.error());
    walk.ended(converse(*std::move(socket), {server->address, port, server->name},
                        *std::move(policy), dialing, *here, mail, reports));
  }
  return std::move(walk).report();
}

}  // namespace

MessageReport send_mail(const Invocation& invocation, Reports& reports) {
  const ControlDir control;
  auto config = read_config(control);
  if (!config) return unusable(config.error());
  auto route = config->senders.find(invocation.sender);
  if (route && !*route) route = config->routes.find(invocation.host);
  if (!route) return unusable_line(route.error());
  auto policy = *route ? policy_for_relay((*route)->relay, *config)
                       : policy_for_domain(invocation.host, *config);
  if (!policy) return policy.error();
  // Of all the passwords in them none but this route's is needed any more.
  config->senders = {};
  config->routes = {};

  if (has_line_break(invocation.sender)) return failed(text_sender_line_break);
  if (std::all_of(invocation.recipients.begin(), invocation.recipients.end(), has_line_break)) {
    for (std::size_t i = 0; i < invocation.recipients.size(); ++i) {
      reports.add(RecipientStatus::permanent, text_recipient_line_break);
    }
    return failed(text_recipient_line_break);
  }
  DnsClient dns(name_server_of_environment());
  const bool asks_for_records = policy->leaves_it_to_dns();
  if (asks_for_records) dns.ask_for_security();
  auto recipients = prepare_recipients(invocation.recipients,
                                       *route ? Domains::as_given : Domains::canonical, dns);
  if (!recipients) {
    // With DANE it is said of a host that does not validate that it was not found.
    if (asks_for_records) {
      const auto servers =
          find_servers(invocation.host, *route, true, config->address_preference, dns);
      if (!servers) return servers.error();
    }
    return recipients.error();
  }

  const bool may_be_me = route->has_value() || recipients->all_aliases;
  auto servers = find_servers(invocation.host, *route, may_be_me, config->address_preference, dns);
  if (!servers) return servers.error();

  const Manner manner{std::move(config->helohost),
                      config->timeout_remote,
                      control,
                      debug_wanted(),
                      *route && (*route)->login ? &*(*route)->login : nullptr,
                      environment_switch("ALLOW_INSECURE_AUTH"),
                      config->pipelining,
                      config->parameters,
                      config->tls_words};
  const Mail mail{remote::quoted(invocation.sender), std::move(recipients->list),
                  invocation.message};
  const Dialing dialing{config->timeout_connect, config->sources};
  const std::uint16_t port = *route ? (*route)->port : smtp_port;
  ServerPolicies policies(control, *std::move(policy), credentials_of(manner));
  return try_servers({*std::move(servers), port, dialing,
                      TimeoutTable("queue/lock", TimeoutTable::patience_of(::getpid()))},
                     port, policies, dns, dialing, config->helohosts, manner, mail, reports);
}

}  // namespace qmail::remote
