// qmail-remote's work from the control files to the message report, in the order of
// qmail-remote(8).
#pragma once

#include <string>
#include <vector>

#include "qmail-remote/report.h"

namespace qmail::remote {

struct Invocation {
  std::string host;
  std::string sender;
  std::vector<std::string> recipients;  // at least one
  int message;                          // descriptor of the message
};

// Runs in qmail's home. Recipients' reports go to `reports`; the message's is returned.
MessageReport send_mail(const Invocation& invocation, Reports& reports);

}  // namespace qmail::remote
