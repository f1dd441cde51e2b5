#include "qmail/unique_fd.h"

#include <unistd.h>

namespace qmail {

void UniqueFd::reset(int fd) {
  // The result of close() is of no use here: the descriptor is gone in any case (close(2)), and
  // whoever must know that data arrived asks the reader of the pipe.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace qmail
