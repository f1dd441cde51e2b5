// Transport: bytes to and from a peer, in the clear (FdTransport) or through TLS (src/tls).
//
// Every call ends by its Deadline. EINTR and EAGAIN stay in here. The descriptors' flags are not
// touched: they are shared with whoever started us.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "qmail/deadline.h"
#include "qmail/result.h"

namespace qmail {

struct IoError {
  enum class Kind {
    timed_out,
    failed,   // the system's: reset, end of file in the midst, …
    garbled,  // what came cannot be what the peer sent, or the peer says so of us: TLS is broken
  };
  Kind kind;
  std::string reason;  // for people: "timed out", the system's text, the TLS library's text
};

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // At least one byte, or 0 when the peer has properly ended its side.
  virtual Result<std::size_t, IoError> read(std::span<char> into, Deadline deadline) = 0;
  // At least one byte of `from`, which must not be empty.
  virtual Result<std::size_t, IoError> write(std::span<const char> from, Deadline deadline) = 0;
  // Tells the peer that nothing more will come, where the protocol has a word for it (TLS:
  // close_notify). Best effort, waits for nothing.
  virtual void say_goodbye() = 0;
};

// Waits until `fd` is ready for `events` (POLLIN, POLLOUT): true; false when the deadline has
// passed. A hang-up or an error counts as ready: the read or write that follows will tell.
bool wait_for(int fd, short events, Deadline deadline);

// One try, without waiting, on a descriptor that may be a socket or not, blocking or not.
// Result: bytes moved, or -1 with errno; EAGAIN when it would have had to wait.
long read_now(int fd, std::span<char> into);
long write_now(int fd, std::span<const char> from);

class FdTransport final : public Transport {
 public:
  // Reads from `in`, writes to `out`; they may be the same. Both stay the caller's.
  FdTransport(int in, int out) : in_(in), out_(out) {}

  Result<std::size_t, IoError> read(std::span<char> into, Deadline deadline) override;
  Result<std::size_t, IoError> write(std::span<const char> from, Deadline deadline) override;
  void say_goodbye() override {}

 private:
  int in_;
  int out_;
};

}  // namespace qmail
