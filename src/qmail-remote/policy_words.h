// What a TLS policy says, in the words of Postfix's smtp_tls_policy_maps:
//
//   LEVEL [ATTRIBUTE=VALUE ...]
//
// with blanks or commas between the words, and a colon directly behind LEVEL as one more separator;
// an attribute with blanks in its value is written { ATTRIBUTE = VALUE }.
// It stands behind the colon of a line of control/tlspolicy, and in the answers of a policy server
// (control/tlspolicymap). Pure: what is meant for one delivery is server_policy.h's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qmail/result.h"

namespace qmail::remote {

struct PolicyWords {
  enum class Level { none, may, encrypt, fingerprint, verify, secure, dane, dane_only };
  Level level = Level::may;
  // verify, secure: as they are written; empty where the level's own names count.
  std::vector<std::string> match{};
  // fingerprint: lower-case hexadecimal digits.
  std::vector<std::string> fingerprints{};
  std::string tafile{};      // verify, secure: the authorities
  std::string servername{};  // SNI; empty: the server's name
};

// "secure": as reports say it.
std::string_view name_of(PolicyWords::Level level);

// What counts of a server stands in DNS, as long as DNSSEC vouches for it.
constexpr bool is_dane(PolicyWords::Level level) {
  return level == PolicyWords::Level::dane || level == PolicyWords::Level::dane_only;
}

// The error: what is wrong, for people.
Result<PolicyWords, std::string> parse_policy(std::string_view text);

}  // namespace qmail::remote
