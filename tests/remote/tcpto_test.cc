#include "qmail-remote/tcpto.h"

#include <chrono>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>

#include <gtest/gtest.h>

#include "qmail/unique_fd.h"
#include "scratch.h"

namespace qmail::remote {
namespace {

constexpr std::int64_t now = 1'700'000'000;
constexpr std::int64_t patience = 4000;

std::string slot(std::string_view address, int count, std::int64_t time) {
  const IpAddress ip = *parse_ip(address);
  const bool v4 = ip.family() == IpAddress::Family::v4;
  std::string bytes(v4 ? 16 : 32, '\0');
  bytes.replace(0, ip.bytes().size(), ip.bytes());
  bytes[v4 ? 4 : 16] = static_cast<char>(count);
  for (unsigned i = 0; i < 4; ++i) {
    bytes[(v4 ? 8 : 24) + i] = static_cast<char>(time >> (8 * i) & 0xff);
  }
  return bytes;
}

const std::string empty_slot(16, '\0');

class TcptoTest : public testing::Test {
 protected:
  void content(const std::string& bytes) const { folder_.write("tcpto", bytes); }
  std::string content() const { return folder_.read("tcpto"); }

  test::ScratchFolder folder_;
  TimeoutTable table_{folder_.path(), patience};
  IpAddress one_ = *parse_ip("192.0.2.1");
  IpAddress two_ = *parse_ip("192.0.2.2");
};

TEST_F(TcptoTest, WithoutAFileNothingIsKnownAndNothingIsMade) {
  EXPECT_FALSE(table_.look_up(one_, now).known);
  table_.note_timeout(one_, now);
  table_.clear(one_);
  EXPECT_FALSE(std::filesystem::exists(folder_.path("tcpto")));
}

TEST_F(TcptoTest, SkipsByCountAndAge) {
  const struct {
    int count;
    std::int64_t age;
    bool skip;
  } cases[] = {{0, 1, false},        {1, 1, false},      {2, 1, true}, {10, patience - 1, true},
               {2, patience, false}, {2, 100000, false}, {2, 0, true}, {2, -5000, true}};
  for (const auto& one : cases) {
    content(empty_slot + slot("192.0.2.1", one.count, now - one.age));
    const auto entry = table_.look_up(one_, now);
    EXPECT_TRUE(entry.known);
    EXPECT_EQ(entry.skip, one.skip) << one.count << " " << one.age;
    EXPECT_FALSE(table_.look_up(two_, now).known);
  }
}

TEST_F(TcptoTest, TheFirstSlotWithTheAddressDecides) {
  content(slot("192.0.2.1", 0, now) + slot("192.0.2.1", 9, now));
  EXPECT_FALSE(table_.look_up(one_, now).skip);
}

TEST_F(TcptoTest, NotesByTable) {
  const struct {
    std::string before;
    std::string after;
  } cases[] = {
      {empty_slot + empty_slot, slot("192.0.2.1", 1, now) + empty_slot},
      {slot("192.0.2.2", 1, 5) + empty_slot, slot("192.0.2.2", 1, 5) + slot("192.0.2.1", 1, now)},
      {slot("192.0.2.1", 1, now - 120), slot("192.0.2.1", 2, now)},
      {slot("192.0.2.1", 1, now - 119), slot("192.0.2.1", 1, now - 119)},
      {slot("192.0.2.1", 0, now - 1), slot("192.0.2.1", 1, now)},
      {slot("192.0.2.1", 10, now - 500), slot("192.0.2.1", 10, now)},
      // full: the smallest time + 1024 * count goes, the first of equals
      {slot("192.0.2.2", 2, 1000) + slot("192.0.2.3", 1, 2023) + slot("192.0.2.4", 1, 2023),
       slot("192.0.2.2", 2, 1000) + slot("192.0.2.1", 1, now) + slot("192.0.2.4", 1, 2023)},
      // a rest is no slot
      {slot("192.0.2.2", 1, 5) + "12345678", slot("192.0.2.1", 1, now) + "12345678"},
      {"123456789012345", "123456789012345"},
      {"", ""},
  };
  for (const auto& one : cases) {
    content(one.before);
    table_.note_timeout(one_, now);
    EXPECT_EQ(content(), one.after) << testing::PrintToString(one.before);
  }
}

TEST_F(TcptoTest, OnlyTheFirst64SlotsCount) {
  std::string bytes;
  for (int i = 0; i < 64; ++i) bytes += slot("192.0.2.9", 1, now);
  content(bytes + slot("192.0.2.1", 5, now) + empty_slot);
  EXPECT_FALSE(table_.look_up(one_, now).known);
  table_.note_timeout(one_, now);
  EXPECT_EQ(content().substr(0, 16), slot("192.0.2.1", 1, now));
  EXPECT_EQ(content().substr(16), bytes.substr(16) + slot("192.0.2.1", 5, now) + empty_slot);
}

TEST_F(TcptoTest, ClearKeepsTheTime) {
  content(slot("192.0.2.2", 3, 7) + slot("192.0.2.1", 3, 8));
  table_.clear(one_);
  EXPECT_EQ(content(), slot("192.0.2.2", 3, 7) + slot("192.0.2.1", 0, 8));
}

TEST_F(TcptoTest, ALockThatIsHeldIsWaitedForASecondAtMost) {
  const std::string bytes = slot("192.0.2.1", 3, now);
  content(bytes);
  const UniqueFd holder(::open(folder_.path("tcpto").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(holder.get(), LOCK_SH), 0);  // who may read may do this
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(table_.look_up(one_, now).known);
  table_.note_timeout(one_, now);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took, std::chrono::seconds(4));
  EXPECT_EQ(content(), bytes);
}

TEST_F(TcptoTest, ALockThatIsGivenUpSoonIsWaitedFor) {
  content(slot("192.0.2.1", 3, now));
  UniqueFd holder(::open(folder_.path("tcpto").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(holder.get(), LOCK_EX), 0);
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    holder.reset();
  });
  EXPECT_TRUE(table_.look_up(one_, now).known);
  other.join();
}

TEST_F(TcptoTest, Ipv6HasAFileOfItsOwn) {
  const IpAddress six = *parse_ip("2001:db8::25");
  content(empty_slot);
  table_.note_timeout(six, now);  // no tcpto6: not remembered
  EXPECT_EQ(content(), empty_slot);
  folder_.write("tcpto6", std::string(64, '\0'));
  table_.note_timeout(six, now - 1000);
  table_.note_timeout(six, now);
  EXPECT_EQ(folder_.read("tcpto6"), slot("2001:db8::25", 2, now) + std::string(32, '\0'));
  EXPECT_TRUE(table_.look_up(six, now).skip);
  EXPECT_EQ(content(), empty_slot);
}

TEST(TcptoPatience, IsSpreadOverProcesses) {
  EXPECT_EQ(TimeoutTable::patience_of(32), 3840);
  EXPECT_EQ(TimeoutTable::patience_of(63), 5824);
}

}  // namespace
}  // namespace qmail::remote
