#include "qmail/deadline.h"

#include <algorithm>
#include <limits>

namespace qmail {

using std::chrono::steady_clock;

Deadline Deadline::after(std::chrono::seconds seconds) {
  // 2^32 seconds (the largest number a control file can hold) fit into the clock many times over.
  return Deadline(steady_clock::now() + std::max(seconds, std::chrono::seconds(0)));
}

Deadline Deadline::earlier(Deadline one, Deadline other) {
  return one.when_ < other.when_ ? one : other;
}

bool Deadline::passed() const { return steady_clock::now() >= when_; }

int Deadline::poll_timeout() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when_ - steady_clock::now());
  return static_cast<int>(std::clamp<long long>(left.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace qmail
