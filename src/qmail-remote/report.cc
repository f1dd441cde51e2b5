#include "qmail-remote/report.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <sys/uio.h>
#include <unistd.h>

namespace qmail::remote {

namespace {

// All parts, in one call if the system takes it so. Parts that are out are shortened.
void write_all(int fd, std::span<iovec> parts) {
  while (!parts.empty()) {
    const ssize_t put = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    auto left = static_cast<std::size_t>(put);
    while (!parts.empty() && left >= parts.front().iov_len) {
      left -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (left > 0) {
      parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + left;
      parts.front().iov_len -= left;
    }
  }
}

// writev(2) does not change what it writes, but its type does not say so.
iovec part(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

template <typename Odd>
std::string with_question_marks(std::string_view text, Odd odd) {
  std::string result(text);
  std::replace_if(result.begin(), result.end(), odd, '?');
  return result;
}

}  // namespace

void Reports::add(RecipientStatus status, std::string_view text) {
  // All the memory first: a report is there whole or not at all.
  recipients_.reserve(recipients_.size() + text.size() + 2);
  recipients_.push_back(static_cast<char>(status));
  recipients_.append(text).push_back('\0');
}

void Reports::finish(int fd, MessageStatus status, std::string_view text) const {
  const char letter = static_cast<char>(status);
  const char nul = '\0';
  std::array parts{part(recipients_), part({&letter, 1}), part(text), part({&nul, 1})};
  write_all(fd, parts);
}

std::string printable(std::string_view name) {
  return with_question_marks(name, [](char c) { return c < '!' || c > '~'; });
}

std::string one_line(std::string_view text) {
  return with_question_marks(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

std::string without_nul(std::string_view reply) {
  return with_question_marks(reply, [](char c) { return c == '\0'; });
}

}  // namespace qmail::remote
