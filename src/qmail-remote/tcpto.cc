#include "qmail-remote/tcpto.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <poll.h>
#include <span>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

#include "qmail/unique_fd.h"

namespace qmail::remote {

namespace {

constexpr std::size_t most_slots = 64;
constexpr int highest_count = 10;
constexpr int skip_from_count = 2;
constexpr std::int64_t counts_once = 120;    // seconds
constexpr std::int64_t count_weighs = 1024;  // seconds, when a slot is to be replaced
constexpr std::size_t not_there = most_slots;
constexpr int a_while = 20;  // milliseconds between two tries for the lock

struct Layout {
  const char* file;
  std::size_t slot;
  std::size_t count;
  std::size_t time;
};
constexpr Layout v4_layout{"/tcpto", 16, 4, 8};
constexpr Layout v6_layout{"/tcpto6", 32, 16, 24};

// The file, open and locked as long as this lives, and its slots.
class LockedTable {
 public:
  LockedTable(const std::string& folder, const IpAddress& address)
      : layout_(address.family() == IpAddress::Family::v4 ? v4_layout : v6_layout),
        wanted_(address.bytes()),
        fd_(::open((folder + layout_.file).c_str(), O_RDWR | O_CLOEXEC)) {
    if (!fd_ || !lock()) return;
    bytes_.resize(most_slots * layout_.slot);
    const ssize_t got = ::pread(fd_.get(), bytes_.data(), bytes_.size(), 0);
    slots_ = got > 0 ? static_cast<std::size_t>(got) / layout_.slot : 0;
  }

  std::size_t slots() const { return slots_; }
  // The first slot with the address, or not_there.
  std::size_t find() const {
    for (std::size_t i = 0; i < slots_; ++i) {
      if (std::memcmp(slot(i), wanted_.data(), wanted_.size()) == 0) return i;
    }
    return not_there;
  }
  int count(std::size_t i) const { return slot(i)[layout_.count]; }
  std::int64_t time(std::size_t i) const {
    const unsigned char* at = slot(i) + layout_.time;
    return at[0] | at[1] << 8 | at[2] << 16 | static_cast<std::int64_t>(at[3]) << 24;
  }
  void set_count(std::size_t i, int count) {
    slot(i)[layout_.count] = static_cast<unsigned char>(count);
    write_back(i);
  }
  void set(std::size_t i, int count, std::int64_t time) {
    std::fill_n(slot(i), layout_.slot, static_cast<unsigned char>(0));
    std::memcpy(slot(i), wanted_.data(), wanted_.size());
    for (unsigned k = 0; k < 4; ++k) {
      slot(i)[layout_.time + k] = static_cast<unsigned char>(time >> (8 * k));
    }
    set_count(i, count);
  }

 private:
  bool lock() const {
    constexpr int most_tries = 50;
    for (int i = 0; i < most_tries; ++i) {
      if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) return true;
      if (errno != EWOULDBLOCK && errno != EINTR) return false;
      ::poll(nullptr, 0, a_while);
    }
    return false;
  }
  unsigned char* slot(std::size_t i) { return bytes_.data() + i * layout_.slot; }
  const unsigned char* slot(std::size_t i) const { return bytes_.data() + i * layout_.slot; }
  void write_back(std::size_t i) {
    const auto at = static_cast<off_t>(i * layout_.slot);
    // If it fails the table knows one time-out less.
    static_cast<void>(::pwrite(fd_.get(), slot(i), layout_.slot, at) < 0);
  }

  const Layout& layout_;
  std::string_view wanted_;
  UniqueFd fd_;
  std::vector<unsigned char> bytes_;
  std::size_t slots_ = 0;
};

// The slot for an address that is not in the table: the first free one, else the one whose trouble
// is the oldest and smallest.
std::size_t slot_to_replace(const LockedTable& table) {
  std::size_t best = 0;
  std::int64_t best_weight = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < table.slots(); ++i) {
    if (table.count(i) == 0) return i;
    const std::int64_t weight = table.time(i) + count_weighs * table.count(i);
    if (weight < best_weight) {
      best = i;
      best_weight = weight;
    }
  }
  return best;
}

}  // namespace

TimeoutTable::Entry TimeoutTable::look_up(const IpAddress& address, std::int64_t now) const {
  const LockedTable table(folder_, address);
  const std::size_t i = table.find();
  if (i == not_there) return {};
  return {true, table.count(i) >= skip_from_count && now - table.time(i) < patience_};
}

void TimeoutTable::clear(const IpAddress& address) const {
  LockedTable table(folder_, address);
  const std::size_t i = table.find();
  if (i != not_there && table.count(i) != 0) table.set_count(i, 0);
}

void TimeoutTable::note_timeout(const IpAddress& address, std::int64_t now) const {
  LockedTable table(folder_, address);
  if (table.slots() == 0) return;
  const std::size_t i = table.find();
  if (i == not_there) {
    table.set(slot_to_replace(table), 1, now);
    return;
  }
  const int count = table.count(i);
  if (count != 0 && now < table.time(i) + counts_once) return;
  table.set(i, std::min(count + 1, highest_count), now);
}

}  // namespace qmail::remote
