// SmtpRoutes: control/smtproutes, artificial SMTP routes (qmail-remote(8)).
//
// A line is DOMAIN:RELAY[:PORT]. DOMAIN is a name, ".NAME" for everything below it, or empty for
// everything. RELAY is a name, an address, or an address in brackets ([2001:db8::25] too); an empty
// one means that mail for DOMAIN goes by DNS as usual. A relay that is to be logged in at
// (RELAY[:PORT]|USER|PASSWORD, as combined patches have it) stops the mail for DOMAIN: sent
// without the login it would bounce.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-remote/bad_line.h"
#include "qmail/constmap.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::remote {

inline constexpr std::uint16_t smtp_port = 25;
inline constexpr std::uint16_t smtps_port = 465;  // TLS from the first byte

struct Route {
  std::string relay;
  std::uint16_t port = smtp_port;
};

class SmtpRoutes {
 public:
  SmtpRoutes() = default;
  explicit SmtpRoutes(NumberedList lines);
  // The map refers to the lines, which stay where they are when the owner moves.
  SmtpRoutes(SmtpRoutes&&) = default;
  SmtpRoutes& operator=(SmtpRoutes&&) = default;
  SmtpRoutes(const SmtpRoutes&) = delete;
  SmtpRoutes& operator=(const SmtpRoutes&) = delete;
  ~SmtpRoutes() = default;

  // The route of `host`, or nothing: go by DNS. HOST itself is looked for, then the rest of it from
  // each dot on, then the empty DOMAIN; the first hit decides, also when it says "no route".
  Result<std::optional<Route>, BadLine> find(std::string_view host) const;

 private:
  BadLine bad_line(std::string_view relay) const;

  NumberedList lines_;
  ConstMap routes_;
};

// RELAY[:PORT]. A port without digits is 0, where nobody listens; it counts modulo 65536.
Route parse_relay(std::string_view text);

}  // namespace qmail::remote
