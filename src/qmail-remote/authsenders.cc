#include "qmail-remote/authsenders.h"

#include "qmail-remote/report.h"

namespace qmail::remote {

Result<std::optional<Route>, BadLine> AuthSenders::find(std::string_view sender) const {
  for (std::string_view key = sender;;) {
    if (const auto relay = routes_.find(key)) {
      if (relay->empty()) return std::optional<Route>();
      auto route = routes_.route(*relay);
      if (!route) return Failure(route.error());
      if (route->login) {
        route->login->why = "control/authsenders has a password for " + printable(sender);
      }
      return std::optional(std::move(*route));
    }
    if (key.empty()) return std::optional<Route>();
    const std::size_t next = key.find_first_of("@.", 1);
    key = next == std::string_view::npos ? std::string_view() : key.substr(next);
  }
}

}  // namespace qmail::remote
