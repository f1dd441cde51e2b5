#include "qmail/ipme.h"

#include <ifaddrs.h>
#include <memory>
#include <net/if.h>

#include <gtest/gtest.h>

namespace qmail {
namespace {

// Netlink's answer is the measure.
TEST(OwnAddresses, AskedWithoutNetlinkTheKernelSaysTheSame) {
  const auto found = OwnAddresses::learn_without_netlink();
  const auto found_v4 = OwnAddresses::learn_v4();
  ASSERT_TRUE(found && found_v4);
  ifaddrs* first = nullptr;
  ASSERT_EQ(::getifaddrs(&first), 0);
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(first, &::freeifaddrs);
  int looked_at = 0;
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    const auto address = IpAddress::of(entry->ifa_addr);
    if (!address || (entry->ifa_flags & IFF_UP) == 0) continue;
    EXPECT_TRUE(found->contains(*address)) << address->text();
    EXPECT_EQ(found_v4->contains(*address), address->family() == IpAddress::Family::v4)
        << address->text();
    ++looked_at;
  }
  EXPECT_GT(looked_at, 0);
  EXPECT_FALSE(found->contains(*parse_ip("192.0.2.99")));
  EXPECT_FALSE(found_v4->contains(*parse_ip("192.0.2.99")));
  EXPECT_FALSE(found->contains(*parse_ip("2001:db8::99")));
}

}  // namespace
}  // namespace qmail
