#include "qmail-smtpd/queue_client.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

#include "qmail-smtpd/replies.h"
#include "qmail/buffer.h"

namespace qmail::smtpd {

namespace {

// Written out when this much has gathered: half of a Linux pipe, so that we fill one half while the
// queue program empties the other.
constexpr std::size_t write_size = 32768;
constexpr std::size_t buffer_size = write_size + QueueClient::largest_piece;

// What the program's exit status would have been (qmail's convention for a failed exec).
constexpr int status_cannot_run = 120;

// Writes all of it, or says false: the reader is gone.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

// Not zeroed: a small message touches one page of it.
QueueClient::QueueClient() : buffer_(make_buffer<char>(buffer_size)) {}

std::optional<QueueClient> QueueClient::start(const QueueProgram& program) {
  auto message = make_pipe();
  auto envelope = make_pipe();
  if (!message || !envelope) return std::nullopt;
  QueueClient queue;
  const auto child = ChildProcess::start(
      {.arguments = {program.path},
       .variables = program.variables,
       .descriptors = {{message->read_end.get(), 0}, {envelope->read_end.get(), 1}}});
  if (!child) {
    if (child.error() == EAGAIN || child.error() == ENOMEM) return std::nullopt;
    queue.broken_ = true;
    return queue;
  }
  queue.program_ = *child;
  queue.message_ = std::move(message->write_end);
  queue.envelope_ = std::move(envelope->write_end);
  return queue;
}

char* QueueClient::room() {
  if (used_ >= write_size) flush();
  return buffer_.get() + used_;
}

void QueueClient::put(std::size_t count) { used_ += count; }

void QueueClient::write(std::string_view bytes) {
  while (!bytes.empty()) {
    char* const to = room();
    const std::size_t count = std::min(bytes.size(), largest_piece);
    std::memcpy(to, bytes.data(), count);
    put(count);
    bytes.remove_prefix(count);
  }
}

void QueueClient::flush() {
  if (!broken_ && !write_all(message_.get(), {buffer_.get(), used_})) broken_ = true;
  used_ = 0;
}

Result<pid_t, std::string_view> QueueClient::finish(std::string_view sender,
                                                    const std::vector<std::string>& recipients) {
  flush();
  message_.reset();
  if (!program_) return Failure(reply::for_queue_exit(status_cannot_run));

  if (!broken_) {
    // The envelope goes through the same buffer, into the other pipe.
    std::swap(message_, envelope_);
    constexpr std::string_view nul("\0", 1);
    write("F");
    write(sender);
    write(nul);
    for (const std::string& recipient : recipients) {
      write("T");
      write(recipient);
      write(nul);
    }
    write(nul);
    flush();
    message_.reset();
  }
  envelope_.reset();

  const auto ended = program_->wait();
  if (!ended) return Failure(reply::queue_wait_failed);
  const int status = *ended;
  if (!WIFEXITED(status)) return Failure(reply::queue_crashed);
  if (WEXITSTATUS(status) != 0) return Failure(reply::for_queue_exit(WEXITSTATUS(status)));
  if (broken_) return Failure(reply::queue_read_error);
  return program_->pid();
}

}  // namespace qmail::smtpd
