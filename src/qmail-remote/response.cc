#include "qmail-remote/response.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

// 0 for what is no number.
int number(const std::array<char, 3>& head) {
  if (!std::all_of(head.begin(), head.end(), is_digit)) return 0;
  return (head[0] - '0') * 100 + (head[1] - '0') * 10 + (head[2] - '0');
}

// SIZE's number; without one, or with one beyond all sizes, there is no limit.
std::uint64_t limit(std::string_view parameters) {
  std::uint64_t value = 0;
  const auto end = parameters.data() + parameters.size();
  return std::from_chars(parameters.data(), end, value).ec == std::errc() ? value : 0;
}

}  // namespace

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
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t cr = std::min(bytes.find('\r'), bytes.size());
    const std::string_view part = bytes.substr(0, cr);
    line_.append(part);
    response_.text.append(part.substr(0, longest_text - response_.text.size()));
    size_without_cr_ += part.size();
    bytes.remove_prefix(std::min(cr + 1, bytes.size()));
  }
}

std::size_t ResponseReader::feed(std::string_view bytes, const Listener& listener) {
  std::size_t used = 0;
  while (used < bytes.size() && !complete_) {
    std::string_view rest = bytes.substr(used);
    std::size_t size = 0;  // of what is taken now
    for (; position_ < 3 && size < rest.size(); ++size) head_.at(position_++) = rest[size];
    if (position_ == 3 && size < rest.size()) {
      last_line_ = rest[size] != '-';
      position_ = 4;
    }
    // The code is three bytes whatever they are, a line end included.
    const std::size_t line_feed = rest.find('\n', size);
    const bool ended = line_feed != std::string_view::npos;
    if (ended) rest = rest.substr(0, line_feed + 1);
    keep(rest);
    used += rest.size();
    if (ended) end_line(listener);
  }
  return used;
}

void ResponseReader::end_line(const Listener& listener) {
  if (listener) listener(std::string_view(line_).substr(0, line_.size() - 1));
  const Response line{number(head_), {}};
  if (first_line_) {
    response_.code = line.code;
  } else if (last_line_ && line.is_refusal() &&
             (response_.is_success() || response_.kind() == Response::Class::go_ahead)) {
    response_.code = line.code;
    // What decides must not be what the bound cuts off.
    if (size_without_cr_ > longest_text) response_.text = line_.substr(0, longest_text);
  }
  complete_ = last_line_;
  first_line_ = false;
  position_ = 0;
  line_.clear();
}

Response ResponseReader::take() { return std::exchange(*this, ResponseReader()).response_; }

void ExtensionsReader::add(std::string_view line) {
  if (std::exchange(first_, false)) return;
  line.remove_prefix(std::min<std::size_t>(line.size(), 4));
  const std::size_t end = std::min(line.find_first_of(" \t="), line.size());
  const std::string_view keyword = line.substr(0, end);
  const std::string_view parameters = line.substr(std::min(end + 1, line.size()));
  if (equal_ignoring_case(keyword, "STARTTLS")) found_.starttls = true;
  if (equal_ignoring_case(keyword, "PIPELINING")) found_.pipelining = true;
  if (equal_ignoring_case(keyword, "8BITMIME")) found_.eight_bit = true;
  if (equal_ignoring_case(keyword, "SMTPUTF8")) found_.smtputf8 = true;
  if (equal_ignoring_case(keyword, "SIZE")) found_.size = limit(parameters);
  if (equal_ignoring_case(keyword, "AUTH")) found_.auth.add(parameters);
}

}  // namespace qmail::remote
