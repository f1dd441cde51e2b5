#include "dialogue.h"

#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace qmail::smtpd {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<Dialogue> parse() {
    while (!text_.empty()) {
      const std::size_t end = text_.find('\n');
      rest_ = text_.substr(0, end);
      text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
      ++line_;
      if (rest_.empty() || rest_.front() == '#') continue;
      if (take("== ")) {
        dialogues_.push_back({std::string(rest_), line_});
        relayclient_.reset();
      } else if (dialogues_.empty() || !(setting() || saying() || waiting() || outcome())) {
        fail("what is this?");
      }
    }
    return std::move(dialogues_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw std::runtime_error("line " + std::to_string(line_) + ": " + why + ": " +
                             std::string(rest_));
  }
  Dialogue& current() { return dialogues_.back(); }

  // Is `word` next? Then it is gone.
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string_view take_to(std::string_view separator) {
    const std::size_t at = rest_.find(separator);
    if (at == std::string_view::npos) fail("no \"" + std::string(separator) + "\" here");
    const std::string_view before = rest_.substr(0, at);
    rest_.remove_prefix(at + separator.size());
    return before;
  }
  int number(std::string_view digits) const {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) fail("no number");
    return value;
  }

  // The rest of the line with its escapes and repetitions worked out.
  std::string text() const { return unescaped(rest_); }
  std::string unescaped(std::string_view from) const {
    std::string bytes;
    while (!from.empty()) {
      const char c = from.front();
      from.remove_prefix(1);
      if (c == '\\') {
        bytes.push_back(escape(from));
      } else if (c == '{' && !from.starts_with("DIR}") && !from.starts_with("PLUGINS}")) {
        const std::size_t end = from.find('}');
        const std::size_t star = from.rfind('*', end);
        if (end == std::string_view::npos || star == std::string_view::npos) fail("bad braces");
        const std::string part = unescaped(from.substr(0, star));
        for (int i = number(from.substr(star + 1, end - star - 1)); i > 0; --i) bytes.append(part);
        from.remove_prefix(end + 1);
      } else {
        bytes.push_back(c);
      }
    }
    return bytes;
  }
  char escape(std::string_view& from) const {
    if (from.empty()) fail("backslash at the end");
    const char c = from.front();
    from.remove_prefix(1);
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case '0':
        return '\0';
      case 'x': {
        int value = 0;
        if (from.size() < 2) fail("short \\x");
        const auto parsed = std::from_chars(from.data(), from.data() + 2, value, 16);
        if (parsed.ptr != from.data() + 2) fail("bad \\x");
        from.remove_prefix(2);
        return static_cast<char>(value);
      }
      default:
        return c;
    }
  }

  bool setting() {
    if (take("control ")) {
      using Kind = ControlFile::Kind;
      for (const auto& [what, kind] :
           {std::pair{" is a directory", Kind::directory}, std::pair{" is a loop", Kind::loop},
            std::pair{" is a fifo", Kind::fifo}}) {
        const std::size_t is = rest_.find(what);
        if (is == std::string_view::npos) continue;
        current().control[std::string(rest_.substr(0, is))] = {kind};
        return true;
      }
      const std::size_t holds = rest_.find(" holds @");
      if (holds != std::string_view::npos) {
        const std::string name(take_to(" holds "));
        current().control[name] = {Kind::certificates, std::string(rest_)};
        return true;
      }
      const std::string name(take_to(" ="));
      take(" ");
      current().control[name] = {Kind::text, text()};
    } else if (take("no control ")) {
      current().control[std::string(rest_)] = {ControlFile::Kind::absent};
    } else if (take("cdb ")) {
      const std::string name(take_to(" = "));
      current().control[name] = {ControlFile::Kind::cdb, text()};
    } else if (take("env ")) {
      const std::string name(take_to(" ="));
      take(" ");
      current().environment[name] = text();
    } else if (take("no env ")) {
      current().environment[std::string(rest_)] = std::nullopt;
    } else if (rest_ == "home missing") {
      current().home_missing = true;
    } else if (take("queue exits ")) {
      current().queue_exits.clear();
      while (!rest_.empty()) {
        const std::size_t end = std::min(rest_.find(' '), rest_.size());
        current().queue_exits.push_back(number(rest_.substr(0, end)));
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
      }
    } else if (rest_ == "queue reads nothing") {
      current().queue_reads = false;
    } else if (rest_ == "queue in the home") {
      current().queue_in_home = true;
    } else if (rest_ == "log is the connection") {
      current().log_to_client = true;
    } else if (take("arguments ")) {
      while (!rest_.empty()) {
        const std::size_t end = std::min(rest_.find(' '), rest_.size());
        current().arguments.emplace_back(rest_.substr(0, end));
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
      }
    } else if (take("kernel refuses ")) {
      current().refused_call = take_to(" ");
      current().refused_with = rest_ == "EPERM" ? EPERM : rest_ == "ENOSYS" ? ENOSYS : EAFNOSUPPORT;
    } else if (take("descriptors ")) {
      current().descriptors = static_cast<unsigned>(number(rest_));
    } else {
      return false;
    }
    return true;
  }

  void step(Step::Kind kind, std::string text = {}, std::size_t count = 1) {
    current().steps.push_back({kind, std::move(text), count, line_});
  }

  bool saying() {
    if (take(">*")) {
      const int count = number(take_to(" "));
      const std::string line = text() + "\r\n";
      std::string lines;
      for (int i = 0; i < count; ++i) lines.append(line);
      step(Step::Kind::send, lines, 0);
    } else if (rest_ == ">" || take("> ")) {
      step(Step::Kind::send, (rest_ == ">" ? std::string() : text()) + "\r\n", 0);
    } else if (take(">>")) {
      const std::string_view piece = take_to(" ");
      step(Step::Kind::send, text(), piece.empty() ? 0 : static_cast<std::size_t>(number(piece)));
    } else if (take("<~ ")) {
      step(Step::Kind::expect_match, std::string(rest_));
    } else if (take("<*")) {
      const int count = number(take_to(" "));
      step(Step::Kind::expect, text() + "\r\n", static_cast<std::size_t>(count));
    } else if (take("< ")) {
      step(Step::Kind::expect, text() + "\r\n");
    } else if (rest_ == "tls ends") {
      step(Step::Kind::tls_ends);
    } else if (rest_ == "tls" || take("tls ")) {
      step(Step::Kind::tls, rest_ == "tls" ? std::string() : std::string(rest_));
    } else if (take("raw ")) {
      step(Step::Kind::raw, text());
    } else {
      return false;
    }
    return true;
  }

  bool waiting() {
    if (take("silence ")) {
      step(Step::Kind::silence, std::string(rest_));
    } else if (take("sleep ")) {
      step(Step::Kind::sleep, std::string(rest_));
    } else if (take("flood ")) {
      step(Step::Kind::flood, text());
    } else if (rest_ == "wait for the queue") {
      step(Step::Kind::wait_queue);
    } else if (rest_ == "wait for the end") {
      step(Step::Kind::wait_end);
    } else if (rest_ == "half close") {
      step(Step::Kind::half_close);
    } else if (rest_ == "disconnect") {
      step(Step::Kind::disconnect);
    } else if (rest_ == "closed") {
      step(Step::Kind::closed);
    } else {
      return false;
    }
    return true;
  }

  void message_line(const std::string& line) {
    if (current().queued.empty()) fail("no \"queued\" before");
    current().queued.back().message.append(line).append("\n");
  }

  bool outcome() {
    if (take("exit ")) {
      current().exit = number(rest_);
    } else if (rest_ == "relayclient" || take("relayclient ")) {
      relayclient_ = rest_ == "relayclient" ? std::string() : text();
    } else if (take("authenticated ")) {
      authenticated_ = text() + "\n";
    } else if (take("queued ")) {
      current().queued.push_back({text(), {}, relayclient_, std::exchange(authenticated_, {})});
      relayclient_.reset();
    } else if (rest_ == "|" || take("| ")) {
      message_line(rest_ == "|" ? std::string() : text());
    } else if (take("|*")) {
      const int count = number(take_to(" "));
      for (int i = 0; i < count; ++i) message_line(text());
    } else if (take("log ")) {
      current().log.emplace_back(rest_);
    } else {
      return false;
    }
    return true;
  }

  std::string_view text_;
  std::string_view rest_;
  int line_ = 0;
  std::optional<std::string> relayclient_;
  std::string authenticated_;
  std::vector<Dialogue> dialogues_;
};

}  // namespace

std::vector<Dialogue> parse_dialogues(std::string_view text) { return Parser(text).parse(); }

}  // namespace qmail::smtpd
