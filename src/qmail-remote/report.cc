#include "qmail-remote/report.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace qmail::remote {

namespace {

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

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
  write_all(fd, recipients_);
  write_all(fd, {&letter, 1});
  write_all(fd, text);
  write_all(fd, {&nul, 1});
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
