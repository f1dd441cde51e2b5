#include "qmail-tlscheck/tcp_rules.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "qmail/ascii.h"

namespace qmail::tlscheck {

namespace {

// NAME=VALUE, where there is a name.
void take(std::string_view assignment, TcpRule& rule) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) return;
  rule.variables.insert_or_assign(std::string(assignment.substr(0, equals)),
                                  std::string(assignment.substr(equals + 1)));
}

// ,NAME="VALUE" again and again; any byte may stand for the quotes.
void take_source(std::string_view instructions, TcpRule& rule) {
  while (instructions.starts_with(',')) {
    const std::size_t equals = instructions.find('=');
    if (equals == std::string_view::npos || equals + 2 >= instructions.size()) return;
    const std::size_t end = instructions.find(instructions[equals + 1], equals + 2);
    if (end == std::string_view::npos) return;
    std::string assignment(instructions.substr(1, equals));
    assignment.append(instructions.substr(equals + 2, end - equals - 2));
    take(assignment, rule);
    instructions.remove_prefix(end + 1);
  }
}

// ADDRESS:allow… or ADDRESS:deny…; an address of IPv6 has colons itself.
TcpRule rule_of(std::string_view line) {
  TcpRule rule;
  for (const std::string_view verdict : {std::string_view(":allow"), std::string_view(":deny")}) {
    const std::size_t colon = line.find(verdict);
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    rule.address = line.substr(0, colon);
    take_source(line.substr(colon + verdict.size()), rule);
    break;
  }
  return rule;
}

std::vector<TcpRule> rules_of_source(std::string_view text) {
  std::vector<TcpRule> found;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    TcpRule rule = rule_of(without_trailing_space(text.substr(0, end)));
    if (!rule.variables.empty()) found.push_back(std::move(rule));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return found;
}

// cdb(5): 256 places of tables, records, tables. The records end where the first table begins.
class Records {
 public:
  explicit Records(std::string_view file) : file_(file) {
    if (file.size() < header) return;
    end_ = file.size();
    for (std::size_t table = 0; table < header; table += 2 * number_size) {
      end_ = std::min<std::size_t>(end_, number(table));
    }
    at_ = header;
  }
  // The next key and its data.
  std::optional<std::pair<std::string_view, std::string_view>> next() {
    if (at_ + 2 * number_size > end_) return std::nullopt;
    const std::size_t key = number(at_);
    const std::size_t data = number(at_ + number_size);
    const std::size_t left = end_ - at_ - 2 * number_size;
    if (key > left || data > left - key) return std::nullopt;
    const std::size_t begin = at_ + 2 * number_size;
    at_ = begin + key + data;
    return std::pair(file_.substr(begin, key), file_.substr(begin + key, data));
  }
  bool whole() const { return at_ == end_ && at_ >= header; }

 private:
  static constexpr std::size_t number_size = 4;
  static constexpr std::size_t header = 2 * number_size * 256;

  std::size_t number(std::size_t at) const {
    std::size_t value = 0;
    for (std::size_t i = number_size; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(file_[at + i]);
    }
    return value;
  }

  std::string_view file_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

// The data are "+NAME=VALUE" and NUL, "D" and NUL.
Result<std::vector<TcpRule>, ControlError> rules_of_cdb(const std::string& path,
                                                        std::string_view file) {
  std::vector<TcpRule> found;
  Records records(file);
  while (const auto record = records.next()) {
    TcpRule rule{std::string(record->first)};
    for (std::string_view data = record->second; !data.empty();) {
      const std::size_t end = std::min(data.find('\0'), data.size());
      if (data.starts_with('+')) take(data.substr(1, end - 1), rule);
      data.remove_prefix(std::min(end + 1, data.size()));
    }
    if (!rule.variables.empty()) found.push_back(std::move(rule));
  }
  if (!records.whole()) return Failure(ControlError{path, "damaged database"});
  return found;
}

}  // namespace

Result<std::vector<TcpRule>, ControlError> tcp_rules_in(const std::string& path) {
  const auto content = read_file(path);
  if (!content) return Failure(content.error());
  if (!*content) return Failure(ControlError{path, "there is no such file"});
  if (path.ends_with(".cdb")) return rules_of_cdb(path, **content);
  return rules_of_source(**content);
}

std::vector<std::string> usual_tcp_rules() { return {"/etc/tcp.smtp", "/etc/tcp.smtp.cdb"}; }

}  // namespace qmail::tlscheck
