#include "qmail-remote/response.h"

#include <algorithm>
#include <utility>

#include "qmail/ascii.h"

namespace qmail::remote {

Response::Class Response::kind() const {
  switch (code / 100) {
    case 2:
      return Class::success;
    case 3:
      return Class::go_ahead;
    case 4:
      return Class::temporary;
    case 5:
      return Class::permanent;
    default:
      return Class::none;
  }
}

void ResponseReader::keep(std::string_view bytes) {
  while (!bytes.empty() && response_.text.size() < longest_text) {
    const std::size_t cr = std::min(bytes.find('\r'), bytes.size());
    response_.text.append(bytes.substr(0, std::min(cr, longest_text - response_.text.size())));
    bytes.remove_prefix(std::min(cr + 1, bytes.size()));
  }
}

std::size_t ResponseReader::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !complete_) {
    const char byte = bytes[used];
    if (position_ < 3) {  // whatever it is, a line end included
      if (first_line_ && is_digit(byte)) response_.code = response_.code * 10 + (byte - '0');
      if (first_line_ && !is_digit(byte)) digits_only_ = false;
      ++position_;
      ++used;
      continue;
    }
    if (position_ == 3) {
      last_line_ = byte != '-';
      position_ = 4;
    }
    const std::size_t line_feed = bytes.find('\n', used);
    if (line_feed == std::string_view::npos) {
      used = bytes.size();
      break;
    }
    used = line_feed + 1;
    position_ = 0;
    first_line_ = false;
    complete_ = last_line_;
  }
  keep(bytes.substr(0, used));
  return used;
}

Response ResponseReader::take() {
  if (!digits_only_) response_.code = 0;
  return std::exchange(*this, ResponseReader()).response_;
}

Extensions offered_extensions(const Response& ehlo) {
  Extensions extensions;
  std::string_view text = ehlo.text;
  bool first = true;
  for (std::size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
    std::string_view keyword = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (std::exchange(first, false)) continue;
    keyword.remove_prefix(std::min<std::size_t>(keyword.size(), 4));
    keyword = keyword.substr(0, keyword.find_first_of(" \t="));
    if (equal_ignoring_case(keyword, "STARTTLS")) extensions.starttls = true;
    if (equal_ignoring_case(keyword, "PIPELINING")) extensions.pipelining = true;
  }
  return extensions;
}

}  // namespace qmail::remote
