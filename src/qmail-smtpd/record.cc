#include "qmail-smtpd/record.h"

#include <string_view>

#include "qmail-smtpd/received.h"

namespace qmail::smtpd {

namespace {

constexpr std::size_t longest_value = 255;

std::string_view name(Record::End end) {
  switch (end) {
    case Record::End::quit:
      return "quit";
    case Record::End::lost:
      return "lost";
    case Record::End::timed_out:
      return "timeout";
    case Record::End::tls:
      return "tls";
    case Record::End::refused:
      break;
  }
  return "refused";
}

}  // namespace

std::string session_line(const Record& record) {
  std::string line = "session:";
  const auto add = [&line](std::string_view what, std::string_view value) {
    line.append(" ").append(what).append("=");
    line.append(value.empty() ? "-" : cleaned(value.substr(0, longest_value)));
  };
  add("seconds", std::to_string(record.seconds));
  add("helo", record.helo);
  add("tls", record.tls);
  add("auth", record.user);
  add("messages", std::to_string(record.messages));
  add("recipients", std::to_string(record.recipients));
  add("refused", std::to_string(record.refused));
  add("bytes", std::to_string(record.bytes));
  add("end", name(record.end));
  return line;
}

}  // namespace qmail::smtpd
