#include "qmail-smtpd/log.h"

#include <array>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace qmail::smtpd
