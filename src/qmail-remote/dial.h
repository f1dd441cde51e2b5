// Opens TCP connections by a deadline, from the address that control/outgoingip names.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "qmail-remote/source_address.h"
#include "qmail/deadline.h"
#include "qmail/ip_address.h"
#include "qmail/result.h"
#include "qmail/unique_fd.h"

namespace qmail::remote {

struct DialError {
  enum class Kind {
    no_socket,  // this host has no descriptor or memory left
    no_source,  // it may not come from the address that it should come from
    timed_out,  // by our clock or by the kernel's
    failed,     // refused, unreachable, …
  };
  Kind kind;
  std::string reason;  // the system's text, or "timed out"
};

// How connections are made.
struct Dialing {
  std::chrono::seconds timeout;
  SourceAddresses sources{};
};

// A connected socket, non-blocking and without Nagle's delay: what we write is a whole flight.
Result<UniqueFd, DialError> dial(const IpAddress& address, std::uint16_t port,
                                 const Dialing& dialing);

// The address that a connected socket comes from; nothing: the system did not say.
std::optional<IpAddress> source_of(int socket);

}  // namespace qmail::remote
