#include "qmail-smtpd/data_decoder.h"

#include <cstring>

namespace qmail::smtpd {

// The whole grammar; "store" is short for "put into the output".
//
//   state          LF                   '.'               CR                 another byte
//   line_start     bare LF              after_dot         after_cr           store, middle
//   middle         bare LF              store             after_cr           store
//   after_dot      bare LF              store, middle     after_dot_cr       store, middle
//   after_dot_cr   end of the message   store . CR .,     store . CR,        store . CR and it,
//                                       middle            after_cr           middle
//   after_cr       store LF,            store CR and it,  store CR           store CR and it,
//                  line_start           middle                               middle
//
// decode_byte() is this table. decode() takes the stretches in between, where nothing but the next
// LF matters, in one piece: nearly every byte of a message goes that way.

DataDecoder::Status DataDecoder::decode_byte(char byte, char*& output) {
  const auto store = [&](char c) { *output++ = c; };
  if (byte == '\n') {
    if (state_ == State::after_dot_cr) return Status::end;
    if (state_ != State::after_cr) return Status::bare_lf;
    store('\n');
    state_ = State::line_start;
    return Status::more;
  }
  if (byte == '.' && state_ == State::line_start) {
    state_ = State::after_dot;
    return Status::more;
  }
  if (byte == '\r' && state_ == State::after_dot) {
    state_ = State::after_dot_cr;
    return Status::more;
  }
  // It will not be a line end after all: what was held back is data.
  if (state_ == State::after_dot_cr) store('.');
  if (state_ == State::after_dot_cr || state_ == State::after_cr) store('\r');
  if (byte == '\r') {
    state_ = State::after_cr;
    return Status::more;
  }
  store(byte);
  state_ = State::middle;
  return Status::more;
}

DataDecoder::Progress DataDecoder::decode(std::string_view input, char* output) {
  const char* at = input.data();
  const char* const end = at + input.size();
  char* const first = output;
  const auto progress = [&](Status status) {
    return Progress{status, static_cast<std::size_t>(at - input.data()),
                    static_cast<std::size_t>(output - first)};
  };
  while (at < end) {
    const bool plain = state_ == State::middle || (state_ == State::line_start && *at != '.');
    if (!plain || *at == '\n' || *at == '\r') {
      const Status status = decode_byte(*at++, output);
      if (status != Status::more) return progress(status);
      continue;
    }
    // A line, or what is here of it. The CR before its LF, or before the end of the piece, is left
    // to decode_byte(); so is a bare LF.
    const auto left = static_cast<std::size_t>(end - at);
    const char* lf = static_cast<const char*>(std::memchr(at, '\n', left));
    const char* stop = lf != nullptr ? lf : end;
    const bool line_ends = lf != nullptr && lf[-1] == '\r';
    if (stop[-1] == '\r') --stop;
    const auto length = static_cast<std::size_t>(stop - at);
    std::memcpy(output, at, length);
    output += length;
    at = stop;
    if (line_ends) {
      *output++ = '\n';
      at = lf + 1;
      state_ = State::line_start;
    } else {
      state_ = State::middle;
    }
  }
  return progress(Status::more);
}

}  // namespace qmail::smtpd
