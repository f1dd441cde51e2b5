// Reads DNS answers (RFC 1035, 4.1): what a hostile or broken name server sent, so every length is
// checked. Pure functions over the bytes; asking is dns_client's business.
//
// Each returns the records of its type in the answer section, in order, whoever owns them (a
// resolver follows aliases for us); nothing at all when the message is not well formed as far as
// the answer section goes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "qmail/ip_address.h"
#include "qmail/tlsa_record.h"

namespace qmail::remote {

using DnsMessage = std::span<const unsigned char>;

struct MxRecord {
  std::uint16_t preference;
  std::string exchanger;  // as DNS spells it, without a final dot; empty: the root (RFC 7505)
};

std::optional<std::vector<IpAddress>> v4_addresses_in(DnsMessage message);
std::optional<std::vector<IpAddress>> v6_addresses_in(DnsMessage message);
std::optional<std::vector<MxRecord>> exchangers_in(DnsMessage message);
// Targets of CNAME records.
std::optional<std::vector<std::string>> aliases_in(DnsMessage message);
// The first names in SOA records.
std::optional<std::vector<std::string>> origins_in(DnsMessage message);
std::optional<std::vector<TlsaRecord>> tlsa_in(DnsMessage message);

// Does the name server say that it has validated what it answers (AD)? Whether to believe it is
// dns_client's business.
bool validated(DnsMessage message);
// Where the message's CNAME records lead from `name`: the name that its other records belong to.
std::optional<std::string> end_of_aliases(DnsMessage message, std::string name);

}  // namespace qmail::remote
