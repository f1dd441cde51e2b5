#include "qmail-smtpd/hop_counter.h"

#include <algorithm>

#include "qmail/ascii.h"

namespace qmail::smtpd {

void HopCounter::look_at(std::string_view received) {
  while (in_header_ && !received.empty()) {
    const std::size_t lf = received.find('\n');
    const std::string_view line = received.substr(0, lf);
    if (length_ < longest_name) {
      std::copy_n(line.begin(), std::min(line.size(), longest_name - length_),
                  start_.begin() + length_);
    }
    length_ += line.size();
    if (lf == std::string_view::npos) return;
    end_line();
    received.remove_prefix(lf + 1);
  }
}

void HopCounter::end_line() {
  const std::string_view start(start_.data(), std::min(length_, longest_name));
  if (starts_with_ignoring_case(start, "received") ||
      starts_with_ignoring_case(start, "delivered")) {
    ++hops_;
  }
  if (length_ == 1 && start.front() == '\r') in_header_ = false;
  length_ = 0;
}

}  // namespace qmail::smtpd
