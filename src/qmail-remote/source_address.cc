#include "qmail-remote/source_address.h"

#include <algorithm>
#include <string_view>

namespace qmail::remote {

namespace {

BadLine bad_line(std::size_t line, std::string reason) {
  return {"helohostbyip", line, std::move(reason)};
}

// Where the address of a line ends: behind its bracket, or at the first colon.
std::size_t address_length(std::string_view line) {
  if (!line.starts_with('[')) return line.find(':');
  const std::size_t bracket = line.find("]:");
  return bracket == std::string_view::npos ? bracket : bracket + 1;
}

// It goes into a command as it is: neither blanks nor what is no letter of ASCII.
bool can_be_said(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::optional<std::optional<IpAddress>> parse_source(std::string_view text,
                                                     IpAddress::Family family) {
  if (text.empty()) return std::optional<IpAddress>();
  const auto address = parse_ip(text);
  if (!address || address->family() != family) return std::nullopt;
  return address->is_unspecified() ? std::optional<IpAddress>() : address;
}

Result<HeloHosts, BadLine> HeloHosts::read(const NumberedList& lines) {
  HeloHosts hosts;
  for (std::size_t i = 0; i < lines.entries.size(); ++i) {
    const std::string_view line = lines.entries[i];
    const std::size_t length = address_length(line);
    if (length == std::string_view::npos) return Failure(bad_line(lines.lines[i], "no colon"));
    const std::string_view text = line.substr(0, length);
    const auto address = text.starts_with('[') ? parse_ip_literal(text) : parse_ip(text);
    if (!address) return Failure(bad_line(lines.lines[i], "no address"));
    hosts.names_.push_back({*address, std::string(line.substr(length + 1)), lines.lines[i]});
  }
  return hosts;
}

Result<std::optional<std::string>, BadLine> HeloHosts::find(const IpAddress& address) const {
  const auto last = std::find_if(names_.rbegin(), names_.rend(),
                                 [&](const Name& one) { return one.address == address; });
  if (last == names_.rend()) return std::optional<std::string>();
  if (!can_be_said(last->name)) return Failure(bad_line(last->line, "no name"));
  return std::optional(last->name);
}

}  // namespace qmail::remote
