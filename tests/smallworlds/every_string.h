// Every byte string over a small alphabet, up to a length, one after the other.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qmail::test {

// Calls visit(text) for each string over `alphabet` of 0 to `longest` bytes: 1 + n + n^2 + … calls.
template <typename Visit>
std::size_t every_string(std::string_view alphabet, std::size_t longest, const Visit& visit) {
  std::size_t count = 0;
  for (std::size_t length = 0; length <= longest; ++length) {
    std::string text(length, alphabet.front());
    std::string digits(length, '\0');
    for (bool more = true; more; ++count) {
      visit(std::string_view(text));
      more = false;
      for (std::size_t i = length; i-- > 0;) {
        if (++digits[i] < static_cast<char>(alphabet.size())) {
          text[i] = alphabet[static_cast<std::size_t>(digits[i])];
          more = true;
          break;
        }
        digits[i] = '\0';
        text[i] = alphabet.front();
      }
    }
  }
  return count;
}

// For a message of a failed comparison: "\r\n.a\0" as one would write it.
inline std::string shown(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '\r':
        result += "\\r";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\0':
        result += "\\0";
        break;
      default:
        result += c;
    }
  }
  return result;
}

}  // namespace qmail::test
