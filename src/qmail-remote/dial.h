// Opens a TCP connection by a deadline.
#pragma once

#include <cstdint>

#include "qmail/deadline.h"
#include "qmail/ip_address.h"
#include "qmail/result.h"
#include "qmail/unique_fd.h"

namespace qmail::remote {

enum class DialError {
  no_socket,  // this host has no descriptor or memory left
  timed_out,  // by our clock or by the kernel's
  failed,     // refused, unreachable, …
};

// A connected socket, non-blocking and without Nagle's delay: what we write is a whole flight.
Result<UniqueFd, DialError> dial(const IpAddress& address, std::uint16_t port, Deadline deadline);

}  // namespace qmail::remote
