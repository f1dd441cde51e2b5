#include "qmail/tls_client.h"

#include <algorithm>

#include "qmail/ascii.h"

namespace qmail {

namespace {

constexpr std::string_view sha256_is = "sha256:";
constexpr std::string_view san_is = "san:";
constexpr std::size_t digest_digits = 64;

constexpr bool is_hexadecimal(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// In lower case and without the colons between its pairs; empty: it is none.
std::string digest_in(std::string_view text) {
  const std::string lower = to_lower(text);
  std::string digits;
  bool after_colon = true;  // a colon stands behind a pair, not at the start or behind another
  for (const char c : lower) {
    const bool colon = c == ':';
    if (colon ? after_colon || digits.size() % 2 != 0 : !is_hexadecimal(c)) return {};
    if (!colon) digits.push_back(c);
    after_colon = colon;
  }
  return digits.size() == digest_digits && !after_colon ? digits : std::string();
}

}  // namespace

TlsClient parse_tls_client(std::string_view entry) {
  if (starts_with_ignoring_case(entry, san_is)) {
    return {TlsClient::Kind::alternative_email, std::string(entry.substr(san_is.size()))};
  }
  if (!starts_with_ignoring_case(entry, sha256_is)) {
    return {TlsClient::Kind::subject_email, std::string(entry)};
  }
  std::string digest = digest_in(entry.substr(sha256_is.size()));
  if (digest.empty()) return {TlsClient::Kind::no_digest, std::string(entry)};
  return {TlsClient::Kind::sha256, std::move(digest)};
}

bool lists_digest(const std::vector<std::string>& entries) {
  return std::any_of(entries.begin(), entries.end(), [](const std::string& entry) {
    return parse_tls_client(entry).kind == TlsClient::Kind::sha256;
  });
}

}  // namespace qmail
