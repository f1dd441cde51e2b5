#include "qmail/ipme.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "qmail/control.h"
#include "qmail/unique_fd.h"

namespace qmail {

namespace {

std::error_code last_error() { return {errno, std::generic_category()}; }

// How qmail has always asked: needs no more than a socket of IPv4, and knows no other addresses.
std::error_code add_v4_addresses(std::vector<IpAddress>& addresses) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return last_error();
  // The kernel fills what there is room for and says how much it filled: if there was room to
  // spare, that was all.
  std::vector<ifreq> entries(16);
  ifconf answer{};
  do {
    entries.resize(entries.size() * 2);
    answer.ifc_len = static_cast<int>(entries.size() * sizeof(ifreq));
    answer.ifc_req = entries.data();
    if (::ioctl(socket.get(), SIOCGIFCONF, &answer) != 0) return last_error();
  } while (static_cast<std::size_t>(answer.ifc_len) == entries.size() * sizeof(ifreq));
  entries.resize(static_cast<std::size_t>(answer.ifc_len) / sizeof(ifreq));
  for (ifreq& entry : entries) {
    const auto address = IpAddress::of(&entry.ifr_addr);
    if (::ioctl(socket.get(), SIOCGIFFLAGS, &entry) != 0 || (entry.ifr_flags & IFF_UP) == 0) {
      continue;
    }
    if (address) addresses.push_back(*address);
  }
  return {};
}

// A line an address: 32 hexadecimal digits, then what does not matter here.
void add_v6_addresses(std::vector<IpAddress>& addresses) {
  const auto lines = read_file("/proc/net/if_inet6");
  if (!lines || !*lines) return;  // no IPv6 here
  for (const std::string& line : parse_list(**lines)) {
    std::array<std::uint8_t, 16> bytes{};
    bool good = line.size() > 2 * bytes.size();
    for (std::size_t i = 0; good && i < bytes.size(); ++i) {
      const char* const digits = line.data() + 2 * i;
      good = std::from_chars(digits, digits + 2, bytes.at(i), 16).ptr == digits + 2;
    }
    if (good) addresses.push_back(IpAddress::v6(bytes));
  }
}

}  // namespace

Result<OwnAddresses, std::error_code> OwnAddresses::learn() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return learn_without_netlink();
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  std::vector<IpAddress> addresses;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if ((entry->ifa_flags & IFF_UP) == 0) continue;
    if (const auto address = IpAddress::of(entry->ifa_addr)) addresses.push_back(*address);
  }
  return OwnAddresses(std::move(addresses));
}

Result<OwnAddresses, std::error_code> OwnAddresses::learn_without_netlink() {
  std::vector<IpAddress> addresses;
  if (const std::error_code error = add_v4_addresses(addresses)) return Failure(error);
  add_v6_addresses(addresses);
  return OwnAddresses(std::move(addresses));
}

Result<OwnAddresses, std::error_code> OwnAddresses::learn_v4() {
  std::vector<IpAddress> addresses;
  if (add_v4_addresses(addresses)) return learn();
  return OwnAddresses(std::move(addresses));
}

bool OwnAddresses::contains(const IpAddress& address) const {
  return address.is_unspecified() ||
         std::find(addresses_.begin(), addresses_.end(), address) != addresses_.end();
}

}  // namespace qmail
