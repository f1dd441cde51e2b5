// The trace field that qmail-smtpd puts before each message (RFC 5321, 4.4), in qmail's form. Pure.
//
// Everything that comes from outside is cleaned, so that no client can write a header of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qmail::smtpd {

struct Trace {
  std::string_view remote_host;
  std::string_view helo;  // shown unless it is remote_host but for letter case
  std::optional<std::string_view> remote_info{};
  std::string_view remote_ip;
  std::string_view local_name;
  std::string protocol;  // ours; not cleaned
};

// `text` with each byte other than letters, digits and . @ % + / = : - replaced by '?'.
std::string cleaned(std::string_view text);

// Two lines (three if `protocol` holds a line end), each ended by LF. The date is in UTC.
std::string received_field(const Trace& trace, std::int64_t seconds_since_1970);

// "1 Jan 2026 00:00:00 -0000"
std::string trace_date(std::int64_t seconds_since_1970);

}  // namespace qmail::smtpd
