#include "qmail/regular_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace qmail {

// ENXIO is the system's word for it, too: a socket cannot be opened at all.
std::string FileError::reason() const {
  return code == ENXIO ? "not a regular file" : std::generic_category().message(code);
}

Result<RegularFile, FileError> RegularFile::open(const std::string& path) {
  // O_NONBLOCK for the opening; reading a regular file takes no notice of it.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return Failure(FileError{errno});
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return Failure(FileError{errno});
  if (S_ISDIR(status.st_mode)) return Failure(FileError{EISDIR});
  if (!S_ISREG(status.st_mode)) return Failure(FileError{ENXIO});
  return RegularFile(std::move(fd), status.st_size);
}

Result<std::size_t, FileError> RegularFile::read(std::span<char> into) {
  // Saves the call that finds nothing more.
  if (read_ > 0 && read_ == size_) return std::size_t{0};
  for (;;) {
    const ssize_t got = ::read(fd_.get(), into.data(), into.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failure(FileError{errno});
    read_ += got;
    return static_cast<std::size_t>(got);
  }
}

}  // namespace qmail
