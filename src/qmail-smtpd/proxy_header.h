// The header by which a proxy says for whom it connects: the PROXY protocol of HAProxy, versions 1
// (a line) and 2 (binary). Pure; it comes from a stranger whenever the proxy is not one.
//
// No more than `longest_proxy_header` bytes are ever asked for, and never one that stands behind
// the header: a caller that reads what is asked for leaves the client's first byte where it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "qmail/ip_address.h"

namespace qmail::smtpd {

struct Endpoint {
  IpAddress address;
  std::uint16_t port;
};

struct ProxyHeader {
  struct Ends {
    Endpoint client;
    Endpoint server;
  };
  // Nothing: the proxy speaks for itself (LOCAL), or does not know for whom (UNKNOWN).
  std::optional<Ends> ends{};
};

// At least this many bytes (one or more) are still to come.
struct ProxyHeaderGoesOn {
  std::size_t more;
};
// This is no header. `reason`: for the log.
struct NoProxyHeader {
  std::string_view reason;
};
using ProxyHeaderStep = std::variant<ProxyHeaderGoesOn, NoProxyHeader, ProxyHeader>;

inline constexpr std::size_t longest_proxy_line = 107;  // version 1, with its CR LF
inline constexpr std::size_t longest_proxy_header = 16 + 2048;

// `bytes`: what has come so far, from the first byte of the connection on.
ProxyHeaderStep read_proxy_header(std::string_view bytes);

}  // namespace qmail::smtpd
