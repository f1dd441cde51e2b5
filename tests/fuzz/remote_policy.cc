// control/tlspolicy of any bytes, asked for a destination of any bytes (the first line); each of
// its lines is then what a policy server answered, too. What must hold: a line is used or blamed,
// and what is used says what its level needs; a policy is the same however often it is read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "qmail-remote/policy_file.h"

namespace {

using namespace qmail::remote;
using Level = PolicyWords::Level;

void must(bool condition) {
  if (!condition) std::abort();
}

void check(const PolicyWords& words) {
  must((words.level == Level::fingerprint) == !words.fingerprints.empty());
  const bool verifies = words.level == Level::verify || words.level == Level::secure;
  must(verifies || (words.match.empty() && words.tafile.empty()));
  must(words.level != Level::none || words.servername.empty());
  for (const std::string& digest : words.fingerprints) {
    must(digest.size() == 64 || digest.size() == 96 || digest.size() == 128);
    must(digest.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
  for (const std::string& name : words.match) {
    must(!name.empty() && name != "." && name.find_first_of(" \t,:|*/\r\n") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view destination = input.substr(0, input.find('\n'));
  const std::string_view text =
      destination.size() == size ? std::string_view() : input.substr(destination.size() + 1);
  const qmail::NumberedList lines = qmail::parse_numbered_list(text);
  for (const std::string& line : lines.entries) {
    const auto words = parse_policy(line);
    if (words) {
      check(*words);
      must(name_of(words->level).size() >= 3);
    } else {
      must(!words.error().empty());
    }
  }
  const auto file = PolicyFile::read(lines);
  if (!file) {
    must(file.error().reason == "no colon" && file.error().line >= 1);
    return 0;
  }
  const auto found = file->find(destination);
  if (!found) {
    must(std::count(lines.lines.begin(), lines.lines.end(), found.error().line) >= 1);
  } else if (*found) {
    check((*found)->policy);
  } else {
    must(std::none_of(file->lines().begin(), file->lines().end(),
                      [](const PolicyFile::Line& line) { return line.domain.empty(); }));
  }
  return 0;
}
