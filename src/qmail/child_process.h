// ChildProcess: a program that we start, with exactly the descriptors and variables it is given.
//
// Beyond 0, 1 and 2 it has none of our descriptors but those that are named, since all of ours are
// closed on exec. What it cannot be told before it runs (memory, a handler of ours) it does not
// share. A ChildProcess that goes away leaves the program running: whoever must know what becomes
// of it waits.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "qmail/deadline.h"
#include "qmail/result.h"
#include "qmail/unique_fd.h"

namespace qmail {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};
// Both ends are closed on exec. Nothing: there is none to be had.
std::optional<Pipe> make_pipe();

struct ChildSetup {
  // argv. The first is the program: relative to the working directory, or, if `in_path`, looked for
  // in PATH unless it holds a '/'.
  std::vector<std::string> arguments;
  bool in_path = false;
  // NAME=VALUE, on top of our environment; they replace what is there by that name.
  std::vector<std::string> variables{};
  struct Descriptor {
    int ours;
    int theirs;
  };
  std::vector<Descriptor> descriptors{};
  // Signals that we ignore and it must not.
  std::vector<int> default_signals{};
};

class ChildProcess {
 public:
  // The error: an errno. ENOENT, EACCES, … where the program cannot be run.
  static Result<ChildProcess, int> start(ChildSetup setup);

  pid_t pid() const { return pid_; }

  // What waitpid(2) says; the error: its errno.
  Result<int, int> wait();
  // The same without waiting; nothing: it runs.
  Result<std::optional<int>, int> ended();
  // The same, but when the deadline has passed the program is killed: nothing.
  Result<std::optional<int>, int> wait_until(Deadline deadline);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

}  // namespace qmail
