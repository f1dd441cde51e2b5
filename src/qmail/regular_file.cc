#include "qmail/regular_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace qmail {

namespace {

// ENXIO is the system's word for it, too: a socket cannot be opened at all. A file that is not
// there is the usual case, and looking its text up costs thousands of instructions.
FileError file_error(int code) {
  if (code == ENOENT) return {code, "No such file or directory"};
  return {code, code == ENXIO ? "not a regular file" : std::generic_category().message(code)};
}

}  // namespace

Result<RegularFile, FileError> RegularFile::open(const std::string& path) {
  // O_NONBLOCK for the opening; reading a regular file takes no notice of it.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return Failure(file_error(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return Failure(file_error(errno));
  if (S_ISDIR(status.st_mode)) return Failure(file_error(EISDIR));
  if (!S_ISREG(status.st_mode)) return Failure(file_error(ENXIO));
  return RegularFile(std::move(fd), status.st_size);
}

Result<std::size_t, FileError> RegularFile::read(std::span<char> into) {
  // Saves the call that finds nothing more. (The size of a file in /proc is 0, whatever is in it.)
  if (read_ > 0 && read_ == size_) return std::size_t{0};
  for (;;) {
    const ssize_t got = ::read(fd_.get(), into.data(), into.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure(file_error(errno));
    read_ += got;
    return static_cast<std::size_t>(got);
  }
}

}  // namespace qmail
