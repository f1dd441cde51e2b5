#include "qmail-remote/route_map.h"

#include <utility>

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

// USER|PASSWORD, or what is wrong with it.
Result<Credentials, std::string_view> parse_credentials(std::string_view text) {
  using Bad = Failure<std::string_view>;
  const std::size_t bar = text.find('|');
  if (bar == std::string_view::npos) return Bad("no password");
  Credentials credentials{Secret(text.substr(0, bar)), Secret(text.substr(bar + 1))};
  if (credentials.user.empty() && !credentials.password.empty()) return Bad("empty user");
  if (!credentials.user.empty() && credentials.password.empty()) return Bad("empty password");
  return credentials;
}

}  // namespace

RouteMap::RouteMap(NumberedList lines, std::string file)
    : lines_(std::move(lines)), map_(ConstMap::of_pairs(lines_.entries)), file_(std::move(file)) {}

// What was here goes with `other`, and is wiped.
RouteMap& RouteMap::operator=(RouteMap&& other) noexcept {
  std::swap(lines_, other.lines_);
  std::swap(map_, other.map_);
  std::swap(file_, other.file_);
  return *this;
}

RouteMap::~RouteMap() {
  for (std::string& line : lines_.entries) wipe(line);
}

// `found` is a part of its line.
std::size_t RouteMap::index_of(std::string_view found) const {
  std::size_t i = 0;
  const auto holds_it = [&](const std::string& line) {
    return line.data() + line.size() == found.data() + found.size();
  };
  while (i + 1 < lines_.entries.size() && !holds_it(lines_.entries[i])) ++i;
  return i;
}

Result<Route, BadLine> RouteMap::route(std::string_view found) const {
  const std::size_t bar = found.find('|');
  if (bar == std::string_view::npos) return parse_relay(found);
  const std::size_t i = index_of(found);
  const auto bad = [&](std::string_view reason) {
    return Failure(BadLine{file_, lines_.lines[i], std::string(reason)});
  };
  if (lines_.ended_by_nul[i]) return bad("bad value");
  Route route = parse_relay(found.substr(0, bar));
  // A password is not for whoever DNS names.
  if (route.relay.empty()) return bad("no relay");
  auto credentials = parse_credentials(found.substr(bar + 1));
  if (!credentials) return bad(credentials.error());
  route.login = Login{std::move(*credentials)};
  return route;
}

std::optional<BadLine> RouteMap::line_without_colon() const {
  for (std::size_t i = 0; i < lines_.entries.size(); ++i) {
    if (lines_.entries[i].find(':') == std::string::npos) {
      return BadLine{file_, lines_.lines[i], "no colon"};
    }
  }
  return std::nullopt;
}

Route parse_relay(std::string_view text) {
  const std::size_t length = relay_length(text);
  if (length == std::string_view::npos || length == text.size()) return {std::string(text)};
  const std::uint32_t port = leading_number(text.substr(length + 1)).value_or(0);
  return {std::string(text.substr(0, length)), static_cast<std::uint16_t>(port)};
}

}  // namespace qmail::remote
