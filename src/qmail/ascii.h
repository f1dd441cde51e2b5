// Letters and digits as SMTP and the control files mean them: ASCII only, whatever the locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qmail {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string to_lower(std::string_view text);
// The same length and the same bytes but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);

// The number at the very start of `text`, modulo 2^32; what follows the digits is ignored.
// No digit at the start: no number. This is how qmail reads every number it is given.
std::optional<std::uint32_t> leading_number(std::string_view text);

// Without SP, TAB and CR, LF at the end.
std::string_view without_trailing_space(std::string_view text);

// With each control character replaced by '?': a library's or the system's text that must stay on
// one line.
std::string without_controls(std::string_view text);

}  // namespace qmail
