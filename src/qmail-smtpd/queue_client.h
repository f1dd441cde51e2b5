// QueueClient: one message on its way into qmail-queue, or whatever QMAILQUEUE names.
//
// qmail-queue(8): the message is read from descriptor 0, the envelope from descriptor 1, and the
// exit status says what became of it. The envelope is sent only after a whole message; without it
// the queue program must fail, so a QueueClient that is dropped, spoiled or cannot write never
// queues anything. Success is exit status 0 with everything written, and nothing else.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "qmail/child_process.h"
#include "qmail/result.h"
#include "qmail/unique_fd.h"

namespace qmail::smtpd {

struct QueueProgram {
  std::string path;  // relative to the home
  // On top of our environment: "NAME=value".
  std::vector<std::string> variables{};
};

class QueueClient {
 public:
  // Starts the program. Nothing: no pipe or no process was to be had. That the program itself
  // cannot be run is told by finish(), as a program's exit status would be.
  static std::optional<QueueClient> start(const QueueProgram& program);

  // --- the message ---
  // Room for the next bytes, at least `largest_piece`; then say how many were put there.
  static constexpr std::size_t largest_piece = 32768 + 16;
  char* room();
  void put(std::size_t count);
  void write(std::string_view bytes);
  // The message must not be queued: what else is written is dropped.
  void spoil() { broken_ = true; }

  // --- the end ---
  // Sends the envelope, unless something went wrong, and waits for the program.
  // The process id under which the message was queued, or the reply that says why it was not.
  Result<pid_t, std::string_view> finish(std::string_view sender,
                                         const std::vector<std::string>& recipients);

 private:
  QueueClient();
  void flush();

  UniqueFd message_;
  UniqueFd envelope_;
  std::optional<ChildProcess> program_;  // nothing: it could not be run
  bool broken_ = false;
  std::unique_ptr<char[]> buffer_;
  std::size_t used_ = 0;
};

}  // namespace qmail::smtpd
