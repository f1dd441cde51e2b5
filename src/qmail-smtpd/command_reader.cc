#include "qmail-smtpd/command_reader.h"

#include <algorithm>

#include "qmail/secret.h"

namespace qmail::smtpd {

CommandLine CommandReader::next() {
  start_.clear();
  bool cut_off = false;
  const auto keep = [&](std::string_view piece) {
    if (start_.empty()) start_.reserve(kept);  // growing, it would leave copies behind
    const std::size_t room = kept - start_.size();
    cut_off = cut_off || piece.size() > room;
    start_.append(piece.substr(0, room));
  };
  for (;;) {
    const std::string_view input = connection_.input();
    const std::size_t end = input.find('\n');
    if (end != std::string_view::npos) {
      connection_.consume(end + 1);
      const std::string_view piece = input.substr(0, end);
      if (start_.empty()) return {piece};  // the usual case: nothing is copied
      keep(piece);
      return {start_, cut_off};
    }
    connection_.consume(input.size());
    keep(input);
    connection_.receive();
  }
}

void CommandReader::wipe() {
  qmail::wipe(start_);
  connection_.wipe_consumed();
}

}  // namespace qmail::smtpd
