// Why a client may relay, in one value, and what follows from it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace qmail::smtpd {

// It may not. `reason`: why its certificate does not help, in words for the client; empty when
// there is nothing to say (none was needed or shown, or this host does not relay for any).
struct ByNobody {
  std::string reason{};
};
// RELAYCLIENT is set; `suffix` is appended to each recipient.
struct ByEnvironment {
  std::string suffix{};
};
// Its certificate is that of `name`, who is listed in control/tlsclients.
struct ByCertificate {
  std::string name;
};

// It has said who it is: SMTP AUTH.
struct ByLogin {
  std::string user;
  std::string method;  // "plain"
};

using Right = std::variant<ByNobody, ByEnvironment, ByCertificate, ByLogin>;

bool may_relay(const Right& right);
// What each recipient gets appended.
std::string_view suffix(const Right& right);
// The protocol as the trace field has it (RFC 3848), with what vouches for the client. `cipher`:
// inside TLS.
std::string protocol(const Right& right, const std::optional<std::string>& cipher);
// What the queue program is told beyond our own environment: NAME=VALUE.
std::vector<std::string> queue_variables(const Right& right);

}  // namespace qmail::smtpd
