// HopCounter: how many hosts a message has passed, counted in its header as it arrives.
//
// Looks at the bytes as received, before dots are removed. Each header line that begins with
// "received" or "delivered" in any letter case counts, whatever follows; the header ends at a line
// that is exactly CR LF.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace qmail::smtpd {

class HopCounter {
 public:
  static constexpr int limit = 100;

  // The next bytes of the message, in pieces of any size.
  void look_at(std::string_view received);

  int hops() const { return hops_; }
  bool too_many() const { return hops_ >= limit; }

 private:
  void end_line();

  static constexpr std::size_t longest_name = 9;
  std::array<char, longest_name> start_{};  // of the line at hand
  std::size_t length_ = 0;                  // of the line at hand, so far
  bool in_header_ = true;
  int hops_ = 0;
};

}  // namespace qmail::smtpd
