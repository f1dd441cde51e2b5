// Deadline: the moment at which a wait is given up.
//
// Made from a number of seconds, kept on the monotonic clock, so that a change of the system's time
// neither ends nor prolongs a wait.
#pragma once

#include <chrono>

namespace qmail {

class Deadline {
 public:
  // `seconds` from now; zero or less has already passed.
  static Deadline after(std::chrono::seconds seconds);

  // Whichever comes first.
  static Deadline earlier(Deadline one, Deadline other);

  bool passed() const;
  // What poll(2) takes: milliseconds left, rounded up, never negative.
  int poll_timeout() const;

 private:
  explicit Deadline(std::chrono::steady_clock::time_point when) : when_(when) {}
  std::chrono::steady_clock::time_point when_;
};

}  // namespace qmail
