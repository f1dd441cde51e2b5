#include "qmail-smtpd/checkpassword.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "qmail-smtpd/replies.h"
#include "qmail/child_process.h"
#include "qmail/secret.h"
#include "qmail/unique_fd.h"

namespace qmail::smtpd {

namespace {

PasswordCheck trouble(std::string_view reply, std::string reason) {
  return {PasswordCheck::Verdict::trouble, reply, std::move(reason)};
}

// user NUL secret NUL challenge NUL
Secret message_for(const Credentials& credentials) {
  std::string message;
  message.reserve(AuthExchange::longest_credentials);
  const auto add = [&message](std::string_view part) { message.append(part).push_back('\0'); };
  add(credentials.user);
  add(credentials.secret.view());
  add(credentials.challenge);
  return Secret::taken_from(message);
}

// It fits into a pipe whole, so that nobody need read yet.
bool put(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// What is left in a pipe that nobody writes to any more.
std::size_t left_in(int fd) {
  std::array<char, AuthExchange::longest_credentials> rest;
  std::size_t count = 0;
  for (;;) {
    const ssize_t got = ::read(fd, rest.data(), rest.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    count += static_cast<std::size_t>(got);
  }
  wipe(rest);
  return count;
}

PasswordCheck judge(int status, bool was_read, const std::string& name) {
  if (!WIFEXITED(status)) {
    return trouble(reply::auth_child_crashed,
                   name + " was killed by signal " + std::to_string(WTERMSIG(status)));
  }
  switch (const int exit_status = WEXITSTATUS(status)) {
    case 0:
      if (was_read) return {PasswordCheck::Verdict::good, reply::auth_good};
      // Something else stands where checkpassword should: a host's name, or true.
      return trouble(reply::auth_temporary,
                     name + " did not read the password; is it a checkpassword program?");
    case 2:    // misused, by checkpassword's interface
    case 111:  // temporary
    case 126:  // a wrapper that cannot run it
    case 127:
      return trouble(reply::auth_temporary, name + ": exit status " + std::to_string(exit_status));
    default:
      return {PasswordCheck::Verdict::refused, reply::auth_bad};
  }
}

}  // namespace

PasswordCheck check_password(const std::vector<std::string>& program,
                             const Credentials& credentials, Deadline deadline) {
  const std::string& name = program.front();
  auto pipe = make_pipe();
  const UniqueFd nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Secret message = message_for(credentials);
  if (!pipe || !nothing || !put(pipe->write_end.get(), message.view())) {
    return trouble(reply::auth_no_pipe, "no pipe: " + std::generic_category().message(errno));
  }
  pipe->write_end.reset();

  auto child = ChildProcess::start(
      {.arguments = program,
       .in_path = true,
       .descriptors = {{nothing.get(), 0}, {nothing.get(), 1}, {pipe->read_end.get(), 3}},
       .default_signals = {SIGPIPE}});
  if (!child) {
    return trouble(reply::auth_child_not_started,
                   name + ": " + std::generic_category().message(child.error()));
  }
  const auto ended = child->wait_until(deadline);
  if (!ended) {
    return trouble(reply::auth_child_crashed,
                   name + ": " + std::generic_category().message(ended.error()));
  }
  if (!*ended) return trouble(reply::auth_temporary, name + " did not end in time");
  const std::size_t wanted = credentials.user.size() + 1 + credentials.secret.view().size();
  return judge(**ended, message.view().size() - left_in(pipe->read_end.get()) >= wanted, name);
}

}  // namespace qmail::smtpd
