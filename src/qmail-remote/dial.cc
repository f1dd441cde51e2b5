#include "qmail-remote/dial.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

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

}  // namespace

Result<UniqueFd, DialError> dial(const IpAddress& address, std::uint16_t port, Deadline deadline) {
  SocketAddress to;
  const socklen_t length = fill(to, address, port);
  UniqueFd fd(::socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  // A kernel without IPv6 is no trouble of ours, only an address that cannot be reached.
  if (!fd) return Failure(errno == EAFNOSUPPORT ? DialError::failed : DialError::no_socket);
  const int one = 1;
  // A socket that cannot do this still works, only slower.
  static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
  int error = ::connect(fd.get(), &to.any, length) == 0 ? 0 : errno;
  if (error == EINPROGRESS || error == EINTR) {
    if (!wait_for(fd.get(), POLLOUT, deadline)) return Failure(DialError::timed_out);
    error = outcome(fd.get());
  }
  if (error == 0) return fd;
  return Failure(error == ETIMEDOUT ? DialError::timed_out : DialError::failed);
}

}  // namespace qmail::remote
