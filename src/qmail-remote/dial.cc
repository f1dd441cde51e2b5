#include "qmail-remote/dial.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

#include "qmail/transport.h"

namespace qmail::remote {

namespace {

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

socklen_t fill(SocketAddress& to, const IpAddress& address, std::uint16_t port) {
  std::memset(&to, 0, sizeof to);
  if (address.family() == IpAddress::Family::v4) {
    to.v4.sin_family = AF_INET;
    to.v4.sin_port = htons(port);
    std::memcpy(&to.v4.sin_addr, address.bytes().data(), address.bytes().size());
    return sizeof to.v4;
  }
  to.v6.sin6_family = AF_INET6;
  to.v6.sin6_port = htons(port);
  std::memcpy(&to.v6.sin6_addr, address.bytes().data(), address.bytes().size());
  return sizeof to.v6;
}

// The outcome of a connection that was under way: 0 or an errno.
int outcome(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

using Kind = DialError::Kind;

Failure<DialError> failure(Kind kind, int error) {
  return Failure(DialError{
      kind, kind == Kind::timed_out ? "timed out" : std::generic_category().message(error)});
}

}  // namespace

Result<UniqueFd, DialError> dial(const IpAddress& address, std::uint16_t port,
                                 const Dialing& dialing) {
  const Deadline deadline = Deadline::after(dialing.timeout);
  SocketAddress to;
  const socklen_t length = fill(to, address, port);
  UniqueFd fd(::socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  // A kernel without IPv6 is no trouble of ours, only an address that cannot be reached.
  if (!fd) return failure(errno == EAFNOSUPPORT ? Kind::failed : Kind::no_socket, errno);
  if (const auto& source = dialing.sources.for_family(address.family())) {
    SocketAddress from;
    const socklen_t its_length = fill(from, *source, 0);
    if (::bind(fd.get(), &from.any, its_length) != 0) return failure(Kind::no_source, errno);
  }
  const int one = 1;
  // A socket that cannot do this still works, only slower.
  static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
  int error = ::connect(fd.get(), &to.any, length) == 0 ? 0 : errno;
  if (error == EINPROGRESS || error == EINTR) {
    if (!wait_for(fd.get(), POLLOUT, deadline)) return failure(Kind::timed_out, ETIMEDOUT);
    error = outcome(fd.get());
  }
  if (error == 0) return fd;
  return failure(error == ETIMEDOUT ? Kind::timed_out : Kind::failed, error);
}

std::optional<IpAddress> source_of(int socket) {
  SocketAddress from;
  socklen_t length = sizeof from;
  if (::getsockname(socket, &from.any, &length) != 0) return std::nullopt;
  return IpAddress::of(&from.any);
}

}  // namespace qmail::remote
