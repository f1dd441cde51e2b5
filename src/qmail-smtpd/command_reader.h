// CommandReader: takes command lines out of a Connection, in bounded memory.
//
// A line ends at LF; there is no limit on what a client may send, but no more than `kept` bytes of
// a line are kept. Waits as Connection does, and lets its ConnectionLost pass: an unfinished line
// is never handed out.
#pragma once

#include <cstddef>
#include <string>

#include "qmail-smtpd/command.h"
#include "qmail/connection.h"

namespace qmail::smtpd {

class CommandReader {
 public:
  // Every line of up to 64 KB, line end included, is kept whole.
  static constexpr std::size_t kept = 65536;

  explicit CommandReader(Connection& connection) : connection_(connection) {}

  // The next line. Good until the next call of this or of the connection's receive().
  CommandLine next();
  // What next() gave was a secret: no copy of it stays here or in the connection.
  void wipe();

 private:
  Connection& connection_;
  std::string start_;  // of a line that came in pieces
};

}  // namespace qmail::smtpd
