#include "qmail-remote/mx_resolver.h"

#include <algorithm>
#include <optional>
#include <sys/random.h>

namespace qmail::remote {

namespace {

constexpr std::size_t most_exchangers = 50;
constexpr std::size_t most_addresses = 100;

std::optional<IpAddress> address_text(std::string_view host) {
  const auto address = parse_ip(host);
  return address ? address : parse_ip_literal(host);
}

// A number that nobody can foresee; 0 where there is none to be had.
std::uint32_t throw_dice() {
  std::uint32_t dice = 0;
  return ::getrandom(&dice, sizeof dice, GRND_NONBLOCK) > 0 ? dice : 0;
}

// By preference; among equals every order is equally likely (but for a bias of 2^-24).
void put_in_order(std::vector<MxRecord>& records) {
  std::vector<std::uint32_t> dice(records.size());
  // Without random numbers the order is the answer's, which will do.
  if (::getrandom(dice.data(), dice.size() * sizeof(std::uint32_t), GRND_NONBLOCK) > 0) {
    for (std::size_t i = records.size(); i > 1; --i) {
      std::swap(records[i - 1], records[dice[i - 1] % i]);
    }
  }
  std::stable_sort(records.begin(), records.end(), [](const MxRecord& a, const MxRecord& b) {
    return a.preference < b.preference;
  });
}

template <typename Item>
void cut(std::vector<Item>& list, std::size_t most) {
  if (list.size() > most) list.erase(list.begin() + static_cast<std::ptrdiff_t>(most), list.end());
}

struct Addresses {
  std::vector<Exchanger> found;
  bool incomplete = false;  // one of the two questions had no answer
};

using Question = DnsClient::Outcome<IpAddress> (DnsClient::*)(const std::string&);

std::vector<Question> questions(AddressPreference preference) {
  const Question v4 = &DnsClient::v4_addresses;
  const Question v6 = &DnsClient::v6_addresses;
  switch (preference) {
    case AddressPreference::v4_only:
      return {v4};
    case AddressPreference::v6_only:
      return {v6};
    case AddressPreference::v6_first:
      return {v6, v4};
    case AddressPreference::any_first:
      if (throw_dice() % 2 != 0) return {v6, v4};
      break;
    case AddressPreference::v4_first:
      break;
  }
  return {v4, v6};
}

// cppcheck-suppress constParameter ; what `question` points to is no const member
Addresses both_families(DnsClient& dns, const std::string& name, AddressPreference preference) {
  Addresses result;
  if (name.empty()) return result;  // the root: a null MX (RFC 7505)
  for (const Question question : questions(preference)) {
    const auto some = (dns.*question)(name);
    if (some) {
      for (const IpAddress& address : some->records) {
        result.found.push_back({address, 0, name, true, some->secure, some->canonical});
      }
    } else if (some.error() == DnsFailure::temporary) {
      result.incomplete = true;
    }
  }
  return result;
}

}  // namespace

ExchangerList addresses_of(DnsClient& dns, const std::string& host, AddressPreference preference) {
  if (const auto address = address_text(host)) return std::vector{Exchanger{*address, 0, ""}};
  Addresses addresses = both_families(dns, host, preference);
  if (addresses.found.empty()) {
    return Failure(addresses.incomplete ? LookupFailure::temporary : LookupFailure::no_such_host);
  }
  cut(addresses.found, most_addresses);
  return std::move(addresses.found);
}

ExchangerList exchangers_of(DnsClient& dns, const std::string& host, AddressPreference preference) {
  if (address_text(host) || host.empty()) return addresses_of(dns, host, preference);
  auto answer = dns.exchangers(host);
  if (!answer) {
    if (answer.error() == DnsFailure::temporary) return Failure(LookupFailure::temporary);
    return addresses_of(dns, host, preference);
  }
  std::vector<MxRecord>& records = answer->records;
  put_in_order(records);
  cut(records, most_exchangers);
  std::vector<Exchanger> list;
  bool incomplete = false;
  for (const MxRecord& record : records) {
    if (list.size() >= most_addresses) break;
    if (const auto address = address_text(record.exchanger)) {
      list.push_back({*address, 0, ""});
      continue;
    }
    Addresses addresses = both_families(dns, record.exchanger, preference);
    incomplete = incomplete || addresses.incomplete;
    for (Exchanger& exchanger : addresses.found) {
      exchanger.preference = record.preference;
      exchanger.mx_secure = answer->secure;
      exchanger.domain = answer->canonical;
      list.push_back(std::move(exchanger));
    }
  }
  cut(list, most_addresses);
  if (!list.empty()) return list;
  return Failure(incomplete ? LookupFailure::temporary : LookupFailure::no_exchanger);
}

std::vector<Exchanger> better_than_me(std::vector<Exchanger> list, const OwnAddresses& me) {
  std::optional<std::uint16_t> limit;
  for (const Exchanger& exchanger : list) {
    if (!me.contains(exchanger.address) && !exchanger.address.is_loopback()) continue;
    limit = std::min(limit.value_or(exchanger.preference), exchanger.preference);
  }
  if (limit) {
    std::erase_if(list, [&](const Exchanger& one) { return one.preference >= *limit; });
  }
  return list;
}

}  // namespace qmail::remote
