#include "qmail-smtpd/log.h"

#include <algorithm>
#include <array>
#include <climits>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "qmail-smtpd/record.h"
#include "qmail/unique_fd.h"

namespace qmail::smtpd {
namespace {

TEST(Log, OneLineOneWrite) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()), 0);  // a read is one write
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const Log log(writer.get(), "192.0.2.7\n_");
  log.line("TLS failed: a\r\nb\x7f; \xc3\xa9");
  writer.reset();
  std::array<char, 500> buffer{};
  const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
  ASSERT_GT(got, 0);
  EXPECT_EQ(std::string(buffer.data(), static_cast<std::size_t>(got)),
            "qmail-smtpd: " + std::to_string(::getpid()) +
                " from 192.0.2.7??: TLS failed: a??b?; \xc3\xa9\n");
}

TEST(Log, NobodyListening) {
  const Log log(-1, "192.0.2.7");
  log.line("lost");  // returns
}

TEST(Log, NobodyReading) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const std::string block(PIPE_BUF, 'x');
  while (::write(writer.get(), block.data(), block.size()) > 0) {
  }
  ASSERT_EQ(::fcntl(writer.get(), F_SETFL, 0), 0);  // from now on a write waits
  Log(writer.get(), "192.0.2.7").line("lost");      // returns
}

TEST(Log, ALineIsNotLongerThanWhatAPipeKeepsTogether) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  Log(writer.get(), "192.0.2.7").line(std::string(3 * PIPE_BUF, 'x'));
  writer.reset();
  std::string got(3 * PIPE_BUF, '\0');
  got.resize(
      static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], got.data(), got.size()))));
  EXPECT_EQ(got.size(), PIPE_BUF);
  EXPECT_TRUE(got.ends_with("x\n"));
}

TEST(SessionLine, OneWordAValueAndNoneTooLong) {
  Record record;
  EXPECT_EQ(session_line(record),
            "session: seconds=0 helo=- tls=- auth=- messages=0 recipients=0 refused=0 bytes=0 "
            "end=refused");
  record.helo = "a b=c\n" + std::string(300, 'x');
  record.user = "joe";
  record.tls = "TLSv1.3";
  record.end = Record::End::timed_out;
  EXPECT_EQ(session_line(record), "session: seconds=0 helo=a?b=c?" + std::string(249, 'x') +
                                      " tls=TLSv1.3 auth=joe messages=0 recipients=0 refused=0 "
                                      "bytes=0 end=timeout");
}

}  // namespace
}  // namespace qmail::smtpd
