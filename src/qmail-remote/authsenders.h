// AuthSenders: control/authsenders, routes by envelope sender, as combined patches have them.
//
// A line is SENDER:RELAY[:PORT][|USER|PASSWORD] (route_map.h). The keys for a sender are the whole
// address, the rest of it from each '@' and '.' on, that byte included, and the empty one; the
// first hit decides. It wins over smtproutes; with nothing behind its colon smtproutes counts. The
// empty sender has the empty key only. A line without colon stops all mail: nobody can tell whose
// it is.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "qmail-remote/route_map.h"

namespace qmail::remote {

class AuthSenders {
 public:
  AuthSenders() = default;
  explicit AuthSenders(NumberedList lines) : routes_(std::move(lines), "authsenders") {}

  Result<std::optional<Route>, BadLine> find(std::string_view sender) const;
  std::optional<BadLine> line_without_colon() const { return routes_.line_without_colon(); }

 private:
  RouteMap routes_;
};

}  // namespace qmail::remote
