#include "qmail-remote/smtp_routes.h"

#include "qmail/ascii.h"
#include "qmail/ip_address.h"

namespace qmail::remote {

namespace {

// Where the relay ends: at its closing bracket when it is an address in brackets, which may have
// colons within; else at the first colon.
std::size_t relay_length(std::string_view text) {
  const std::size_t bracket = text.find(']');
  if (bracket != std::string_view::npos && parse_ip_literal(text.substr(0, bracket + 1))) {
    if (bracket + 1 == text.size() || text[bracket + 1] == ':') return bracket + 1;
  }
  return text.find(':');
}

}  // namespace

SmtpRoutes::SmtpRoutes(NumberedList lines)
    : lines_(std::move(lines)), routes_(ConstMap::of_pairs(lines_.entries)) {}

// `relay`: what the map found, a part of the line.
BadLine SmtpRoutes::bad_line(std::string_view relay) const {
  std::size_t i = 0;
  const auto holds_it = [&](const std::string& line) {
    return line.data() + line.size() == relay.data() + relay.size();
  };
  while (i + 1 < lines_.entries.size() && !holds_it(lines_.entries[i])) ++i;
  return {"smtproutes", lines_.lines[i],
          "there is no AUTH here, so no use for a user and password"};
}

Result<std::optional<Route>, BadLine> SmtpRoutes::find(std::string_view host) const {
  const std::optional<Route> none;
  if (lines_.entries.empty()) return none;
  for (std::string_view key = host;;) {
    if (const auto relay = routes_.find(key)) {
      if (relay->empty()) return none;
      if (relay->find('|') != std::string_view::npos) return Failure(bad_line(*relay));
      return std::optional(parse_relay(*relay));
    }
    if (key.empty()) return none;
    const std::size_t dot = key.find('.', 1);
    key = dot == std::string_view::npos ? std::string_view() : key.substr(dot);
  }
}

Route parse_relay(std::string_view text) {
  const std::size_t length = relay_length(text);
  if (length == std::string_view::npos || length == text.size()) return {std::string(text)};
  const std::uint32_t port = leading_number(text.substr(length + 1)).value_or(0);
  return {std::string(text.substr(0, length)), static_cast<std::uint16_t>(port)};
}

}  // namespace qmail::remote
