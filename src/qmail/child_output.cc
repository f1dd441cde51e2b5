#include "qmail/child_output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>

#include "qmail/transport.h"

namespace qmail {

namespace {

// Takes what is there. False: nothing more can come.
bool take(int fd, std::string& text, std::size_t most) {
  std::array<char, 4096> piece;
  for (;;) {
    const long got = read_now(fd, piece);
    if (got > 0) {
      text.append(piece.data(), std::min(static_cast<std::size_t>(got), most - text.size()));
    } else if (got == 0 || errno != EINTR) {
      return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
  }
}

}  // namespace

Result<ChildOutput, int> run_for_output(ChildSetup setup, int descriptor, std::size_t most,
                                        Deadline deadline) {
  auto pipe = make_pipe();
  const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!pipe || !nothing) return Failure(errno);
  setup.descriptors.push_back({nothing.get(), 0});
  setup.descriptors.push_back({nothing.get(), 1});
  setup.descriptors.push_back({pipe->write_end.get(), descriptor});
  setup.default_signals = {SIGPIPE};
  auto child = ChildProcess::start(std::move(setup));
  if (!child) return Failure(child.error());
  pipe->write_end.reset();

  ChildOutput output;
  const int fd = pipe->read_end.get();
  while (take(fd, output.text, most) && !deadline.passed()) {
    const auto ended = child->ended();
    if (!ended) return Failure(ended.error());
    if (*ended) {
      take(fd, output.text, most);  // its last words
      output.status = **ended;
      return output;
    }
    constexpr int nap = 20;  // milliseconds
    pollfd entry{fd, POLLIN, 0};
    static_cast<void>(::poll(&entry, 1, nap));
  }
  const auto ended = child->wait_until(deadline);
  if (!ended) return Failure(ended.error());
  output.status = *ended;
  return output;
}

}  // namespace qmail
