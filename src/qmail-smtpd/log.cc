#include "qmail-smtpd/log.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include "qmail-smtpd/received.h"

namespace qmail::smtpd {

Log::Log(int descriptor, std::string_view remote_ip)
    : descriptor_(descriptor), remote_ip_(cleaned(remote_ip)) {}

void Log::line(std::string_view text) const {
  std::string line = "qmail-smtpd: " + std::to_string(::getpid());
  line.append(" from ").append(remote_ip_).append(": ").append(one_line(text)).append("\n");
  while (::write(descriptor_, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

std::string one_line(std::string_view text) {
  std::string line(text);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::replace_if(line.begin(), line.end(), is_control, '?');
  return line;
}

}  // namespace qmail::smtpd
