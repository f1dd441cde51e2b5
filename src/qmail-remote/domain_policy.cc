#include "qmail-remote/domain_policy.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "qmail-remote/messages.h"

namespace qmail::remote {

namespace {

constexpr std::chrono::seconds longest_question{30};

struct InFile {
  DomainPolicy policy;
  bool by_line_of_its_own;
};

Result<InFile, MessageReport> policy_in_file(std::string_view name, const PolicyFile& policies) {
  InFile said{{destination(name)}, false};
  auto found = policies.find(said.policy.destination);
  if (!found) return Failure(unusable_line(found.error()));
  if (*found) {
    said.policy.said = {std::move((*found)->policy), "control/tlspolicy"};
    said.by_line_of_its_own = !(*found)->is_default;
  }
  return said;
}

bool is_for_the_server(const InFile& said, const RemoteConfig& config) {
  const std::string& domain = said.policy.destination;
  const auto& by_file = said.policy.said;
  if (by_file && by_file->words.level == PolicyWords::Level::dane_only) return false;
  return config.policy_map && !said.by_line_of_its_own && !domain.empty() && !is_address(domain);
}

// What the server says takes the place of what is said so far; of dane only where DNS says nothing
// (RFC 8461, 2).
PolicyOrReport ask(const SocketMap& map, std::chrono::seconds timeout, DomainPolicy policy) {
  const auto answer = look_up(map, policy.destination, std::min(longest_question, timeout));
  if (!answer) return Failure(policy_not_found_out(policy.destination, answer.error()));
  if (!*answer) return policy;
  auto words = parse_policy(**answer);
  if (!words) return Failure(policy_unusable(words.error()));
  auto& place = policy.leaves_it_to_dns() ? policy.otherwise : policy.said;
  place = DomainPolicy::Saying{std::move(*words), "control/tlspolicymap"};
  return policy;
}

}  // namespace

PolicyOrReport policy_for_relay(std::string_view relay, const RemoteConfig& config) {
  auto said = policy_in_file(relay, config.policies);
  if (!said) return Failure(std::move(said.error()));
  return std::move(said->policy);
}

PolicyOrReport policy_for_domain(std::string_view host, const RemoteConfig& config) {
  auto said = policy_in_file(host, config.policies);
  if (!said) return Failure(std::move(said.error()));
  if (!is_for_the_server(*said, config)) return std::move(said->policy);
  return ask(*config.policy_map, config.timeout_remote, std::move(said->policy));
}

bool asks_policy_server(std::string_view host, const RemoteConfig& config) {
  const auto said = policy_in_file(host, config.policies);
  return said && is_for_the_server(*said, config);
}

}  // namespace qmail::remote
