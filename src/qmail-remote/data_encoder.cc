#include "qmail-remote/data_encoder.h"

#include <cstring>

namespace qmail::remote {

namespace {

// Copies `text`, its CRs as spaces, and returns the new end. `next_cr` is where the block's next CR
// is, so that lines without one are not searched a second time.
char* copy_without_cr(char* to, const char* from, const char* end, const char* block_end,
                      const char*& next_cr) {
  std::memcpy(to, from, static_cast<std::size_t>(end - from));
  while (next_cr < end) {
    to[next_cr - from] = ' ';
    const char* rest = next_cr + 1;
    const void* found = std::memchr(rest, '\r', static_cast<std::size_t>(block_end - rest));
    next_cr = found == nullptr ? block_end : static_cast<const char*>(found);
  }
  return to + (end - from);
}

}  // namespace

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
  const void* cr = std::memchr(from, '\r', block.size());
  const char* next_cr = cr == nullptr ? end : static_cast<const char*>(cr);
  while (from < end) {
    if (line_start_ && *from == '.') *to++ = '.';
    const void* found = std::memchr(from, '\n', static_cast<std::size_t>(end - from));
    const bool whole = found != nullptr;
    const char* line_end = whole ? static_cast<const char*>(found) : end;
    const char* next = whole ? line_end + 1 : end;
    if (line_end > from && line_end[-1] == '\r') {
      --line_end;  // part of the line end, or of what the next block begins with
      held_cr_ = !whole;
    }
    const bool anything = line_end > from;
    to = copy_without_cr(to, from, line_end, end, next_cr);
    if (next_cr == line_end && next_cr < next) {  // the CR left out just now
      const void* further = std::memchr(next, '\r', static_cast<std::size_t>(end - next));
      next_cr = further == nullptr ? end : static_cast<const char*>(further);
    }
    if (whole) {
      *to++ = '\r';
      *to++ = '\n';
    }
    line_start_ = whole || (line_start_ && !anything);
    from = next;
  }
  return static_cast<std::size_t>(to - out.data());
}

}  // namespace qmail::remote
