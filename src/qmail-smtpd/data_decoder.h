// DataDecoder: the message behind DATA, from the wire's form to the queue's (RFC 5321, 4.5.2).
//
// CR LF becomes LF, the first dot of a line goes away, CR LF . CR LF is the end and nothing else
// is. A bare LF is refused, since other servers take it for a line end and could be made to see
// another end of the message than we do (SMTP smuggling); bare CRs are data. The input may be cut
// anywhere: any chunking gives the same output.
#pragma once

#include <cstddef>
#include <string_view>

namespace qmail::smtpd {

class DataDecoder {
 public:
  enum class Status {
    more,     // all input used, the message goes on
    end,      // the message is complete; what follows it was not used
    bare_lf,  // the message must be refused
  };
  struct Progress {
    Status status;
    std::size_t used;    // bytes of the input that belong to the message
    std::size_t stored;  // bytes put into the output
  };

  // More output than input there can be: what was held back at the end of the piece before.
  static constexpr std::size_t held_back = 2;

  // Decodes `input` to `output`, which has room for input.size() + held_back bytes. Not to be
  // called again after `end` or `bare_lf`.
  Progress decode(std::string_view input, char* output);

 private:
  // What came just before the next byte; see the table in data_decoder.cc.
  enum class State { line_start, middle, after_dot, after_dot_cr, after_cr };

  Status decode_byte(char byte, char*& output);

  State state_ = State::line_start;
};

}  // namespace qmail::smtpd
