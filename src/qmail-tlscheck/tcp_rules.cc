#include "qmail-tlscheck/tcp_rules.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <cdb.h>

#include "qmail/ascii.h"
#include "qmail/regular_file.h"
#include "qmail/unique_fd.h"

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

// libcdb's view of a file.
class Records {
 public:
  explicit Records(int fd) : whole_(::cdb_init(&cdb_, fd) == 0), open_(whole_) {
    if (open_) cdb_seqinit(&at_, &cdb_);
  }
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;
  ~Records() {
    if (open_) ::cdb_free(&cdb_);
  }

  // Goes to the next record; false: there is none that can be read.
  bool next() {
    const int found = whole_ ? ::cdb_seqnext(&at_, &cdb_) : 0;
    whole_ = whole_ && found >= 0;
    return found > 0;
  }
  std::string_view key() { return bytes(cdb_keylen(&cdb_), cdb_keypos(&cdb_)); }
  std::string_view data() { return bytes(cdb_datalen(&cdb_), cdb_datapos(&cdb_)); }
  bool whole() const { return whole_; }

 private:
  std::string_view bytes(unsigned size, unsigned at) {
    const void* const found = ::cdb_get(&cdb_, size, at);
    if (found == nullptr) whole_ = false;
    return found == nullptr ? std::string_view()
                            : std::string_view(static_cast<const char*>(found), size);
  }

  cdb cdb_{};
  unsigned at_ = 0;
  bool whole_;
  bool open_;
};

// The data are "+NAME=VALUE" and NUL, "D" and NUL.
Result<std::vector<TcpRule>, ControlError> rules_of_cdb(const std::string& path) {
  auto file = RegularFile::open(path);
  if (!file) return Failure(ControlError{path, file.error().reason()});
  const UniqueFd fd = std::move(*file).release();
  std::vector<TcpRule> found;
  Records records(fd.get());
  while (records.next()) {
    TcpRule rule{std::string(records.key())};
    for (std::string_view data = records.data(); !data.empty();) {
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
  if (path.ends_with(".cdb")) return rules_of_cdb(path);
  const auto content = read_file(path);
  if (!content) return Failure(content.error());
  if (!*content) return Failure(ControlError{path, "there is no such file"});
  return rules_of_source(**content);
}

std::vector<std::string> usual_tcp_rules() { return {"/etc/tcp.smtp", "/etc/tcp.smtp.cdb"}; }

}  // namespace qmail::tlscheck
