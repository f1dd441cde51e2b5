#include "qmail-smtpd/log.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <poll.h>
#include <unistd.h>

#include "qmail-smtpd/received.h"
#include "qmail/ascii.h"
#include "qmail/deadline.h"
#include "qmail/transport.h"

namespace qmail::smtpd {

Log::Log(int descriptor, std::string_view remote_ip)
    : descriptor_(descriptor), remote_ip_(cleaned(remote_ip)) {}

void Log::line(std::string_view text) const {
  std::string line = "qmail-smtpd: " + std::to_string(::getpid());
  line.append(" from ").append(remote_ip_).append(": ").append(without_controls(text));
  line.resize(std::min<std::size_t>(line.size(), PIPE_BUF - 1));
  line.append("\n");
  // A pipe that polls writable has room for PIPE_BUF bytes.
  if (!wait_for(descriptor_, POLLOUT, Deadline::after(std::chrono::seconds(1)))) return;
  while (::write(descriptor_, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

}  // namespace qmail::smtpd
