// A TLSA record (RFC 6698, 2.1): what a server's certificate or key must be like, as DNS has it and
// as it is given to the TLS library.
#pragma once

#include <cstdint>
#include <string>

namespace qmail {

struct TlsaRecord {
  std::uint8_t usage;
  std::uint8_t selector;
  std::uint8_t matching_type;
  std::string data;

  friend bool operator==(const TlsaRecord&, const TlsaRecord&) = default;
};

}  // namespace qmail
