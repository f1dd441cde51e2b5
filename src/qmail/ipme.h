// The host's own addresses, which qmail calls "me".
#pragma once

#include <system_error>
#include <vector>

#include "qmail/ip_address.h"
#include "qmail/result.h"

namespace qmail {

class OwnAddresses {
 public:
  explicit OwnAddresses(std::vector<IpAddress> addresses) : addresses_(std::move(addresses)) {}
  // Every address of every interface that is up, both families. getifaddrs(3) asks by netlink,
  // which a service's sandbox may forbid; then the kernel is asked as qmail has always done it.
  static Result<OwnAddresses, std::error_code> learn();
  static Result<OwnAddresses, std::error_code> learn_without_netlink();
  // Those of IPv4 alone, as qmail has always done it; netlink is asked only if that is forbidden,
  // since reading its list costs a short session a twentieth of its time.
  static Result<OwnAddresses, std::error_code> learn_v4();

  // One of them, or 0.0.0.0, or ::.
  bool contains(const IpAddress& address) const;

 private:
  std::vector<IpAddress> addresses_;
};

}  // namespace qmail
