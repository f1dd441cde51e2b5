#include "qmail-smtpd/command_reader.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "qmail/transport.h"

namespace qmail::smtpd {
namespace {

// Hands out what a client sends, in pieces of at most `piece` bytes, then the end.
class Client final : public Transport {
 public:
  Client(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
  Result<std::size_t, IoError> read(std::span<char> into, Deadline) override {
    const std::size_t count = std::min({into.size(), piece_, text_.size() - at_});
    std::memcpy(into.data(), text_.data() + at_, count);
    at_ += count;
    return count;
  }
  Result<std::size_t, IoError> write(std::span<const char> from, Deadline) override {
    return from.size();
  }
  void say_goodbye() override {}

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

struct Read {
  std::string text;
  bool cut_off;
  bool operator==(const Read&) const = default;
};

std::vector<Read> read_all(const std::string& text, std::size_t piece) {
  Connection connection(std::make_unique<Client>(text, piece), std::chrono::seconds(1));
  CommandReader reader(connection);
  std::vector<Read> lines;
  try {
    for (;;) {
      const CommandLine line = reader.next();
      lines.push_back({std::string(line.text), line.cut_off});
    }
  } catch (const ConnectionLost& lost) {
    EXPECT_EQ(lost.cause(), ConnectionLost::Cause::end_of_input);
  }
  return lines;
}

TEST(CommandReader, LinesWhateverThePieces) {
  const std::string text = "EHLO x\r\nMAIL FROM:<>\r\n\nQUIT\r\nunfinished";
  const std::vector<Read> lines = {
      {"EHLO x\r", false}, {"MAIL FROM:<>\r", false}, {"", false}, {"QUIT\r", false}};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(read_all(text, piece), lines) << piece;
  }
}

TEST(CommandReader, KeepsSixtyFourKilobytesOfALine) {
  constexpr std::size_t kept = CommandReader::kept;
  for (const std::size_t piece : {1000U, 32768U, 65536U}) {
    for (const std::size_t length : {kept - 1, kept, kept + 1, 10 * kept}) {
      const std::string text(length, 'a');
      const auto lines = read_all(text + "\nNOOP\n", piece);
      ASSERT_EQ(lines.size(), 2U);
      EXPECT_EQ(lines[0].text.size(), std::min(length, kept));
      EXPECT_EQ(lines[0].cut_off, length > kept);
      EXPECT_EQ(lines[1], (Read{"NOOP", false}));
    }
  }
}

}  // namespace
}  // namespace qmail::smtpd
