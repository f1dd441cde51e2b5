// RouteMap: the lines KEY:RELAY[:PORT][|USER|PASSWORD] of a control file. What KEY stands for is
// the file's business: smtp_routes.h, authsenders.h.
//
// RELAY is a name, an address, or an address in brackets ([2001:db8::25] too). The part behind the
// first '|' is USER, up to the next one; the rest is PASSWORD, whatever is in it. Both empty: AUTH
// EXTERNAL. The lines are wiped when the owner goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "qmail-remote/bad_line.h"
#include "qmail-remote/credentials.h"
#include "qmail/constmap.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::remote {

inline constexpr std::uint16_t smtp_port = 25;
inline constexpr std::uint16_t smtps_port = 465;  // TLS from the first byte

struct Route {
  std::string relay;
  std::uint16_t port = smtp_port;
  std::optional<Login> login{};
};

class RouteMap {
 public:
  RouteMap() = default;
  // `file`: the lines', in control/.
  RouteMap(NumberedList lines, std::string file);
  // The map refers to the lines, which stay where they are when the owner moves.
  RouteMap(RouteMap&&) = default;
  RouteMap& operator=(RouteMap&& other) noexcept;
  RouteMap(const RouteMap&) = delete;
  RouteMap& operator=(const RouteMap&) = delete;
  ~RouteMap();

  // What stands behind the colon of the last line with that key, without regard to letter case.
  std::optional<std::string_view> find(std::string_view key) const { return map_.find(key); }
  // The route that `found`, which is not empty, says. The login's `why` is left to the caller.
  Result<Route, BadLine> route(std::string_view found) const;
  // A line of which nobody can tell whom it is for.
  std::optional<BadLine> line_without_colon() const;

 private:
  std::size_t index_of(std::string_view found) const;

  NumberedList lines_;
  ConstMap map_;
  std::string file_;
};

// RELAY[:PORT]. A port without digits is 0, where nobody listens; it counts modulo 65536.
Route parse_relay(std::string_view text);

}  // namespace qmail::remote
