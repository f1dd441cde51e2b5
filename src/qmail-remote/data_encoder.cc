#include "qmail-remote/data_encoder.h"

#include <algorithm>
#include <cstring>

namespace qmail::remote {

namespace {

// Where `byte` is between `from` and `end`; `end` if it is not.
const char* find(const char* from, const char* end, char byte) {
  const void* found = std::memchr(from, byte, static_cast<std::size_t>(end - from));
  return found == nullptr ? end : static_cast<const char*>(found);
}

char* copy(char* to, const char* from, const char* end) {
  const auto size = static_cast<std::size_t>(end - from);
  return static_cast<char*>(std::memcpy(to, from, size)) + size;
}

// Copies the text of a line with the CRs in it, the first of which is at `cr`, as spaces.
char* copy_with_spaces(char* to, const char* from, const char* end, const char* cr) {
  char* const copied = copy(to, from, end);
  for (; cr < end; cr = find(cr + 1, end, '\r')) to[cr - from] = ' ';
  return copied;
}

}  // namespace

// NULs at the start of a line, the first one at `from`: sent, but for the last of them if what
// follows is not here yet. (Every line asks for its first byte: what is rare has a function of its
// own, so that the loop over lines stays short.)
DataEncoder::Place DataEncoder::send_nuls(const char* from, const char* end, char* to) {
  const char* const rest = std::find_if(from + 1, end, [](char c) { return c != '\0'; });
  to = copy(to, from, rest - 1);
  line_start_ = false;
  held_nul_ = rest == end;
  if (!held_nul_) *to++ = *rest == '.' ? ' ' : '\0';
  return {rest, to};
}

std::size_t DataEncoder::encode(std::string_view block, std::span<char> out) {
  if (block.empty()) return 0;
  const char* from = block.data();
  const char* const end = from + block.size();
  char* to = out.data();
  if (held_cr_ && *from != '\n') {
    *to++ = ' ';
    line_start_ = false;
  }
  held_cr_ = false;
  if (held_nul_) *to++ = *from == '.' ? ' ' : '\0';
  const bool nul_goes_on = held_nul_ && *from == '\0';
  held_nul_ = false;
  if (line_start_ && *from == '.') *to++ = '.';
  if ((line_start_ || nul_goes_on) && *from == '\0') {
    const Place behind = send_nuls(from, end, to);
    from = behind.from;
    to = behind.to;
  }
  const char* next_cr = find(from, end, '\r');  // most messages have none
  for (;;) {
    const char* const line_feed = find(from, end, '\n');
    const char* text_end = line_feed;
    if (next_cr < line_feed) {
      if (line_feed[-1] == '\r') --text_end;  // of the line end, or what the next block begins with
      to = copy_with_spaces(to, from, text_end, next_cr);
      next_cr = find(line_feed, end, '\r');
    } else {
      to = copy(to, from, text_end);
    }
    if (line_feed == end) {
      held_cr_ = text_end != end;
      line_start_ = line_start_ && text_end == from;
      break;
    }
    *to++ = '\r';
    *to++ = '\n';
    line_start_ = true;
    from = line_feed + 1;
    if (from == end) break;
    if (*from == '.') *to++ = '.';
    if (*from == '\0') {
      const Place behind = send_nuls(from, end, to);
      from = behind.from;
      to = behind.to;
    }
  }
  return static_cast<std::size_t>(to - out.data());
}

}  // namespace qmail::remote
