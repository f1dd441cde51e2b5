#include "qmail-smtpd/relaying.h"

namespace qmail::smtpd {

bool may_relay(const Right& right) { return !std::holds_alternative<ByNobody>(right); }

std::string_view suffix(const Right& right) {
  const auto* by = std::get_if<ByEnvironment>(&right);
  return by != nullptr ? std::string_view(by->suffix) : std::string_view();
}

std::string trace_note(const Right& right) {
  const auto* by = std::get_if<ByCertificate>(&right);
  return by != nullptr ? "\n  (cert " + by->name + ")" : std::string();
}

std::vector<std::string> queue_variables(const Right& right) {
  if (std::holds_alternative<ByCertificate>(right)) return {"RELAYCLIENT="};
  return {};
}

}  // namespace qmail::smtpd
