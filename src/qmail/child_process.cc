#include "qmail/child_process.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace qmail {

namespace {

// What the shell says of a program it cannot run.
constexpr int status_cannot_run = 127;

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

sigset_t signals_of(const ChildSetup& setup) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : setup.default_signals) sigaddset(&signals, signal);
  return signals;
}

class SpawnSettings {
 public:
  explicit SpawnSettings(const ChildSetup& setup) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    for (const auto& [ours, theirs] : setup.descriptors) {
      if (error_ == 0) error_ = ::posix_spawn_file_actions_adddup2(&actions_, ours, theirs);
    }
    if (setup.default_signals.empty()) return;
    const sigset_t signals = signals_of(setup);
    ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  int error() const { return error_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  int error_ = 0;
};

// Never comes back. Nothing is allocated here: the process is a copy of ours.
[[noreturn]] void become(const ChildSetup& setup, char** arguments, char** variables) {
  for (const auto& [ours, theirs] : setup.descriptors) {
    const bool placed =
        ours == theirs ? ::fcntl(ours, F_SETFD, 0) == 0 : ::dup2(ours, theirs) == theirs;
    if (!placed) ::_exit(status_cannot_run);
  }
  for (const int signal : setup.default_signals) static_cast<void>(std::signal(signal, SIG_DFL));
  if (setup.in_path) {
    ::environ = variables;
    ::execvp(arguments[0], arguments);
  } else {
    ::execve(arguments[0], arguments, variables);
  }
  ::_exit(status_cannot_run);
}

}  // namespace

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<ChildProcess, int> ChildProcess::start(const ChildSetup& wanted) {
  ChildSetup setup = wanted;
  const std::vector<char*> arguments = arguments_of(setup);
  const std::vector<char*> variables = environment_of(setup);
  const SpawnSettings settings(setup);
  if (settings.error() != 0) return Failure(settings.error());
  // The child shares our memory until it has become the program (vfork(2)): nothing is copied,
  // however much TLS has mapped.
  pid_t pid = -1;
  const auto spawn = setup.in_path ? ::posix_spawnp : ::posix_spawn;
  const int error = spawn(&pid, arguments.front(), settings.actions(), settings.attributes(),
                          arguments.data(), variables.data());
  if (error == 0) return ChildProcess(pid);
  // So does a container's sandbox answer that does not know clone3, which glibc uses here but not
  // in fork(2). That the program cannot be run is then told by its exit status.
  if (error != EPERM) return Failure(error);
  pid = ::fork();
  if (pid == 0)
    become(setup, const_cast<char**>(arguments.data()), const_cast<char**>(variables.data()));
  if (pid < 0) return Failure(errno);
  return ChildProcess(pid);
}

Result<int, int> ChildProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) != pid_) {
    if (errno != EINTR) return Failure(errno);
  }
  return status;
}

Result<std::optional<int>, int> ChildProcess::wait_until(Deadline deadline) {
  // There is no portable way to wait for a process and a time; most have ended after a few naps.
  std::chrono::milliseconds nap(1);
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) return std::optional(status);
    if (ended < 0 && errno != EINTR) return Failure(errno);
    if (deadline.passed()) break;
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, std::chrono::milliseconds(20));
  }
  ::kill(pid_, SIGKILL);
  const auto status = wait();
  if (!status) return Failure(status.error());
  return std::optional<int>();
}

}  // namespace qmail
