#include "qmail-smtpd/received.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool is_harmless(char c) {
  constexpr std::string_view others = ".@%+/=:-";
  return is_letter(c) || is_digit(c) || others.find(c) != std::string_view::npos;
}

void append_two_digits(std::string& text, std::int64_t number) {
  text.push_back(static_cast<char>('0' + number / 10));
  text.push_back(static_cast<char>('0' + number % 10));
}

}  // namespace

std::string cleaned(std::string_view text) {
  std::string clean(text);
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return !is_harmless(c); }, '?');
  return clean;
}

std::string trace_date(std::int64_t seconds_since_1970) {
  // Not gmtime(3), which reads the time zone files first.
  using std::chrono::floor;
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds_since_1970)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);

  std::string text = std::to_string(static_cast<unsigned>(date.day()));
  text.append(" ").append(month_names.at(static_cast<unsigned>(date.month()) - 1)).append(" ");
  text.append(std::to_string(static_cast<int>(date.year()))).append(" ");
  append_two_digits(text, clock.hours().count());
  text.push_back(':');
  append_two_digits(text, clock.minutes().count());
  text.push_back(':');
  append_two_digits(text, clock.seconds().count());
  return text.append(" -0000");
}

std::string received_field(const Trace& trace, std::int64_t seconds_since_1970) {
  std::string field = "Received: from " + cleaned(trace.remote_host);
  if (!equal_ignoring_case(trace.helo, trace.remote_host)) {
    field.append(" (HELO ").append(cleaned(trace.helo)).append(")");
  }
  field.append(" (");
  if (trace.remote_info) field.append(cleaned(*trace.remote_info)).append("@");
  field.append(cleaned(trace.remote_ip)).append(")\n  by ").append(cleaned(trace.local_name));
  field.append(" with ").append(trace.protocol).append("; ");
  return field.append(trace_date(seconds_since_1970)).append("\n");
}

}  // namespace qmail::smtpd
