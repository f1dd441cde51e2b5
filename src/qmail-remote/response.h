// Response: a server's reply to a command (RFC 5321, 4.2), read by blocks and kept bounded.
//
// A reply's lines begin with three bytes of code; those whose fourth byte is '-' are followed by
// another. The first line's code is the reply's. What the code means is judged strictly: only a
// reply of the right class is success, and what is no code at all is trouble for now, never for
// good.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace qmail::remote {

struct Response {
  enum class Class {
    success,    // 2xx
    go_ahead,   // 3xx
    temporary,  // 4xx
    permanent,  // 5xx
    none,       // another number, or no number
  };
  int code = 0;      // 0: no number
  std::string text;  // all bytes of all lines but CR, at most the first 5000
  Class kind() const;
};

// Puts one reply together from blocks cut anywhere.
class ResponseReader {
 public:
  static constexpr std::size_t longest_text = 5000;

  // Takes what belongs to the reply from the front of `bytes` and returns how much that was. Less
  // than all of it means that the reply is complete; see complete().
  std::size_t feed(std::string_view bytes);
  bool complete() const { return complete_; }
  // The complete reply; the reader is then ready for the next one.
  Response take();

 private:
  void keep(std::string_view bytes);

  Response response_;
  std::size_t position_ = 0;  // in the line: 0 to 2 code, 3 separator, 4 the rest
  bool first_line_ = true;
  bool digits_only_ = true;
  bool last_line_ = false;
  bool complete_ = false;
};

// What a server offers in its reply to EHLO, as far as we care (RFC 1869, 4.3; RFC 3207; RFC 2920).
struct Extensions {
  bool starttls = false;
  bool pipelining = false;
};

// The keywords of every line but the first, which names the server. Without regard to letter case;
// parameters are ignored. A line that was cut off at the reply's bound is not looked at.
Extensions offered_extensions(const Response& ehlo);

}  // namespace qmail::remote
