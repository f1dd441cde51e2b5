// SmtpRoutes: control/smtproutes, artificial SMTP routes (qmail-remote(8)).
//
// A line is DOMAIN:RELAY[:PORT][|USER|PASSWORD] (route_map.h). DOMAIN is a name, ".NAME" for
// everything below it, or empty for everything. With nothing behind the colon mail for DOMAIN goes
// by DNS as usual. A line that cannot be used stops the mail for DOMAIN.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "qmail-remote/route_map.h"

namespace qmail::remote {

class SmtpRoutes {
 public:
  SmtpRoutes() = default;
  explicit SmtpRoutes(NumberedList lines) : routes_(std::move(lines), "smtproutes") {}

  // The route of `host`, or nothing: go by DNS. HOST itself is looked for, then the rest of it from
  // each dot on, then the empty DOMAIN; the first hit decides, also when it says "no route".
  Result<std::optional<Route>, BadLine> find(std::string_view host) const;

 private:
  RouteMap routes_;
};

// What mail goes to, as reports say it: without a final dot, in lower case.
std::string destination(std::string_view name);

}  // namespace qmail::remote
