#include "qmail-remote/smtp_routes.h"

#include "qmail-remote/report.h"
#include "qmail/ascii.h"

namespace qmail::remote {

Result<std::optional<Route>, BadLine> SmtpRoutes::find(std::string_view host) const {
  for (std::string_view key = host;;) {
    if (const auto relay = routes_.find(key)) {
      if (relay->empty()) return std::optional<Route>();
      auto route = routes_.route(*relay);
      if (!route) return Failure(route.error());
      if (route->login) {
        route->login->why =
            "control/smtproutes has a password for " + printable(destination(route->relay));
      }
      return std::optional(std::move(*route));
    }
    if (key.empty()) return std::optional<Route>();
    const std::size_t dot = key.find('.', 1);
    key = dot == std::string_view::npos ? std::string_view() : key.substr(dot);
  }
}

std::string destination(std::string_view name) {
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return to_lower(name);
}

}  // namespace qmail::remote
