// The reply reader over every byte string up to eight bytes of {'2', 'x', '-', ' ', CR, LF}, in
// every split into two pieces, and over every reply of up to four lines from a list of lines good
// and bad; against a model that takes one byte at a time, as the specification words it.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "every_string.h"
#include "qmail-remote/response.h"

namespace qmail::test {
namespace {

using remote::ResponseReader;

struct Reply {
  int code = 0;
  std::string text;
  std::size_t used = 0;
};

// Three bytes of code, whatever they are; then '-' and a line end, and it goes on; or anything else
// and a line end, and that was it. Nothing: more has to come.
std::optional<Reply> model(std::string_view input) {
  Reply reply;
  for (std::size_t line = 0, at = 0;; ++line) {
    if (at + 4 > input.size()) return std::nullopt;
    const std::string_view code = input.substr(at, 3);
    if (line == 0 && code.find_first_not_of("0123456789") == std::string_view::npos) {
      reply.code = std::stoi(std::string(code));
    }
    const bool goes_on = input[at + 3] == '-';
    const std::size_t end = input.find('\n', at + 3);
    if (end == std::string_view::npos) return std::nullopt;
    at = end + 1;
    if (goes_on) continue;
    // The last line's refusal outweighs the first line's success.
    if (line > 0 && (code[0] == '4' || code[0] == '5') && reply.code / 100 == 2 &&
        code.find_first_not_of("0123456789") == std::string_view::npos) {
      reply.code = std::stoi(std::string(code));
    }
    reply.used = at;
    for (const char c : input.substr(0, at)) {
      if (c != '\r') reply.text.push_back(c);
    }
    return reply;
  }
}

void check(std::string_view input, std::size_t cut, const std::optional<Reply>& wanted,
           std::size_t& wrong) {
  ResponseReader reader;
  std::size_t used = reader.feed(input.substr(0, cut));
  if (!reader.complete()) used += reader.feed(input.substr(cut));
  bool good = reader.complete() == wanted.has_value();
  if (good && wanted) {
    const remote::Response got = reader.take();
    good = used == wanted->used && got.code == wanted->code && got.text == wanted->text;
  } else if (good) {
    good = used == input.size();
  }
  if (!good && ++wrong <= 10) {
    ADD_FAILURE() << "\"" << shown(input) << "\" cut at " << cut << ": used " << used;
  }
}

TEST(ResponseWorld, EveryShortString) {
  std::size_t wrong = 0;
  const std::size_t count = every_string("2x- \r\n", 8, [&](std::string_view input) {
    const std::optional<Reply> wanted = model(input);
    for (std::size_t cut = 0; cut <= input.size(); ++cut) check(input, cut, wanted, wrong);
  });
  EXPECT_EQ(count, 2015539U);  // (6^9 - 1) / 5
  EXPECT_EQ(wrong, 0U);
}

TEST(ResponseWorld, EveryReplyOfUpToFourLines) {
  std::vector<std::string> lines;
  for (const std::string_view code : {"250", "421", "2x0", "25", ""}) {
    for (const std::string_view rest : {"", " ", "-", " a-", "-a ", " 250-"}) {
      for (const std::string_view end : {"\r\n", "\n"}) {
        lines.push_back(std::string(code).append(rest).append(end));
      }
    }
  }
  ASSERT_EQ(lines.size(), 60U);
  std::string numbers(lines.size(), '\0');
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<char>(i + 1);
  std::size_t wrong = 0;
  every_string(numbers, 4, [&](std::string_view choice) {
    std::string input;
    for (const char number : choice) input += lines[static_cast<std::size_t>(number - 1)];
    // Cut where it hurts: nowhere, in the first code, before the first line's end, in the middle.
    const std::optional<Reply> wanted = model(input);
    for (const std::size_t cut : {std::size_t{0}, std::size_t{2}, input.size() / 2}) {
      check(input, std::min(cut, input.size()), wanted, wrong);
    }
  });
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace qmail::test
