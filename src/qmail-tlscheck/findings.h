// Findings: what a check has to say about the files, and how it is printed.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qmail::tlscheck {

// In the order of the exit status.
enum class Level { ok, warn, fail };

struct Finding {
  Level level;
  std::string file;  // "control/servercert.pem"
  std::string text;
};

class Findings {
 public:
  void ok(std::string_view file, std::string_view text) { add(Level::ok, file, text); }
  void warn(std::string_view file, std::string_view text) { add(Level::warn, file, text); }
  void fail(std::string_view file, std::string_view text) { add(Level::fail, file, text); }
  void add(Level level, std::string_view file, std::string_view text);

  const std::vector<Finding>& all() const& { return all_; }
  std::vector<Finding> all() && { return std::move(all_); }
  // 0: all well; 1: something to look at; 2: something does not work, or not as meant.
  int exit_status() const;

 private:
  std::vector<Finding> all_;
};

enum class Style { plain, coloured, json };

// One line a finding ("warn control/x: text"), with bytes that are not printable ASCII as \xNN, or
// one JSON array of {"level", "file", "text"}.
std::string printed(const Findings& findings, Style style);

}  // namespace qmail::tlscheck
