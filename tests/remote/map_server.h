// A socketmap server for tests of who asks one.
#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include "qmail-remote/socketmap.h"
#include "qmail/unique_fd.h"
#include "scratch.h"

namespace qmail::test {

// Takes one connection on a socket in a folder of its own, and does with it what it is told.
class MapServer {
 public:
  using Work = std::function<void(int)>;
  explicit MapServer(Work work) : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strcpy(at.sun_path, path().c_str());
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    thread_ = std::thread([this, work = std::move(work)] {
      const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::array<char, 256> question{};
      const ssize_t got = ::read(client.get(), question.data(), question.size());
      if (got > 0) question_.assign(question.data(), static_cast<std::size_t>(got));
      work(client.get());
    });
  }
  ~MapServer() { thread_.join(); }
  MapServer(const MapServer&) = delete;
  MapServer& operator=(const MapServer&) = delete;

  std::string path() const { return folder_.path("map"); }
  remote::SocketMap map() const { return {remote::SocketMap::Unix{path()}, "postfix"}; }
  // After the question has been answered.
  const std::string& question() const { return question_; }

 private:
  ScratchFolder folder_;
  UniqueFd listener_;
  std::string question_;
  std::thread thread_;
};

inline void say(int fd, std::string_view text) {
  static_cast<void>(::send(fd, text.data(), text.size(), MSG_NOSIGNAL));
}

// Until the client has hung up.
inline void wait_for_end(int fd) {
  char byte = 0;
  while (::read(fd, &byte, 1) > 0) {
  }
}

// "9:OK secure,"
inline std::string netstring(std::string_view text) {
  return std::to_string(text.size()) + ":" + std::string(text) + ",";
}

}  // namespace qmail::test
