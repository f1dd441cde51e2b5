#include "qmail-remote/policy_words.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

using Level = PolicyWords::Level;

constexpr std::pair<std::string_view, Level> levels[] = {
    {"none", Level::none},       {"may", Level::may},
    {"encrypt", Level::encrypt}, {"fingerprint", Level::fingerprint},
    {"verify", Level::verify},   {"secure", Level::secure},
    {"dane", Level::dane},       {"dane-only", Level::dane_only},
};

constexpr std::string_view separators = " \t,";

std::optional<Level> level_called(std::string_view word) {
  for (const auto& [name, level] : levels) {
    if (equal_ignoring_case(word, name)) return level;
  }
  return std::nullopt;
}

// Is anything left behind them?
bool skip_separators(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
  return !text.empty();
}

std::string_view cut_word(std::string_view& text, std::string_view ends) {
  const std::string_view word = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(word.size());
  return word;
}

// Postfix's, for what is not ours to do: connections are not reused, and nothing is reported.
bool is_read_over(std::string_view name) {
  return name == "connection_reuse" || name == "enable_rpk" || name == "mx_host_pattern" ||
         name.starts_with("policy_");
}

// What stands between `separator`s; nothing if one of them is empty.
std::optional<std::vector<std::string_view>> parts(std::string_view text, char separator) {
  std::vector<std::string_view> result;
  for (;;) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end == 0) return std::nullopt;
    result.push_back(text.substr(0, end));
    if (end == text.size()) return result;
    text.remove_prefix(end + 1);
  }
}

bool is_name_byte(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
}

// A name in a certificate, perhaps with a final dot.
bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_name_byte);
}

bool is_name_or_domain(std::string_view text) {
  if (text.starts_with('.')) text.remove_prefix(1);
  return is_name(text);
}

int digit_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// A digest of SHA-256, SHA-384 or SHA-512, with or without colons between its bytes; nothing else:
// who can make two certificates with one SHA-1 would be both.
std::optional<std::string> fingerprint(std::string_view text) {
  const bool with_colons = text.size() > 2 && text[2] == ':';
  const std::size_t step = with_colons ? 3 : 2;
  std::string digits;
  for (std::size_t i = 0; i < text.size(); i += step) {
    if (i + 2 > text.size()) return std::nullopt;
    if (with_colons && i + 2 < text.size() && (text[i + 2] != ':' || i + 3 == text.size())) {
      return std::nullopt;
    }
    for (const char digit : text.substr(i, 2)) {
      if (digit_value(digit) < 0) return std::nullopt;
      digits.push_back(to_lower(digit));
    }
  }
  if (digits.size() != 64 && digits.size() != 96 && digits.size() != 128) return std::nullopt;
  return digits;
}

bool take_match(PolicyWords& words, std::string_view value) {
  const bool by_fingerprint = words.level == Level::fingerprint;
  const auto all = parts(value, by_fingerprint ? '|' : ':');
  if (!all) return false;
  for (const std::string_view one : *all) {
    if (by_fingerprint) {
      auto digits = fingerprint(one);
      if (!digits) return false;
      words.fingerprints.push_back(std::move(*digits));
    } else {
      if (!is_name_or_domain(one)) return false;
      words.match.emplace_back(one);
    }
  }
  return true;
}

// An attribute: a word, or Postfix's way to write one with blanks in its value, "{ NAME = VALUE }"
// (`braces` holds it then).
std::string_view cut_attribute(std::string_view& text, std::string& braces) {
  const std::size_t end = text.find('}');
  if (!text.starts_with('{') || end == std::string_view::npos) return cut_word(text, separators);
  std::string_view within = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
  const auto trimmed = [](std::string_view some) {
    some.remove_prefix(std::min(some.find_first_not_of(" \t"), some.size()));
    return some.substr(0, some.find_last_not_of(" \t") + 1);
  };
  within = trimmed(within);
  const std::size_t equals = std::min(within.find('='), within.size());
  braces = trimmed(within.substr(0, equals));
  if (equals < within.size()) braces.append("=").append(trimmed(within.substr(equals + 1)));
  return braces;
}

// Takes NAME=VALUE; what is wrong with it, if something is.
std::optional<std::string> take_attribute(PolicyWords& words, std::string_view attribute) {
  const std::size_t equals = attribute.find('=');
  const std::string name = to_lower(attribute.substr(0, equals));
  const std::string given(attribute.substr(0, equals));
  const bool verifies = words.level == Level::verify || words.level == Level::secure;
  const auto no_match = [&] {
    return given + " does not go with " + std::string(name_of(words.level));
  };
  if (equals == std::string_view::npos) return "unknown attribute " + given;
  const std::string_view value = attribute.substr(equals + 1);
  bool good = true;
  if (name == "match") {
    if (!verifies && words.level != Level::fingerprint) return no_match();
    good = take_match(words, value);
  } else if (name == "tafile") {
    if (!verifies) return no_match();
    if (!words.tafile.empty()) return given + " is given twice";
    words.tafile = value;
    good = !value.empty();
  } else if (name == "servername") {
    if (!words.servername.empty()) return given + " is given twice";
    words.servername = value;
    good = is_name(value);
  } else if (!is_read_over(name)) {
    return "unknown attribute " + given;
  }
  if (!good) return "bad value of " + given;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Level level) { return levels[static_cast<std::size_t>(level)].first; }

Result<PolicyWords, std::string> parse_policy(std::string_view text) {
  skip_separators(text);
  const std::string_view word = cut_word(text, " \t,:");
  const auto level = level_called(word);
  if (!level) return Failure("unknown level " + std::string(word));
  PolicyWords words{*level};
  if (words.level == Level::none) return words;
  if (text.starts_with(':')) text.remove_prefix(1);
  for (std::string braces; skip_separators(text);) {
    auto bad = take_attribute(words, cut_attribute(text, braces));
    if (bad) return Failure(std::move(*bad));
  }
  if (words.level == Level::fingerprint && words.fingerprints.empty()) {
    return Failure(std::string("no fingerprint"));
  }
  return words;
}

}  // namespace qmail::remote
