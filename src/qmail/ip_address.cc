#include "qmail/ip_address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include "qmail/ascii.h"

namespace qmail {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// d.d.d.d, all of `text`; `wrap`: each number modulo 256, else numbers above 255 are no address.
std::optional<IpAddress> parse_v4(std::string_view text, bool wrap) {
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    if (text.empty() || !is_digit(text.front())) return std::nullopt;
    unsigned number = 0;
    while (!text.empty() && is_digit(text.front())) {
      number = number * 10 + static_cast<unsigned>(text.front() - '0');
      if (wrap) number %= 256;
      if (number > 255) return std::nullopt;
      text.remove_prefix(1);
    }
    bytes[i] = static_cast<std::uint8_t>(number);
  }
  if (!text.empty()) return std::nullopt;
  return IpAddress::v4(bytes);
}

std::optional<std::string_view> inside_brackets(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  return text.substr(1, text.size() - 2);
}

}  // namespace

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
  IpAddress address;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> bytes) {
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin())) {
    return v4({bytes[12], bytes[13], bytes[14], bytes[15]});
  }
  IpAddress address;
  address.family_ = Family::v6;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    std::array<std::uint8_t, 4> found{};
    std::memcpy(found.data(), &in.sin_addr, found.size());
    return v4(found);
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    std::array<std::uint8_t, 16> found{};
    std::memcpy(found.data(), &in.sin6_addr, found.size());
    return v6(found);
  }
  return std::nullopt;
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
  constexpr std::uint8_t v4_network = 127;
  if (family_ == Family::v4) return bytes_[0] == v4_network;
  if (std::any_of(bytes_.begin(), bytes_.begin() + 12,
                  [](std::uint8_t byte) { return byte != 0; })) {
    return false;
  }
  const bool is_one = bytes_[12] == 0 && bytes_[13] == 0 && bytes_[14] == 0 && bytes_[15] == 1;
  return is_one || bytes_[12] == v4_network;
}

std::string_view IpAddress::bytes() const {
  return {reinterpret_cast<const char*>(bytes_.data()), family_ == Family::v4 ? 4U : 16U};
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int system_family = family_ == Family::v4 ? AF_INET : AF_INET6;
  const char* done =
      ::inet_ntop(system_family, bytes_.data(), text.data(), static_cast<socklen_t>(text.size()));
  return done == nullptr ? std::string() : std::string(done);
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (const auto address = parse_v4(text, false)) return address;
  if (text.find(':') == std::string_view::npos) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (::inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) != 1) return std::nullopt;
  return IpAddress::v6(bytes);
}

std::optional<IpAddress> parse_ip_literal(std::string_view text) {
  auto inside = inside_brackets(text);
  if (!inside) return std::nullopt;
  constexpr std::string_view tag = "IPv6:";
  if (starts_with_ignoring_case(*inside, tag)) inside->remove_prefix(tag.size());
  return parse_ip(*inside);
}

std::optional<IpAddress> parse_v4_literal_modulo(std::string_view text) {
  const auto inside = inside_brackets(text);
  if (!inside) return std::nullopt;
  return parse_v4(*inside, true);
}

}  // namespace qmail
