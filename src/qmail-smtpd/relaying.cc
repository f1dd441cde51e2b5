#include "qmail-smtpd/relaying.h"

namespace qmail::smtpd {

bool may_relay(const Right& right) { return !std::holds_alternative<ByNobody>(right); }

std::string_view suffix(const Right& right) {
  const auto* by = std::get_if<ByEnvironment>(&right);
  return by != nullptr ? std::string_view(by->suffix) : std::string_view();
}

std::string protocol(const Right& right, const std::optional<std::string>& cipher) {
  const bool login = std::holds_alternative<ByLogin>(right);
  if (!cipher) return login ? "ESMTPA" : "SMTP";
  if (login) return "ESMTPSA (" + *cipher + " encrypted, authenticated)";
  std::string text = "ESMTPS (" + *cipher + " encrypted)";
  if (const auto* by = std::get_if<ByCertificate>(&right)) {
    text.append("\n  (cert ").append(by->name).append(")");
  }
  return text;
}

std::vector<std::string> queue_variables(const Right& right) {
  if (std::holds_alternative<ByCertificate>(right)) return {"RELAYCLIENT="};
  if (const auto* by = std::get_if<ByLogin>(&right)) {
    return {"RELAYCLIENT=", "TCPREMOTEINFO=" + by->user, "SMTPAUTHUSER=" + by->user,
            "SMTPAUTHMETHOD=" + by->method};
  }
  return {};
}

}  // namespace qmail::smtpd
