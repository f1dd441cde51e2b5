#include "qmail-tlscheck/findings.h"

#include <algorithm>

namespace qmail::tlscheck {

namespace {

std::string_view name_of(Level level) {
  switch (level) {
    case Level::ok:
      return "ok";
    case Level::warn:
      return "warn";
    case Level::fail:
      break;
  }
  return "fail";
}

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::ok:
      return "\033[32m";
    case Level::warn:
      return "\033[33m";
    case Level::fail:
      break;
  }
  return "\033[31m";
}

// RFC 8259, section 7. Bytes above 127 are taken as Latin-1: a file name may hold any.
std::string json_string(std::string_view text) {
  std::string out("\"");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (byte < 0x20 || byte > 0x7e) {
      constexpr std::string_view digits = "0123456789abcdef";
      out.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 0xf]);
    } else {
      out.append(1, c);
    }
  }
  return out.append("\"");
}

// In lines, bytes of file names and control files that would forge a line, drive the terminal or
// not be seen: as \xNN.
std::string visible(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~') {
      out.append(1, c);
    } else {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 0xf]);
    }
  }
  return out;
}

std::string line(const Finding& finding, Style style) {
  std::string level(name_of(finding.level));
  level.resize(4, ' ');
  if (style == Style::coloured) level = std::string(colour_of(finding.level)) + level + "\033[0m";
  return level + " " + visible(finding.file) + ": " + visible(finding.text) + "\n";
}

std::string object(const Finding& finding) {
  return "{\"level\": " + json_string(name_of(finding.level)) +
         ", \"file\": " + json_string(finding.file) + ", \"text\": " + json_string(finding.text) +
         "}";
}

}  // namespace

void Findings::add(Level level, std::string_view file, std::string_view text) {
  all_.push_back({level, std::string(file), std::string(text)});
}

int Findings::exit_status() const {
  Level worst = Level::ok;
  for (const Finding& finding : all_) worst = std::max(worst, finding.level);
  return static_cast<int>(worst);
}

std::string printed(const Findings& findings, Style style) {
  std::string out;
  if (style != Style::json) {
    for (const Finding& finding : findings.all()) out.append(line(finding, style));
    return out;
  }
  for (const Finding& finding : findings.all()) {
    out.append(out.empty() ? "[\n  " : ",\n  ").append(object(finding));
  }
  return out.empty() ? "[]\n" : out.append("\n]\n");
}

}  // namespace qmail::tlscheck
