#include "qmail-remote/data_encoder.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

struct Encoded {
  std::string wire;
  bool whole;
};

Encoded encode(std::string_view message, const std::vector<std::size_t>& cuts) {
  DataEncoder encoder;
  Encoded result{};
  std::size_t from = 0;
  const auto put = [&](std::size_t to) {
    const std::string_view block = message.substr(from, to - from);
    std::vector<char> out(DataEncoder::room_for(block.size()));
    result.wire.append(out.data(), encoder.encode(block, out));
    from = to;
  };
  for (const std::size_t cut : cuts) put(cut);
  put(message.size());
  result.whole = encoder.at_line_start();
  return result;
}

TEST(DataEncoder, ByTable) {
  const struct {
    std::string message;
    std::string wire;
    bool whole;
  } cases[] = {
      {"", "", true},
      {"a\n", "a\r\n", true},
      {"a", "a", false},
      {"\n\n", "\r\n\r\n", true},
      {".\n", "..\r\n", true},
      {"..a\nb.\n.", "...a\r\nb.\r\n..", false},
      {"a\r\n", "a\r\n", true},
      {"\r\n.\r\n", "\r\n..\r\n", true},
      {"a\rb\n", "a b\r\n", true},
      {"a\r\r\nb\n", "a \r\nb\r\n", true},
      {"\r.\n", " .\r\n", true},
      {"a\n\r", "a\r\n", false},
      {"a\r.\rMAIL\n", "a . MAIL\r\n", true},
      {"\r\r\r\r\n", "   \r\n", true},
      {std::string("a\0b\xff\n", 5), std::string("a\0b\xff\r\n", 6), true},
      {std::string("\0.\n", 3), " .\r\n", true},
      {std::string("a\n\0\0.\n", 6), std::string("a\r\n\0 .\r\n", 8), true},
      {std::string("\0a.\n\0\n", 6), std::string("\0a.\r\n\0\r\n", 8), true},
      {std::string(".\0.\n", 4), std::string("..\0.\r\n", 6), true},
      {std::string("a\0.\n", 4), std::string("a\0.\r\n", 5), true},
      {std::string("\0\r.\n", 4), std::string("\0 .\r\n", 5), true},
      {std::string("a\n\0", 3), "a\r\n", false},
  };
  for (const auto& one : cases) {
    const Encoded got = encode(one.message, {});
    EXPECT_EQ(got.wire, one.wire) << testing::PrintToString(one.message);
    EXPECT_EQ(got.whole, one.whole) << testing::PrintToString(one.message);
  }
}

// One byte at a time: what the comment of the class says, and nothing clever.
Encoded model(std::string_view message) {
  Encoded result{"", true};
  bool only_nuls = true;  // on this line so far
  for (std::size_t i = 0; i < message.size(); ++i) {
    const char c = message[i];
    only_nuls = result.whole || (only_nuls && i > 0 && message[i - 1] == '\0');
    const bool last = i + 1 == message.size();
    if (c == '\0' && only_nuls) {
      // At the very end the message is not whole, and it is not sent.
      if (!last) result.wire += message[i + 1] == '.' ? ' ' : c;
      result.whole = false;
      continue;
    }
    const bool before_lf = i + 1 < message.size() && message[i + 1] == '\n';
    if (c == '\n') {
      result.wire += "\r\n";
      result.whole = true;
      continue;
    }
    if (c == '\r' && before_lf) continue;
    if (c == '.' && result.whole) result.wire += '.';
    // A CR at the very end is neither: the message is not whole, and it is not sent.
    if (c != '\r' || i + 1 < message.size()) result.wire += c == '\r' ? ' ' : c;
    result.whole = false;
  }
  return result;
}

// Every message of up to six of these bytes, in every split into two blocks.
TEST(DataEncoder, EverySmallMessage) {
  constexpr std::string_view alphabet("\r\n.a\0", 5);
  std::size_t count = 0;
  for (std::size_t length = 0; length <= 6; ++length) {
    std::size_t total = 1;
    for (std::size_t i = 0; i < length; ++i) total *= alphabet.size();
    for (std::size_t number = 0; number < total; ++number) {
      std::string message;
      for (std::size_t i = 0, rest = number; i < length; ++i, rest /= alphabet.size()) {
        message += alphabet[rest % alphabet.size()];
      }
      const Encoded wanted = model(message);
      for (std::size_t cut = 0; cut <= length; ++cut) {
        const Encoded got = encode(message, {cut});
        ASSERT_EQ(got.wire, wanted.wire) << testing::PrintToString(message) << " cut at " << cut;
        ASSERT_EQ(got.whole, wanted.whole) << testing::PrintToString(message) << " cut at " << cut;
        ++count;
      }
    }
  }
  EXPECT_GT(count, 100000U);
}

TEST(DataEncoder, ByteByByte) {
  constexpr std::string_view message("Subject: x\n\n.\r\n..\rhello\r\r\n\0\0.\n\0\0\0end\n", 37);
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < message.size(); ++i) cuts.push_back(i);
  EXPECT_EQ(encode(message, cuts).wire, model(message).wire);
}

}  // namespace
}  // namespace qmail::remote
