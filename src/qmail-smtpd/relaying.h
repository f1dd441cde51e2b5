// Why a client may relay, in one value, and what follows from it. Pure.
#pragma once

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

using Right = std::variant<ByNobody, ByEnvironment, ByCertificate>;

bool may_relay(const Right& right);
// What each recipient gets appended.
std::string_view suffix(const Right& right);
// What the trace field says behind the protocol; empty: nothing.
std::string trace_note(const Right& right);
// What the queue program is told beyond our own environment: NAME=VALUE.
std::vector<std::string> queue_variables(const Right& right);

}  // namespace qmail::smtpd
