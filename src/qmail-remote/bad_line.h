// A line of a control file that cannot be used: mail waits for somebody to mend it. The report
// names the file, the line and the reason (messages.h).
#pragma once

#include <cstddef>
#include <string>

namespace qmail::remote {

struct BadLine {
  std::string file;  // in control/: "smtproutes"
  std::size_t line;  // from 1, all lines counted
  std::string reason;
};

}  // namespace qmail::remote
