#include "qmail/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace qmail {

namespace {

// As a shell's exit status has it.
constexpr int cannot_be_run = 127;

std::vector<char*> arguments_of(ChildSetup& setup) {
  std::vector<char*> arguments;
  for (std::string& argument : setup.arguments) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  return arguments;
}

std::vector<char*> environment_of(ChildSetup& setup) {
  const auto replaced = [&setup](std::string_view ours) {
    const std::string_view name = ours.substr(0, ours.find('=') + 1);
    return std::any_of(setup.variables.begin(), setup.variables.end(),
                       [name](const std::string& variable) { return variable.starts_with(name); });
  };
  std::vector<char*> variables;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    if (!replaced(*variable)) variables.push_back(*variable);
  }
  for (std::string& variable : setup.variables) variables.push_back(variable.data());
  variables.push_back(nullptr);
  return variables;
}

class FileActions {
 public:
  explicit FileActions(const ChildSetup& setup) {
    error_ = ::posix_spawn_file_actions_init(&actions_);
    for (const auto& [ours, theirs] : setup.descriptors) {
      if (error_ == 0) error_ = ::posix_spawn_file_actions_adddup2(&actions_, ours, theirs);
    }
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  int error() const { return error_; }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  int error_ = 0;
};

// What we ignore is ignored in what we start, unless it is made otherwise for that moment.
class SignalsRestored {
 public:
  explicit SignalsRestored(const ChildSetup& setup) : signals_(setup.default_signals) {
    for (const int signal : signals_) static_cast<void>(std::signal(signal, SIG_DFL));
  }
  SignalsRestored(const SignalsRestored&) = delete;
  SignalsRestored& operator=(const SignalsRestored&) = delete;
  ~SignalsRestored() {
    for (const int signal : signals_) static_cast<void>(std::signal(signal, SIG_IGN));
  }

 private:
  const std::vector<int>& signals_;
};

// Never comes back. Nothing is allocated here.
[[noreturn]] void become(const ChildSetup& setup, const char* program, char* const* arguments,
                         char** variables) {
  for (const auto& [ours, theirs] : setup.descriptors) {
    if (::dup2(ours, theirs) != theirs) ::_exit(cannot_be_run);
  }
  ::environ = variables;
  ::execvp(program, arguments);
  ::_exit(cannot_be_run);
}

}  // namespace

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<ChildProcess, int> ChildProcess::start(ChildSetup setup) {
  const std::vector<char*> arguments = arguments_of(setup);
  std::vector<char*> changed;
  if (!setup.variables.empty()) changed = environment_of(setup);
  char** const variables = changed.empty() ? ::environ : changed.data();
  const FileActions actions(setup);
  if (actions.error() != 0) return Failure(actions.error());
  const SignalsRestored signals(setup);
  // What holds a '/' is not looked for in PATH.
  const std::string& name = setup.arguments.front();
  const bool search = setup.in_path || name.find('/') != std::string::npos || name.empty();
  const std::string program = search ? name : "./" + name;
  // The child shares our memory until it has become the program (vfork(2)): nothing is copied,
  // however much TLS has mapped.
  pid_t child = -1;
  const int error =
      ::posix_spawnp(&child, program.c_str(), actions.get(), nullptr, arguments.data(), variables);
  if (error == 0) return ChildProcess(child);
  // So does a container's sandbox answer that does not know clone3, which glibc uses here but not
  // in fork(2). That the program cannot be run is then told by its exit status.
  if (error != EPERM) return Failure(error);
  child = ::fork();
  if (child == 0) become(setup, program.c_str(), arguments.data(), variables);
  if (child < 0) return Failure(errno);
  return ChildProcess(child);
}

Result<int, int> ChildProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) != pid_) {
    if (errno != EINTR) return Failure(errno);
  }
  return status;
}

Result<std::optional<int>, int> ChildProcess::ended() {
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) return std::optional(status);
  if (ended < 0 && errno != EINTR) return Failure(errno);
  return std::optional<int>();
}

Result<std::optional<int>, int> ChildProcess::wait_until(Deadline deadline) {
  // There is no portable way to wait for a process and a time; most have ended after a few naps.
  int nap = 1;  // milliseconds
  for (;;) {
    auto status = ended();
    if (!status || *status) return status;
    if (deadline.passed()) break;
    static_cast<void>(::poll(nullptr, 0, nap));
    nap = std::min(nap * 2, 20);
  }
  ::kill(pid_, SIGKILL);
  const auto status = wait();
  if (!status) return Failure(status.error());
  return std::optional<int>();
}

}  // namespace qmail
