// IpAddress: an IPv4 or IPv6 address as a value, and its text.
//
// An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address, so that one host has one
// name.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace qmail {

class IpAddress {
 public:
  enum class Family { v4, v6 };

  static IpAddress v4(std::array<std::uint8_t, 4> bytes);
  static IpAddress v6(std::array<std::uint8_t, 16> bytes);
  // An AF_INET or AF_INET6 address; anything else: nothing.
  static std::optional<IpAddress> of(const sockaddr* address);

  Family family() const { return family_; }
  // 0.0.0.0 or ::
  bool is_unspecified() const;
  // 127.0.0.0/8, ::1, and 127.0.0.0/8 in IPv6's compatible form (::127.0.0.1).
  bool is_loopback() const;
  // Network byte order; four bytes or sixteen.
  std::string_view bytes() const;
  // "192.0.2.1", "2001:db8::1" (inet_ntop); no brackets, no scope.
  std::string text() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend std::strong_ordering operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  IpAddress() = default;
  Family family_ = Family::v4;
  std::array<std::uint8_t, 16> bytes_{};
};

// The whole text as an address: four numbers with dots (leading zeros allowed, each below 256), or
// IPv6 in the forms of RFC 4291. No brackets.
std::optional<IpAddress> parse_ip(std::string_view text);

// The same in brackets: "[192.0.2.1]", "[2001:db8::1]", "[IPv6:2001:db8::1]" (RFC 5321, 4.1.3).
std::optional<IpAddress> parse_ip_literal(std::string_view text);

// "[d.d.d.d]" exactly, each d a run of digits that counts modulo 256, as qmail has always read it
// in recipient addresses.
std::optional<IpAddress> parse_v4_literal_modulo(std::string_view text);

}  // namespace qmail
