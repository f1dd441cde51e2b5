// Response: a server's reply to a command (RFC 5321, 4.2), read by blocks and kept bounded.
//
// A reply's lines begin with three bytes of code; those whose fourth byte is '-' are followed by
// another. The first line's code is the reply's, unless that is success (or 354) and the last line
// is a refusal: filters change their mind in the middle of a reply, and then the last word counts.
// What the code means is judged strictly: only a reply of the right class is success, and what is
// no code at all is trouble for now, never for good.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "qmail-remote/sasl.h"

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
  bool is_success() const { return kind() == Class::success; }
  bool is_refusal() const { return kind() == Class::temporary || kind() == Class::permanent; }
};

// Puts one reply together from blocks cut anywhere.
class ResponseReader {
 public:
  static constexpr std::size_t longest_text = 5000;  // that is kept for reports
  static constexpr std::size_t longest_reply = 1 << 20;

  // Is told each line, whole, without its line end and without any CR.
  using Listener = std::function<void(std::string_view line)>;

  // Takes what belongs to the reply from the front of `bytes` and returns how much that was. Less
  // than all of it means that the reply is complete; see complete().
  std::size_t feed(std::string_view bytes, const Listener& listener = {});
  bool complete() const { return complete_; }
  // Some of the reply has come.
  bool begun() const { return size_ > 0; }
  // More has come than any reply has: whoever feeds this should stop.
  bool too_long() const { return size_ > longest_reply; }
  // The complete reply; the reader is then ready for the next one.
  Response take();

 private:
  void keep(std::string_view bytes);
  void end_line(const Listener& listener);

  Response response_;
  std::string line_;            // the line at hand, whole
  std::array<char, 3> head_{};  // its code
  std::size_t position_ = 0;    // in the line: 0 to 2 code, 3 separator, 4 the rest
  std::size_t size_ = 0;        // of the reply so far
  std::size_t size_without_cr_ = 0;
  bool first_line_ = true;
  bool last_line_ = false;
  bool complete_ = false;
};

// What a server offers in its reply to EHLO, as far as we care (RFC 1869, 4.3; RFC 1870; RFC 2920;
// RFC 3207; RFC 4954; RFC 6152; RFC 6531).
struct Extensions {
  bool starttls = false;
  bool pipelining = false;
  bool eight_bit = false;  // 8BITMIME
  bool smtputf8 = false;
  std::optional<std::uint64_t> size{};  // SIZE; 0: it names no limit
  Mechanisms auth{};
};

// The keywords of every line but the first, which names the server; each line is looked at as it
// comes, however long the reply. Without regard to letter case.
class ExtensionsReader {
 public:
  void add(std::string_view line);
  const Extensions& found() const { return found_; }

 private:
  Extensions found_;
  bool first_ = true;
};

}  // namespace qmail::remote
