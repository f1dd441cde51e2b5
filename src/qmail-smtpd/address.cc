#include "qmail-smtpd/address.h"

#include "qmail/ip_address.h"

namespace qmail::smtpd {

namespace {

struct Enclosed {
  std::string_view text;  // from the first byte of the address on
  char end;               // what ends it, if it is there
};

// In angle brackets if there is an opening one anywhere, else after the first colon and blanks.
Enclosed find_start(std::string_view argument) {
  const std::size_t bracket = argument.find('<');
  if (bracket != std::string_view::npos) return {argument.substr(bracket + 1), '>'};
  const std::size_t colon = argument.find(':');
  if (colon == std::string_view::npos) return {{}, ' '};
  const std::size_t start = argument.find_first_not_of(' ', colon + 1);
  if (start == std::string_view::npos) return {{}, ' '};
  return {argument.substr(start), ' '};
}

// "@here,@there:joe@example.org" is joe@example.org (RFC 5321, appendix C).
std::string_view without_source_route(std::string_view text) {
  if (text.empty() || text.front() != '@') return text;
  const std::size_t colon = text.find(':');
  return colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
}

struct Parts {
  std::string address;
  std::string_view behind;
};

Parts take_apart(std::string_view argument) {
  const Enclosed enclosed = find_start(argument);
  const std::string_view text = without_source_route(enclosed.text);
  Parts parts;
  bool escaped = false;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (escaped) {
      parts.address.push_back(c);
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == enclosed.end && !quoted) {
      parts.behind = text.substr(i + 1);
      break;
    } else {
      parts.address.push_back(c);
    }
  }
  return parts;
}

}  // namespace

std::string extract_address(std::string_view argument) { return take_apart(argument).address; }

std::string_view behind_address(std::string_view argument) { return take_apart(argument).behind; }

std::string with_local_name(std::string address, const std::string& host, const OwnAddresses& own) {
  const std::size_t at = address.rfind('@');
  if (at == std::string::npos) return address;
  const auto literal = parse_v4_literal_modulo(std::string_view(address).substr(at + 1));
  if (literal && own.contains(*literal)) address.replace(at + 1, std::string::npos, host);
  return address;
}

std::optional<std::string> parse_address(std::string_view argument,
                                         const std::optional<std::string>& host,
                                         const OwnAddresses& own) {
  std::string address = extract_address(argument);
  if (host) address = with_local_name(std::move(address), *host, own);
  if (address.size() > longest_address) return std::nullopt;
  return address;
}

}  // namespace qmail::smtpd
