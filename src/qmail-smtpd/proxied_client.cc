#include "qmail-smtpd/proxied_client.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "qmail-smtpd/cdb_file.h"
#include "qmail-smtpd/config.h"
#include "qmail-smtpd/proxy_header.h"
#include "qmail/deadline.h"
#include "qmail/environment.h"
#include "qmail/transport.h"

namespace qmail::smtpd {

namespace {

constexpr std::chrono::seconds longest_wait(5);

EndSession close_without_a_word(std::string_view reason) {
  return {"", "PROXY header: " + std::string(reason)};
}

// A timeoutsmtpd that cannot be read is told of when the session would begin.
std::chrono::seconds time_to_wait(const ControlDir& control) {
  const auto timeout = SmtpdConfig::read_timeout(control);
  return timeout ? std::min(*timeout, longest_wait) : longest_wait;
}

Result<ProxyHeader, EndSession> receive_header(int input, Deadline deadline) {
  FdTransport transport(input, input);
  std::array<char, longest_proxy_header> bytes;
  std::size_t have = 0;
  for (;;) {
    const ProxyHeaderStep step = read_proxy_header({bytes.data(), have});
    if (const auto* header = std::get_if<ProxyHeader>(&step)) return *header;
    if (const auto* none = std::get_if<NoProxyHeader>(&step)) {
      return Failure(close_without_a_word(none->reason));
    }
    const std::size_t more = std::get<ProxyHeaderGoesOn>(step).more;
    const auto got = transport.read(std::span(bytes).subspan(have, more), deadline);
    if (!got) return Failure(close_without_a_word(got.error().reason));
    if (*got == 0) return Failure(close_without_a_word(have == 0 ? "missing" : "cut off"));
    have += *got;
  }
}

void name_client(const ProxyHeader& header) {
  remove_from_environment("RELAYCLIENT");
  if (!header.ends) return;
  const auto& [client, server] = *header.ends;
  put_into_environment("TCPREMOTEIP", client.address.text());
  put_into_environment("TCPREMOTEPORT", std::to_string(client.port));
  put_into_environment("TCPLOCALIP", server.address.text());
  put_into_environment("TCPLOCALPORT", std::to_string(server.port));
  remove_from_environment("TCPREMOTEHOST");
  remove_from_environment("TCPREMOTEINFO");
}

// As tcpserver looks for an address: the whole of it, its beginnings up to a dot (a colon),
// nothing.
Result<std::optional<std::string>, ControlError> find_rule(const CdbFile& rules,
                                                           std::string_view address) {
  const char separator = address.find(':') == std::string_view::npos ? '.' : ':';
  for (std::string_view key = address;;) {
    auto found = rules.find(key);
    if (!found || *found || key.empty()) return found;
    key.remove_suffix(1);
    key = key.substr(0, key.rfind(separator) + 1);  // npos + 1: nothing is left
  }
}

// What tcprules made of "allow,NAME="VALUE"": "+NAME=VALUE" and NUL, again and again.
void obey_rule(std::string_view rule) {
  while (!rule.empty()) {
    const std::size_t end = rule.find('\0');
    if (end == std::string_view::npos) return;
    const std::string_view instruction = rule.substr(0, end);
    const std::size_t equals = instruction.find('=');
    if (instruction.starts_with('+') && equals != std::string_view::npos) {
      put_into_environment(std::string(instruction.substr(1, equals - 1)).c_str(),
                           std::string(instruction.substr(equals + 1)));
    }
    rule.remove_prefix(end + 1);
  }
}

std::optional<EndSession> apply_rules(const std::string& file) {
  const auto rule = proxy_rule_for(file, environment_variable("TCPREMOTEIP").value_or(""));
  if (!rule) return unreadable_controls(rule.error());
  if (!*rule) return std::nullopt;
  if (denies(**rule)) return close_without_a_word("denied by " + file);
  obey_rule(**rule);
  return std::nullopt;
}

}  // namespace

std::optional<EndSession> take_client_of_proxy(int input, const ControlDir& control) {
  const auto header = receive_header(input, Deadline::after(time_to_wait(control)));
  if (!header) return header.error();
  name_client(*header);
  const auto rules = environment_variable("PROXYRULES");
  return rules ? apply_rules(*rules) : std::nullopt;
}

Result<std::optional<std::string>, ControlError> proxy_rule_for(const std::string& file,
                                                                std::string_view address) {
  const auto rules = CdbFile::open(file);
  if (!rules) return Failure(rules.error());
  if (!*rules) return Failure(ControlError{file, "there is no such file (PROXYRULES)"});
  return find_rule(**rules, address);
}

// "D" and NUL among what tcprules made of it.
bool denies(std::string_view rule) {
  while (!rule.empty()) {
    if (rule.starts_with('D')) return true;
    rule.remove_prefix(std::min(rule.find('\0'), rule.size() - 1) + 1);
  }
  return false;
}

}  // namespace qmail::smtpd
