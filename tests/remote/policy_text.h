// Policies for tests, and what a server's comes to, in one line.
#pragma once

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "qmail-remote/server_policy.h"

namespace qmail::test {

// As a line of control/tlspolicy says it.
inline remote::DomainPolicy::Saying said_by_file(std::string_view words) {
  return {*remote::parse_policy(words), "control/tlspolicy"};
}

// "may, falls back"; "chain mx.test or next: control/tlspolicy says …": whom the certificate may be
// for, and what follows if it is not.
inline std::string level_text(const remote::TlsPolicy& policy) {
  using Level = remote::TlsPolicy::Level;
  std::string text;
  switch (policy.level) {
    case Level::never:
      return "never";
    case Level::may:
      return policy.falls_back ? "may, falls back" : "may";
    case Level::encrypt:
      text = "encrypt";
      break;
    case Level::verify:
      if (const auto* tlsa = std::get_if<tls::Tlsa>(&policy.verification)) {
        text = "records" + std::to_string(tlsa->records.size()) + " of " + tlsa->base + " for";
        for (const std::string& name : tlsa->names) text += " " + name;
        EXPECT_EQ(policy.server_name, tlsa->base);
      } else {
        text = std::holds_alternative<tls::Fingerprints>(policy.verification) ? "fingerprint"
               : policy.wanted.empty()                                        ? "host's file"
                                                                              : "chain";
        for (const std::string& name : policy.wanted) text += " " + name;
      }
      if (policy.name_is_hearsay) text += " by hearsay";
  }
  return text + (policy.when_unmet == remote::Then::give_up ? " or end: " : " or next: ") +
         policy.why;
}

}  // namespace qmail::test
