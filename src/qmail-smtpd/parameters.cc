#include "qmail-smtpd/parameters.h"

#include <algorithm>
#include <string>

#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

constexpr std::string_view size_is = "SIZE=";

// Decimal, by length and then digit by digit: there is no number too large.
bool is_more(std::string_view digits, std::uint64_t limit) {
  std::size_t zeros = 0;
  while (zeros < digits.size() && digits[zeros] == '0') ++zeros;
  digits.remove_prefix(zeros);
  const std::string most = std::to_string(limit);
  return digits.size() != most.size() ? digits.size() > most.size() : digits > most;
}

}  // namespace

bool announces_more(std::string_view parameters, std::uint64_t limit) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(' '), parameters.size());
    std::string_view word = parameters.substr(0, end);
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (!equal_ignoring_case(word.substr(0, size_is.size()), size_is)) continue;
    word.remove_prefix(size_is.size());
    std::size_t digits = 0;
    while (digits < word.size() && is_digit(word[digits])) ++digits;
    if (digits > 0 && is_more(word.substr(0, digits), limit)) return true;
  }
  return false;
}

}  // namespace qmail::smtpd
