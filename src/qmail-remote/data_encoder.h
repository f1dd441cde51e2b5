// DataEncoder: a message as stored, into the form in which SMTP carries it (RFC 5321, 4.5.2).
//
// Each LF becomes CR LF, and a dot at the start of a line is doubled. No CR goes out that is not
// part of a line end, since servers disagree about where a line with one ends (smuggling): directly
// before the LF it is part of the line end, elsewhere it is sent as a space. So is a NUL that
// stands between the start of a line and a dot, or else a server that drops NULs would find a dot
// at the line's start there, and not doubled. Every other byte passes unchanged. Works on blocks;
// how the message is cut into blocks makes no difference.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace qmail::remote {

class DataEncoder {
 public:
  // The room that encode() needs for a block of `size` bytes.
  static constexpr std::size_t room_for(std::size_t size) { return 2 * size + 1; }

  // Writes the next block's form to the front of `out`, which has room_for(block.size()); returns
  // its length.
  std::size_t encode(std::string_view block, std::span<char> out);

  // Has the message ended where a line ended? If not it cannot be sent: SMTP has lines only.
  bool at_line_start() const { return line_start_ && !held_cr_; }

 private:
  struct Place {
    const char* from;
    char* to;
  };
  Place send_nuls(const char* from, const char* end, char* to);

  bool line_start_ = true;
  // What the last byte is sent as depends on the next one:
  bool held_cr_ = false;
  bool held_nul_ = false;  // nothing but NULs on this line so far
};

}  // namespace qmail::remote
