// A socket that listens on a free port of 127.0.0.1.
#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "qmail/unique_fd.h"

namespace qmail::test {

struct Listener {
  explicit Listener(int backlog) : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket.get(), any, length), 0);
    EXPECT_EQ(::listen(socket.get(), backlog), 0);
    EXPECT_EQ(::getsockname(socket.get(), any, &length), 0);
    port = ntohs(address.sin_port);
  }

  UniqueFd socket;
  std::uint16_t port = 0;
};

}  // namespace qmail::test
