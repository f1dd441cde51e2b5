#include "qmail/ipme.h"

#include <algorithm>
#include <cerrno>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>

namespace qmail {

Result<OwnAddresses, std::error_code> OwnAddresses::learn() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return Failure(std::error_code(errno, std::generic_category()));
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  std::vector<IpAddress> addresses;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if ((entry->ifa_flags & IFF_UP) == 0) continue;
    if (const auto address = IpAddress::of(entry->ifa_addr)) addresses.push_back(*address);
  }
  return OwnAddresses(std::move(addresses));
}

bool OwnAddresses::contains(const IpAddress& address) const {
  return address.is_unspecified() ||
         std::find(addresses_.begin(), addresses_.end(), address) != addresses_.end();
}

}  // namespace qmail
