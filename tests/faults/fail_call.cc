// LD_PRELOAD library: makes one call of one function fail, in the program named, and in no other.
//
//   FAULT_PROGRAM  name of the program (its children inherit the variables, not the faults)
//   FAULT_CALL     "open", "recv", "malloc", … (see the list at the end)
//   FAULT_NUMBER   which call of it fails, from 1; 0: none, they are only counted
//   FAULT_ERRNO    what errno it gets; 0 with read or recv: end of file
//   FAULT_COUNT    a file that gets the number of calls, when the program ends or is about to fail
//   FAULT_FOREVER  set: every call from that one on fails, as when memory or a disk is gone
//
// Counting is done by the program's own thread only; nothing here allocates.
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" char* program_invocation_short_name;
extern "C" void* __libc_malloc(std::size_t);          // NOLINT: glibc's own names
extern "C" void* __libc_realloc(void*, std::size_t);  // NOLINT

namespace {

struct Fault {
  bool armed = false;
  bool forever = false;
  const char* call = "";
  long count_file = -1;  // a descriptor: the program may have given up opening files
  long number = 0;
  int error = 0;
  long seen = 0;
};
Fault fault;  // NOLINT: one program, one fault

long number_of(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

void say_count() {
  if (fault.count_file < 0) return;
  char text[24];
  char* at = text + sizeof text;
  *--at = '\n';
  long left = fault.seen;
  do {
    *--at = static_cast<char>('0' + left % 10);
    left /= 10;
  } while (left > 0);
  ::syscall(SYS_write, fault.count_file, at, text + sizeof text - at);
}

// Far above the descriptors that the program counts on.
long open_count_file(const char* path) {
  constexpr int far_above = 200;
  const long fd = ::syscall(SYS_open, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const long high = ::syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, far_above);
  ::syscall(SYS_close, fd);
  return high;
}

__attribute__((constructor)) void arm() {
  const char* program = std::getenv("FAULT_PROGRAM");
  const char* call = std::getenv("FAULT_CALL");
  if (program == nullptr || call == nullptr) return;
  if (std::strcmp(program, program_invocation_short_name) != 0) return;
  fault.call = call;
  fault.number = number_of("FAULT_NUMBER");
  fault.error = static_cast<int>(number_of("FAULT_ERRNO"));
  fault.forever = std::getenv("FAULT_FOREVER") != nullptr;
  if (const char* path = std::getenv("FAULT_COUNT")) fault.count_file = open_count_file(path);
  fault.armed = true;
}

__attribute__((destructor)) void disarm() {
  if (fault.armed) say_count();
}

// Is this call the one? Then errno is set.
bool fails(const char* call) {
  if (!fault.armed || std::strcmp(call, fault.call) != 0) return false;
  ++fault.seen;
  if (fault.number == 0 || fault.seen < fault.number) return false;
  if (fault.seen > fault.number && !fault.forever) return false;
  errno = fault.error;
  return true;
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

// A failed read of errno 0 is the end of the file.
#define FAILED (fault.error == 0 ? 0 : -1)
#define WRAP(result, name, parameters, arguments, failed)               \
  extern "C" result name parameters {                                   \
    static auto* const next = real<result parameters>(#name);           \
    return fails(#name) ? static_cast<result>(failed) : next arguments; \
  }

WRAP(ssize_t, read, (int fd, void* to, size_t n), (fd, to, n), FAILED)
WRAP(ssize_t, pread, (int fd, void* to, size_t n, off_t at), (fd, to, n, at), FAILED)
WRAP(ssize_t, recv, (int fd, void* to, size_t n, int flags), (fd, to, n, flags), FAILED)
WRAP(ssize_t, write, (int fd, const void* from, size_t n), (fd, from, n), -1)
WRAP(ssize_t, pwrite, (int fd, const void* from, size_t n, off_t at), (fd, from, n, at), -1)
WRAP(ssize_t, writev, (int fd, const iovec* from, int n), (fd, from, n), -1)
WRAP(ssize_t, send, (int fd, const void* from, size_t n, int flags), (fd, from, n, flags), -1)
WRAP(int, poll, (pollfd * fds, nfds_t n, int wait), (fds, n, wait), -1)
WRAP(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
WRAP(pid_t, waitpid, (pid_t pid, int* status, int options), (pid, status, options), -1)
WRAP(int, getifaddrs, (ifaddrs * *list), (list), -1)
WRAP(int, socket, (int family, int type, int protocol), (family, type, protocol), -1)
WRAP(int, connect, (int fd, const sockaddr* to, socklen_t n), (fd, to, n), -1)
WRAP(int, chdir, (const char* to), (to), -1)
WRAP(int, flock, (int fd, int operation), (fd, operation), -1)
WRAP(int, setsockopt, (int fd, int level, int name, const void* value, socklen_t n),
     (fd, level, name, value, n), -1)
WRAP(int, lstat, (const char* path, struct stat* into), (path, into), -1)
WRAP(int, posix_spawnp,
     (pid_t * pid, const char* name, const posix_spawn_file_actions_t* actions,
      const posix_spawnattr_t* attributes, char* const arguments[], char* const variables[]),
     (pid, name, actions, attributes, arguments, variables), fault.error)
WRAP(void*, dlopen, (const char* name, int flags), (name, flags), nullptr)

extern "C" void _exit(int status) {
  if (fault.armed) say_count();
  ::syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

extern "C" int open(const char* path, int flags, ...) {
  static auto* const next = real<int(const char*, int, ...)>("open");
  std::va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails("open") ? -1 : next(path, flags, mode);
}

extern "C" int ioctl(int fd, unsigned long request, ...) noexcept {
  static auto* const next = real<int(int, unsigned long, ...)>("ioctl");
  std::va_list rest;
  va_start(rest, request);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  return fails("ioctl") ? -1 : next(fd, request, argument);
}

extern "C" void* malloc(std::size_t size) noexcept {
  return fails("malloc") ? nullptr : __libc_malloc(size);
}

extern "C" void* realloc(void* from, std::size_t size) noexcept {
  return fails("realloc") ? nullptr : __libc_realloc(from, size);
}
