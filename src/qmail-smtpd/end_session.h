// EndSession: the program must stop now, with a last sentence for the client (or none, if empty)
// and a line for the log (or none). Thrown at any depth, caught by whoever owns the connection.
#pragma once

#include <string>

#include "qmail-smtpd/replies.h"
#include "qmail/control.h"

namespace qmail::smtpd {

struct EndSession {
  std::string reply;
  std::string log_line{};
  int exit_status = 1;
};

inline EndSession unreadable_controls(const ControlError& error) {
  return {std::string(reply::unreadable_controls),
          "unable to read " + error.file + ": " + error.reason};
}

}  // namespace qmail::smtpd
