#include "qmail-smtpd/proxy_header.h"

#include <algorithm>
#include <array>
#include <string>

#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view line_start = "PROXY ";
constexpr std::string_view shortest_line = "PROXY UNKNOWN\r\n";
constexpr std::string_view signature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t fixed_part = 16;  // signature, version and command, family, length
constexpr std::size_t longest_rest = longest_proxy_header - fixed_part;

bool begins_like(std::string_view bytes, std::string_view start) {
  const std::size_t common = std::min(bytes.size(), start.size());
  return bytes.substr(0, common) == start.substr(0, common);
}

// --- version 1 ---

std::optional<std::uint16_t> port_of(std::string_view text) {
  constexpr std::size_t most_digits = 5;
  if (text.empty() || text.size() > most_digits || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  unsigned number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  if (number > 0xffff) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

std::optional<IpAddress> address_of(std::string_view text, IpAddress::Family family) {
  const auto address = parse_ip(text);
  if (!address) return std::nullopt;
  const bool looks_like_v6 = text.find(':') != std::string_view::npos;
  if (looks_like_v6 != (family == IpAddress::Family::v6)) return std::nullopt;
  return looks_like_v6 || address->text() == text ? address : std::nullopt;  // no leading zeros
}

ProxyHeaderStep read_line(std::string_view line) {
  if (!line.ends_with("\r\n")) return NoProxyHeader{"a line that does not end in CR LF"};
  line.remove_prefix(line_start.size());
  line.remove_suffix(2);
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return ProxyHeader{};

  constexpr std::size_t words = 5;
  std::array<std::string_view, words> word{};
  for (std::size_t i = 0; i < words; ++i) {
    const std::size_t end = line.find(' ');
    if ((end == std::string_view::npos) != (i + 1 == words)) {
      return NoProxyHeader{"a line of other than six words"};
    }
    word[i] = line.substr(0, end);
    line.remove_prefix(std::min(line.size(), word[i].size() + 1));
  }
  if (word[0] != "TCP4" && word[0] != "TCP6") return NoProxyHeader{"unknown kind of connection"};
  const auto family = word[0] == "TCP4" ? IpAddress::Family::v4 : IpAddress::Family::v6;
  const auto client = address_of(word[1], family);
  const auto server = address_of(word[2], family);
  if (!client || !server) return NoProxyHeader{"malformed address"};
  const auto client_port = port_of(word[3]);
  const auto server_port = port_of(word[4]);
  if (!client_port || !server_port) return NoProxyHeader{"malformed port"};
  return ProxyHeader{{{{*client, *client_port}, {*server, *server_port}}}};
}

ProxyHeaderStep read_version_1(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end != std::string_view::npos) return read_line(bytes.substr(0, end + 1));
  if (bytes.size() >= longest_proxy_line) return NoProxyHeader{"a line over 107 bytes"};
  if (bytes.size() < shortest_line.size()) {
    return ProxyHeaderGoesOn{shortest_line.size() - bytes.size()};
  }
  const std::size_t line_end = bytes.back() == '\r' ? 1 : 2;
  return ProxyHeaderGoesOn{std::min(line_end, longest_proxy_line - bytes.size())};
}

// --- version 2 ---

std::uint8_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes.at(at));
}

std::uint16_t number_of_two_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(number_at(bytes, at) << 8U | number_at(bytes, at + 1));
}

// Two addresses of that many bytes, then their ports.
template <std::size_t size>
ProxyHeader::Ends ends_in(std::string_view rest,
                          IpAddress (*make)(std::array<std::uint8_t, size>)) {
  const auto endpoint = [&](std::size_t which) {
    std::array<std::uint8_t, size> bytes{};
    for (std::size_t i = 0; i < size; ++i) bytes[i] = number_at(rest, which * size + i);
    return Endpoint{make(bytes), number_of_two_at(rest, 2 * size + 2 * which)};
  };
  return {endpoint(0), endpoint(1)};
}

ProxyHeaderStep read_version_2(std::string_view bytes) {
  if (bytes.size() < fixed_part) return ProxyHeaderGoesOn{fixed_part - bytes.size()};
  constexpr std::uint8_t local = 0x20;
  constexpr std::uint8_t proxied = 0x21;
  const std::uint8_t version_and_command = number_at(bytes, 12);
  const std::uint8_t family = number_at(bytes, 13);
  const std::size_t length = number_of_two_at(bytes, 14);
  if (version_and_command >> 4U != 2) return NoProxyHeader{"unknown version"};
  if (version_and_command != local && version_and_command != proxied) {
    return NoProxyHeader{"unknown command"};
  }
  if (length > longest_rest) return NoProxyHeader{"longer than 2048 bytes"};
  if (bytes.size() < fixed_part + length) {
    return ProxyHeaderGoesOn{fixed_part + length - bytes.size()};
  }
  if (version_and_command == local) return ProxyHeader{};  // whatever its family

  constexpr std::uint8_t unspecified = 0x00;
  constexpr std::uint8_t tcp4 = 0x11;
  constexpr std::uint8_t tcp6 = 0x21;
  constexpr std::uint8_t unix_stream = 0x31;
  const std::string_view rest = bytes.substr(fixed_part, length);
  if (family == unspecified || family == unix_stream) return ProxyHeader{};
  if (family != tcp4 && family != tcp6) return NoProxyHeader{"unknown kind of connection"};
  // Two addresses and two ports.
  if (length < (family == tcp4 ? 12U : 36U)) return NoProxyHeader{"too short for its addresses"};
  return ProxyHeader{family == tcp4 ? ends_in(rest, &IpAddress::v4)
                                    : ends_in(rest, &IpAddress::v6)};
}

}  // namespace

ProxyHeaderStep read_proxy_header(std::string_view bytes) {
  // No line is shorter than what tells the two apart, and neither is the other kind.
  if (bytes.empty()) return ProxyHeaderGoesOn{shortest_line.size()};
  if (begins_like(bytes, line_start)) return read_version_1(bytes);
  if (begins_like(bytes, signature)) return read_version_2(bytes);
  return NoProxyHeader{"something else was sent"};
}

}  // namespace qmail::smtpd
