#include "qmail/connection.h"

#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "qmail/unique_fd.h"

namespace qmail {
namespace {

using std::chrono::seconds;

class ConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    ours_.reset(ends[0]);
    theirs_.reset(ends[1]);
  }
  Connection connection(int timeout = 5) const {
    return {std::make_unique<FdTransport>(ours_.get(), ours_.get()), seconds(timeout)};
  }
  void peer_says(std::string_view text) const {
    ASSERT_EQ(::write(theirs_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // What has arrived at the peer up to now.
  std::string peer_heard() const {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(theirs_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
  }

  UniqueFd ours_;
  UniqueFd theirs_;
};

std::optional<ConnectionLost::Cause> cause_of(const auto& action) {
  try {
    action();
  } catch (const ConnectionLost& lost) {
    return lost.cause();
  }
  return std::nullopt;
}

TEST_F(ConnectionTest, OutputWaitsForARead) {
  auto talk = connection();
  talk.write("220 hello\r\n");
  EXPECT_EQ(peer_heard(), "");
  peer_says("NOOP\r\n");
  talk.receive();
  EXPECT_EQ(peer_heard(), "220 hello\r\n");
  EXPECT_EQ(talk.input(), "NOOP\r\n");
  talk.consume(2);
  EXPECT_EQ(talk.input(), "OP\r\n");
  peer_says("QUIT");
  talk.receive();
  EXPECT_EQ(talk.input(), "OP\r\nQUIT");
}

TEST_F(ConnectionTest, TheEndAndSilenceAreTold) {
  auto talk = connection(0);
  EXPECT_EQ(cause_of([&] { talk.receive(); }), ConnectionLost::Cause::read_timed_out);
  theirs_.reset();
  EXPECT_EQ(cause_of([&] { talk.receive(); }), ConnectionLost::Cause::end_of_input);
}

TEST_F(ConnectionTest, NoWaitGoesBeyondTheEndOfTheConversation) {
  auto talk = connection(60);
  talk.end_at(Deadline::after(seconds(0)));
  EXPECT_TRUE(talk.past_end());
  peer_says("never stops");
  EXPECT_EQ(cause_of([&] { talk.receive(); }), ConnectionLost::Cause::read_timed_out);
  talk.write("last words");
  talk.flush();
  EXPECT_EQ(peer_heard(), "last words");
  const std::string much(1 << 22, 'x');
  EXPECT_EQ(cause_of([&] { talk.write(much); }), ConnectionLost::Cause::write_timed_out);
  talk.end_at(std::nullopt);
  EXPECT_FALSE(talk.past_end());
  talk.receive();
  EXPECT_EQ(talk.input(), "never stops");
}

TEST_F(ConnectionTest, ATimeoutBeforeTheEndOfTheConversationHolds) {
  auto talk = connection(0);
  talk.end_at(Deadline::after(seconds(60)));
  EXPECT_EQ(cause_of([&] { talk.receive(); }), ConnectionLost::Cause::read_timed_out);
}

TEST_F(ConnectionTest, AWriteThatBlocksTimesOut) {
  auto talk = connection(0);
  const std::string much(1 << 22, 'x');
  EXPECT_EQ(cause_of([&] { talk.write(much); }), ConnectionLost::Cause::write_timed_out);
  talk.write("kept until it is flushed");
  EXPECT_EQ(cause_of([&] { talk.flush(); }), ConnectionLost::Cause::write_timed_out);
  // What could not be sent is not tried again, even when the peer reads on.
  while (!peer_heard().empty()) {
  }
  talk.flush();
  EXPECT_EQ(peer_heard(), "");
}

TEST_F(ConnectionTest, AWriteToNobodyFails) {
  auto talk = connection();
  theirs_.reset();
  talk.write("x");
  EXPECT_EQ(cause_of([&] { talk.flush(); }), ConnectionLost::Cause::write_failed);
}

TEST_F(ConnectionTest, UpgradeForgetsWhatCameInTheClear) {
  auto talk = connection();
  peer_says("STARTTLS\r\nMAIL FROM:<injected>\r\n");
  talk.receive();
  talk.consume(10);
  talk.upgrade(std::make_unique<FdTransport>(ours_.get(), ours_.get()));
  EXPECT_EQ(talk.input(), "");
}

TEST_F(ConnectionTest, AFullBufferIsAMistakeNotAnEnd) {
  auto talk = connection();
  const std::string block(65536, 'x');
  peer_says(block);
  EXPECT_THROW(for (;;) talk.receive(), std::logic_error);
  EXPECT_EQ(talk.input().size(), 32768U);
}

TEST_F(ConnectionTest, PipesWorkAsWellAsSockets) {
  std::array<int, 2> up{};
  std::array<int, 2> down{};
  ASSERT_EQ(::pipe(up.data()), 0);
  ASSERT_EQ(::pipe(down.data()), 0);
  const UniqueFd up_read(up[0]);
  UniqueFd up_write(up[1]);
  const UniqueFd down_read(down[0]);
  const UniqueFd down_write(down[1]);
  Connection talk(std::make_unique<FdTransport>(up_read.get(), down_write.get()), seconds(0));
  EXPECT_EQ(cause_of([&] { talk.receive(); }), ConnectionLost::Cause::read_timed_out);
  ASSERT_EQ(::write(up_write.get(), "hi", 2), 2);
  talk.receive();
  EXPECT_EQ(talk.input(), "hi");
  const std::string much(1 << 20, 'x');
  EXPECT_EQ(cause_of([&] { talk.write(much); }), ConnectionLost::Cause::write_timed_out);
  up_write.reset();
  EXPECT_EQ(cause_of([&] { talk.receive(); }), ConnectionLost::Cause::end_of_input);
}

}  // namespace
}  // namespace qmail
