// Delivery when memory runs out behind the final dot, at the first allocation from there, the
// second, and so on: a message that the server has is not sent again without the word "duplicate",
// nor twice where its reply was read.
#include <array>
#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <new>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "qmail-remote/delivery.h"
#include "qmail-remote/messages.h"
#include "qmail/unique_fd.h"
#include "scratch.h"

namespace {

// How many allocations of the thread that delivers are still granted once the server has the final
// dot.
std::atomic<bool> server_has_it{false};
std::atomic<int> granted{0};
std::atomic<bool> refused{false};
thread_local bool delivers = false;

bool may_have_memory() {
  if (!delivers || !server_has_it) return true;
  if (granted-- > 0) return true;
  refused = true;
  return false;
}

}  // namespace

void* operator new(std::size_t size) {
  void* const memory = may_have_memory() ? std::malloc(size) : nullptr;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
// A sanitizer's own does not call the one above.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return may_have_memory() ? std::malloc(size) : nullptr;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace qmail::remote {
namespace {

// Says yes to everything; when it has the dot, memory runs out, and only then it answers.
void serve(int fd) {
  std::string heard;
  const auto say = [fd](std::string_view text) {
    return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) > 0;
  };
  bool in_message = false;
  say("220 mx\r\n");
  for (std::array<char, 4096> block{};;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got <= 0) return;
    heard.append(block.data(), static_cast<std::size_t>(got));
    if (in_message) {
      if (!heard.ends_with("\r\n.\r\n")) continue;
      server_has_it = true;
      // Longer than what a string holds without an allocation.
      say("250 queued, under a name that is longer than that\r\n");
      in_message = false;
      heard.clear();
      continue;
    }
    if (!heard.ends_with("\r\n")) continue;
    if (heard.starts_with("QUIT")) return;
    in_message = heard.starts_with("DATA");
    say(in_message ? "354 go\r\n" : "250 yes\r\n");
    heard.clear();
  }
}

MessageReport deliver(int allocations) {
  const test::ScratchFolder folder;
  folder.write("message", "hi\n");
  const UniqueFd message(::open(folder.path("message").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<int, 2> ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  std::thread server(serve, theirs.get());
  const Server peer{*parse_ip("192.0.2.1"), 25, "mx.test"};
  const Manner manner{"client.test", std::chrono::seconds(5), ControlDir(folder.path())};
  const Mail mail{"alice@client.test", {{"bob@x.test"}}, message.get()};
  Reports reports;
  granted = allocations;
  server_has_it = refused = false;
  Ending ending{deferred("it threw")};
  try {
    const TlsPolicy policy;
    Delivery delivery(ours.get(), peer, policy, manner, mail, reports);
    delivers = true;
    ending = delivery.run();
  } catch (
      const std::bad_alloc&) {  // the caller would say: out of memory, and nothing of duplicates
  }
  delivers = false;
  ours.reset();
  server.join();
  return std::move(ending.report);
}

TEST(DeliveryMemory, RunsOutBehindTheFinalDot) {
  int duplicates = 0;
  int accepted = 0;
  for (int allocations = 0; allocations < 100; ++allocations) {
    const MessageReport report = deliver(allocations);
    if (report.status == MessageStatus::accepted) {
      ++accepted;
    } else {
      EXPECT_EQ(report.status, MessageStatus::temporary) << allocations;
      EXPECT_EQ(report.text, text_out_of_memory_after_dot) << allocations;
      ++duplicates;
    }
    if (!refused) break;
  }
  EXPECT_GT(duplicates, 0);
  EXPECT_GT(accepted, 1) << "one of them for want of memory for the report";
  EXPECT_FALSE(refused) << "there are no 100 allocations";
}

}  // namespace
}  // namespace qmail::remote
