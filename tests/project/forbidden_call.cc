// Preloaded into qmail-remote: a library that does on the way what confinement forbids. connect(2)
// changes a file's mode first.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int connect(int fd, const sockaddr* address, socklen_t length) {
  static_cast<void>(::chmod("/nowhere", 0));
  return static_cast<int>(::syscall(SYS_connect, fd, address, length));
}
