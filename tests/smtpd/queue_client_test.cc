#include "qmail-smtpd/queue_client.h"

#include <csignal>
#include <cstring>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <vector>

#include <gtest/gtest.h>

#include "qmail-smtpd/replies.h"
#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

using std::string_literals::operator""s;

class Queue : public testing::Test {
 protected:
  void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
  void TearDown() override { std::signal(SIGPIPE, SIG_DFL); }

  // A program that does `script` with what qmail-queue would get; $D is the scratch folder.
  QueueProgram program(const std::string& script) const {
    const std::string path =
        dir_.put("queue", "#!/bin/sh\nD='" + dir_.path() + "'\n" + script + "\n");
    EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
    return {path};
  }
  const std::string reads_all = "cat >$D/message; cat <&1 >$D/envelope; ";

  ScratchDir dir_;
};

TEST_F(Queue, MessageAndEnvelope) {
  auto queue = QueueClient::start(program("echo $$ >$D/pid; " + reads_all));
  ASSERT_TRUE(queue);
  std::string message;
  for (int i = 0; i < 20000; ++i) message.append("line " + std::to_string(i) + "\n");
  queue->write(message.substr(0, 5));
  queue->write(message.substr(5));
  char* const room = queue->room();
  std::memset(room, 'x', QueueClient::largest_piece);
  queue->put(QueueClient::largest_piece);
  const auto pid = queue->finish("s@a.example", {"r1@b.example", "", "r3@b.example"});
  ASSERT_TRUE(pid.has_value()) << pid.error();
  EXPECT_EQ(std::to_string(*pid) + "\n", dir_.get("pid"));
  EXPECT_EQ(dir_.get("message"), message + std::string(QueueClient::largest_piece, 'x'));
  EXPECT_EQ(dir_.get("envelope"), "Fs@a.example\0Tr1@b.example\0T\0Tr3@b.example\0\0"s);
}

TEST_F(Queue, TheEnvelopeComesAfterTheMessageHasEnded) {
  // Nobody reads the envelope, and its pipe cannot hold it: written before the message has ended,
  // it would keep that end from ever coming.
  auto queue = QueueClient::start(program("timeout 20 cat >$D/message || exit 81; exit 0"));
  ASSERT_TRUE(queue);
  queue->write("hello\n");
  EXPECT_EQ(queue->finish("", std::vector<std::string>(5000, std::string(800, 'r'))).error(),
            reply::queue_read_error);  // 0, but the envelope could not be written
  EXPECT_EQ(dir_.get("message"), "hello\n");
}

TEST_F(Queue, ExitStatuses) {
  struct Row {
    int first;
    int last;
    std::string reply;
  };
  const Row rows[] = {
      {1, 10, "451 qq temporary problem (#4.3.0)\r\n"},
      {11, 11, "554 envelope address too long for qq (#5.1.3)\r\n"},
      {12, 30, "554 qq permanent problem (#5.3.0)\r\n"},
      {31, 31, "554 mail server permanently rejected message (#5.3.0)\r\n"},
      {32, 40, "554 qq permanent problem (#5.3.0)\r\n"},
      {41, 50, "451 qq temporary problem (#4.3.0)\r\n"},
      {51, 51, "451 qq out of memory (#4.3.0)\r\n"},
      {52, 52, "451 qq timeout (#4.3.0)\r\n"},
      {53, 53, "451 qq write error or disk full (#4.3.0)\r\n"},
      {54, 54, "451 qq read error (#4.3.0)\r\n"},
      {55, 55, "451 qq unable to read configuration (#4.3.0)\r\n"},
      {56, 56, "451 qq trouble making network connection (#4.3.0)\r\n"},
      {57, 60, "451 qq temporary problem (#4.3.0)\r\n"},
      {61, 61, "451 qq trouble in home directory (#4.3.0)\r\n"},
      {62, 66, "451 qq trouble creating files in queue (#4.3.0)\r\n"},
      {67, 70, "451 qq temporary problem (#4.3.0)\r\n"},
      {71, 71, "451 mail server temporarily rejected message (#4.3.0)\r\n"},
      {72, 72, "451 connection to mail server timed out (#4.4.1)\r\n"},
      {73, 73, "451 connection to mail server rejected (#4.4.1)\r\n"},
      {74, 74, "451 communication with mail server failed (#4.4.2)\r\n"},
      {75, 80, "451 qq temporary problem (#4.3.0)\r\n"},
      {81, 81, "451 qq internal bug (#4.3.0)\r\n"},
      {82, 90, "451 qq temporary problem (#4.3.0)\r\n"},
      {91, 91, "451 qq internal bug (#4.3.0)\r\n"},
      {92, 114, "451 qq temporary problem (#4.3.0)\r\n"},
      {115, 115, "554 envelope address too long for qq (#5.1.3)\r\n"},
      {116, 119, "451 qq temporary problem (#4.3.0)\r\n"},
      {120, 120, "451 unable to exec qq (#4.3.0)\r\n"},
      {121, 255, "451 qq temporary problem (#4.3.0)\r\n"},
  };
  int next = 1;
  for (const Row& row : rows) {
    EXPECT_EQ(row.first, next);
    for (int status = row.first; status <= row.last; ++status) {
      EXPECT_EQ(reply::for_queue_exit(status), row.reply) << status;
    }
    next = row.last + 1;
  }
  EXPECT_EQ(next, 256);

  for (const int status : {31, 53, 120}) {
    auto queue = QueueClient::start(program(reads_all + "exit " + std::to_string(status)));
    ASSERT_TRUE(queue);
    EXPECT_EQ(queue->finish("", {"x"}).error(), reply::for_queue_exit(status));
  }
  auto queue = QueueClient::start(program(reads_all + "kill -9 $$"));
  ASSERT_TRUE(queue);
  EXPECT_EQ(queue->finish("", {"x"}).error(), reply::queue_crashed);
}

TEST_F(Queue, AQueueThatStopsReadingIsNotBelieved) {
  const std::string megabyte(1 << 20, 'x');
  auto queue = QueueClient::start(program("head -c 1000 >$D/message; exit 0"));
  ASSERT_TRUE(queue);
  queue->write(megabyte);
  queue->write(megabyte);
  EXPECT_EQ(queue->finish("", {"x"}).error(), reply::queue_read_error);
  queue = QueueClient::start(program("head -c 1000 >$D/message; exit 31"));
  ASSERT_TRUE(queue);
  queue->write(megabyte);
  EXPECT_EQ(queue->finish("", {"x"}).error(), reply::for_queue_exit(31));
}

TEST_F(Queue, ASpoiledMessageHasNoEnvelope) {
  auto queue = QueueClient::start(program(reads_all + "exit 0"));
  ASSERT_TRUE(queue);
  queue->write("part");
  queue->spoil();
  queue->write("rest");
  EXPECT_FALSE(queue->finish("s", {"r"}).has_value());
  EXPECT_EQ(dir_.get("envelope"), "");
}

TEST_F(Queue, ADroppedMessageHasNoEnvelope) {
  {
    auto queue = QueueClient::start(program(reads_all + ": >$D/done"));
    ASSERT_TRUE(queue);
    queue->write("part");
  }
  for (int i = 0; i < 500 && !dir_.has("done"); ++i) ::usleep(10000);
  ASSERT_TRUE(dir_.has("done"));
  EXPECT_EQ(dir_.get("envelope"), "");
}

TEST_F(Queue, AProgramThatCannotBeRunShowsAtTheEnd) {
  for (const std::string path : {"/nonexistent/qmail-queue", "", "/", "/etc/passwd"}) {
    auto queue = QueueClient::start({path});
    ASSERT_TRUE(queue) << path;
    queue->write(std::string(100000, 'x'));
    EXPECT_EQ(queue->finish("s", {"r"}).error(), reply::for_queue_exit(120)) << path;
  }
}

TEST_F(Queue, WithoutDescriptorsNothingStarts) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{4, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const bool started = QueueClient::start({"/bin/true"}).has_value();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(started);
}

TEST_F(Queue, EnvironmentNameAndDescriptors) {
  // Of the message's pipe the program must have one end, and once.
  QueueProgram with = program(
      "echo \"$0 $# ${RELAYCLIENT-unset} $HOME\" >$D/env\n"
      "for fd in /proc/$$/fd/*; do readlink $fd; done | grep -cF \"$(readlink /proc/$$/fd/0)\" "
      ">$D/ends\n" +
      reads_all);
  with.variables = {"RELAYCLIENT="};
  auto queue = QueueClient::start(with);
  ASSERT_TRUE(queue);
  ASSERT_TRUE(queue->finish("", {"x"}).has_value());
  EXPECT_EQ(dir_.get("env"), with.path + " 0  " + std::getenv("HOME") + "\n");
  EXPECT_EQ(dir_.get("ends"), "1\n");
  with.variables.clear();
  queue = QueueClient::start(with);
  ASSERT_TRUE(queue);
  ASSERT_TRUE(queue->finish("", {"x"}).has_value());
  EXPECT_EQ(dir_.get("env"), with.path + " 0 unset " + std::getenv("HOME") + "\n");
}

}  // namespace
}  // namespace qmail::smtpd
