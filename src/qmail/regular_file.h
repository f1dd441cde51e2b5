// RegularFile: a file that an administrator named, open for reading.
//
// Whatever lies there, nobody waits for it: opening a FIFO that nobody writes to, or a terminal,
// would hold a session for ever, and no deadline covers that. What is not a regular file is an
// error, never an empty file and never a missing one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <sys/types.h>

#include "qmail/result.h"
#include "qmail/unique_fd.h"

namespace qmail {

struct FileError {
  int code;  // errno; ENOENT: there is no such file, ENXIO: it is not a regular file
  // The system's text; of ENXIO: "not a regular file". (Most files that are looked for are not
  // there, and nobody asks why.)
  std::string reason() const;
};

class RegularFile {
 public:
  static Result<RegularFile, FileError> open(const std::string& path);

  // When it was opened; 0 in /proc, whatever is in it.
  std::size_t size() const { return static_cast<std::size_t>(size_); }
  // At least one byte, or 0 at the end.
  Result<std::size_t, FileError> read(std::span<char> into);
  // For whoever reads in his own way.
  UniqueFd release() && { return std::move(fd_); }

 private:
  RegularFile(UniqueFd fd, off_t size) : fd_(std::move(fd)), size_(size) {}

  UniqueFd fd_;
  off_t size_;  // when it was opened
  off_t read_ = 0;
};

}  // namespace qmail
