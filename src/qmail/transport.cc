#include "qmail/transport.h"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace qmail {

namespace {

IoError timed_out() { return {IoError::Kind::timed_out, "timed out"}; }

IoError failed(int error) {
  return {IoError::Kind::failed, std::generic_category().message(error)};
}

// Repeats `attempt` (read_now or write_now) until it moved something, failed, or time is up.
template <typename Attempt>
Result<std::size_t, IoError> by_deadline(int fd, short events, Deadline deadline, Attempt attempt) {
  for (bool last = false;;) {
    const long moved = attempt();
    if (moved >= 0) return static_cast<std::size_t>(moved);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Failure(failed(errno));
    if (last || !wait_for(fd, events, deadline)) return Failure(timed_out());
    // The kernel may say "ready" and "try again" in turns: that, too, has an end.
    last = deadline.passed();
  }
}

// What recv and send say of a descriptor that is no socket, and where a sandbox forbids them. Then
// read and write are all there is, as qmail has always used them. (EPERM is a packet filter's word
// as well; write says the same then.)
bool has_no_socket_calls(int error) {
  return error == ENOTSOCK || error == ENOSYS || error == EPERM;
}

// For read and write: is the next call sure not to wait?
bool ready(int fd, short events) {
  pollfd entry{fd, events, 0};
  return ::poll(&entry, 1, 0) > 0;
}

}  // namespace

bool wait_for(int fd, short events, Deadline deadline) {
  pollfd entry{fd, events, 0};
  for (;;) {
    const int count = ::poll(&entry, 1, deadline.poll_timeout());
    if (count > 0) return true;
    if (count == 0 && deadline.passed()) return false;
    if (count < 0 && errno != EINTR && errno != EAGAIN) return true;
  }
}

long read_now(int fd, std::span<char> into) {
  const ssize_t got = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
  if (got >= 0 || !has_no_socket_calls(errno)) return got;
  if (!ready(fd, POLLIN)) {
    errno = EAGAIN;
    return -1;
  }
  return ::read(fd, into.data(), into.size());
}

long write_now(int fd, std::span<const char> from) {
  const ssize_t put = ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put >= 0 || !has_no_socket_calls(errno)) return put;
  if (!ready(fd, POLLOUT)) {
    errno = EAGAIN;
    return -1;
  }
  // What polls writable takes PIPE_BUF (at least 512) bytes without waiting; a pipe not more.
  constexpr std::size_t sure_to_fit = 512;
  return ::write(fd, from.data(), from.size() < sure_to_fit ? from.size() : sure_to_fit);
}

Result<std::size_t, IoError> FdTransport::read(std::span<char> into, Deadline deadline) {
  return by_deadline(in_, POLLIN, deadline, [&] { return read_now(in_, into); });
}

Result<std::size_t, IoError> FdTransport::write(std::span<const char> from, Deadline deadline) {
  return by_deadline(out_, POLLOUT, deadline, [&] { return write_now(out_, from); });
}

}  // namespace qmail
