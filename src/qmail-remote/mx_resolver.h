// Where mail for a host goes: its mail exchangers, else its own addresses (RFC 5321, 5.1).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qmail-remote/dns_client.h"
#include "qmail/ip_address.h"
#include "qmail/ipme.h"
#include "qmail/result.h"

namespace qmail::remote {

struct Exchanger {
  IpAddress address;
  std::uint16_t preference = 0;
  std::string name;  // what its certificate must name; empty when it was given as an address

  // The security of the way to it (RFC 7672), where DnsClient::ask_for_security() was called:
  bool mx_secure = true;        // its name was not believed of an MX answer without DNSSEC
  bool address_secure = false;  // its address has DNSSEC, aliases included
  std::string canonical{};      // the end of its name's aliases, as the address's answer has them
  std::string domain{};         // the same of HOST, as the MX answer has them; empty without MX
};

// Which addresses of a host are asked for, and which go first (control/addresspreference). `any`:
// one or the other, by chance.
enum class AddressPreference { v4_first, v6_first, any_first, v4_only, v6_only };

enum class LookupFailure {
  temporary,     // ask again later
  no_such_host,  // neither exchanger nor address
  no_exchanger,  // there are exchangers, but none leads to an address
};

using ExchangerList = Result<std::vector<Exchanger>, LookupFailure>;

// The addresses of a host itself: those of a relay in smtproutes. `host` may be an address of
// either family, in brackets or not.
ExchangerList addresses_of(DnsClient& dns, const std::string& host, AddressPreference preference);

// The addresses of a host's mail exchangers in the order in which they are to be tried: by
// preference, those of equal preference at random. Never empty. At most 50 exchangers and 100
// addresses are looked at: who lists more has had his chance.
ExchangerList exchangers_of(DnsClient& dns, const std::string& host, AddressPreference preference);

// Without this host, and without those that are no better than it: they would send the mail back
// here (RFC 5321, 5.1). Every loopback address is this host, not only those of an interface: a
// stranger's exchanger must not make us talk to whoever listens there and trusts it.
std::vector<Exchanger> better_than_me(std::vector<Exchanger> list, const OwnAddresses& me);

}  // namespace qmail::remote
