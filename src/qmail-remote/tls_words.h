// What the report of a message that was taken says about TLS, where control/tlsreport asks for it:
//
//   TLS: TLSv1.3 TLS_AES_256_GCM_SHA384 verified.
//   TLS: none.
//   TLS: none after a failed handshake.
//
// qmail-send's log has it as one of the words behind "success:", so its form is interface.
#pragma once

#include <string>
#include <string_view>

#include "qmail-remote/report.h"
#include "tls/tls.h"

namespace qmail::remote {

// How the server's certificate was found good. What could not count is untrusted, too.
enum class Trust { untrusted, fingerprint, verified, dane };

constexpr std::string_view word_for(Trust trust) {
  switch (trust) {
    case Trust::fingerprint:
      return "fingerprint";
    case Trust::verified:
      return "verified";
    case Trust::dane:
      return "dane";
    case Trust::untrusted:
      break;
  }
  return "untrusted";
}

inline std::string tls_words(const tls::SessionFacts& facts, Trust trust) {
  return "TLS: " + one_line(facts.version) + " " + one_line(facts.cipher) + " " +
         std::string(word_for(trust)) + ".\n";
}

inline constexpr std::string_view text_without_tls = "TLS: none.\n";
inline constexpr std::string_view text_after_failed_tls = "TLS: none after a failed handshake.\n";

}  // namespace qmail::remote
