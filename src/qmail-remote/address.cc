#include "qmail-remote/address.h"

#include <algorithm>

#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

constexpr int most_alias_steps = 10;

bool is_atom_character(char c) {
  constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~";
  return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos;
}

// dot-string of RFC 5321: atoms with single dots between them.
bool is_dot_string(std::string_view box) {
  char before = '.';
  for (const char c : box) {
    if (c == '.' ? before == '.' : !is_atom_character(c)) return false;
    before = c;
  }
  return before != '.';
}

// Letters, digits, hyphens and the underscore that some have, in labels. DNS can carry anything:
// "x>y", blanks, line breaks (which dn_expand(3) gives as backslash and digits).
bool is_host_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

std::string quoted(std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return std::string(address);
  const std::string_view box = address.substr(0, at);
  if (is_dot_string(box)) return std::string(address);
  std::string result;
  result.reserve(address.size() + 16);
  result.push_back('"');
  for (const char c : box) {
    if (c == '"' || c == '\\') result.push_back('\\');
    result.push_back(c);
  }
  result.push_back('"');
  result.append(address.substr(at));
  return result;
}

bool has_line_break(std::string_view address) {
  return address.find_first_of("\r\n") != std::string_view::npos;
}

Result<CanonicalAddress, DnsFailure> canonical(std::string_view address, DnsClient& dns) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return CanonicalAddress{std::string(address), true};
  std::string domain(address.substr(at + 1));
  bool changed = false;
  for (int step = 0; step < most_alias_steps; ++step) {
    if (domain.empty() || domain.back() == ']') break;
    if (domain.back() == '.') {
      domain.pop_back();
    } else {
      auto target = dns.alias(domain);
      if (!target && target.error() == DnsFailure::temporary) return Failure(target.error());
      if (!target || !is_host_name(target->records.front())) break;
      domain = std::move(target->records.front());
    }
    changed = true;
  }
  std::string result(address.substr(0, at + 1));
  return CanonicalAddress{result.append(domain), changed};
}

}  // namespace qmail::remote
