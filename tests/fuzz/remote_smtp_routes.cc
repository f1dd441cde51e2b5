// control/smtproutes of any bytes, asked for a host of any bytes (the first line).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "qmail-remote/smtp_routes.h"
#include "qmail/control.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = std::min(bytes.find('\n'), size);
  const std::string_view host = bytes.substr(0, line_end);
  const qmail::remote::SmtpRoutes routes(qmail::parse_numbered_list(bytes.substr(line_end)));
  const auto found = routes.find(host);
  if (!found) {  // a line that is there
    const auto lines =
        1 + std::count(bytes.begin() + static_cast<std::ptrdiff_t>(line_end), bytes.end(), '\n');
    if (found.error().line < 1 || found.error().line > static_cast<std::size_t>(lines))
      std::abort();
    return 0;
  }
  const auto& route = *found;
  // A route is part of some line; a host that no line can match has none.
  if (route && bytes.find(':', line_end) == std::string_view::npos) std::abort();
  if (route && bytes.find(route->relay, line_end) == std::string_view::npos) std::abort();
  return 0;
}
