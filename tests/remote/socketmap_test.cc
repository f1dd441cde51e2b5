// Questions to a socketmap server: what the file may say, what the server may, and how it can fail.
#include "qmail-remote/socketmap.h"

#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "map_server.h"
#include "qmail/unique_fd.h"
#include "scratch.h"

namespace qmail::remote {
namespace {

using std::chrono::seconds;

std::string shown(const std::optional<SocketMap>& map) {
  if (!map) return "none";
  if (const auto* at = std::get_if<SocketMap::Unix>(&map->server)) return at->path + " " + map->map;
  const auto& tcp = std::get<SocketMap::Tcp>(map->server);
  return tcp.address.text() + " " + std::to_string(tcp.port) + " " + map->map;
}

TEST(SocketMapLine, ByTable) {
  const std::pair<const char*, const char*> cases[] = {
      {"inet:127.0.0.1:8461:postfix", "127.0.0.1 8461 postfix"},
      {"socketmap:inet:127.0.0.1:8461:postfix", "127.0.0.1 8461 postfix"},
      {"inet:[::1]:8461:postfix", "::1 8461 postfix"},
      {"unix:/run/sts.sock:postfix", "/run/sts.sock postfix"},
      {"socketmap:unix:/a:b/c:QUERY", "/a:b/c QUERY"},
      {"", "none"},
      {"inet:127.0.0.1:8461", "none"},
      {"inet:127.0.0.1:8461:", "none"},
      {"inet:127.0.0.1::postfix", "none"},
      {"inet:127.0.0.1:0:postfix", "none"},
      {"inet:127.0.0.1:65536:postfix", "none"},
      {"inet:127.0.0.1:84610000:postfix", "none"},
      {"inet:127.0.0.1:84x:postfix", "none"},
      {"inet:localhost:8461:postfix", "none"},  // nothing is asked before we know the policy
      {"inet:::1:8461:postfix", "none"},
      {"inet:[127.0.0.1:8461:postfix", "none"},
      {"inet::8461:postfix", "none"},
      {"unix:run/sts.sock:postfix", "none"},
      {"unix:/run/sts.sock:", "none"},
      {"unix:/run/sts.sock", "none"},
      {"unix::postfix", "none"},
      {"tcp:127.0.0.1:8461:postfix", "none"},
      {"socketmap:127.0.0.1:8461:postfix", "none"},
      {"inet:127.0.0.1:8461:post fix", "none"},
      {" inet:127.0.0.1:8461:postfix", "none"},
      {"socketmap:socketmap:inet:127.0.0.1:8461:postfix", "none"},
  };
  for (const auto& [text, wanted] : cases) EXPECT_EQ(shown(parse_socket_map(text)), wanted) << text;
}

std::string read_netstring(std::string_view bytes, std::size_t at_once) {
  NetstringReader reader;
  auto state = NetstringReader::State::incomplete;
  for (std::size_t i = 0; i < bytes.size(); i += at_once) {
    state = reader.add(bytes.substr(i, at_once));
    if (state != NetstringReader::State::incomplete) break;
  }
  switch (state) {
    case NetstringReader::State::incomplete:
      return "incomplete";
    case NetstringReader::State::malformed:
      return "malformed";
    case NetstringReader::State::whole:
      break;
  }
  return "<" + reader.text() + ">";
}

TEST(Netstring, ByTable) {
  const std::string longest(100000, 'x');
  const std::pair<std::string, std::string> cases[] = {
      {"5:hello,", "<hello>"},
      {"0:,", "<>"},
      {"12:hello,world!,", "<hello,world!>"},
      {"5:hello,more", "<hello>"},
      {"100000:" + longest + ",", "<" + longest + ">"},
      {"100001:", "malformed"},
      {"99999999999999999999999999:", "malformed"},
      {"5:hello", "incomplete"},
      {"5:hell", "incomplete"},
      {"5:", "incomplete"},
      {"5", "incomplete"},
      {"", "incomplete"},
      {"5:hellox", "malformed"},
      {":hello,", "malformed"},
      {"-1:,", "malformed"},
      {"05:hello,", "malformed"},
      {"00:,", "malformed"},
      {" 5:hello,", "malformed"},
      {"OK secure\n", "malformed"},
      {"5 :hello,", "malformed"},
  };
  for (const auto& [bytes, wanted] : cases) {
    for (const std::size_t at_once : {bytes.size() + 1, std::size_t{1}, std::size_t{7}}) {
      EXPECT_EQ(read_netstring(bytes, at_once), wanted) << bytes.substr(0, 30) << " " << at_once;
    }
  }
}

std::string shown(const MapAnswer& answer) {
  if (!answer) return "error: " + answer.error();
  return *answer ? "<" + **answer + ">" : "not found";
}

TEST(MapReply, ByTable) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"OK secure match=a:.b", "<secure match=a:.b>"},
      {"OK ", "<>"},
      {"NOTFOUND ", "not found"},
      {"NOTFOUND no such thing", "not found"},
      {"TEMP later", "error: TEMP later"},
      {"TIMEOUT ", "error: TIMEOUT "},
      {"PERM no", "error: PERM no"},
      {"OK", "error: malformed reply"},
      {std::string_view("OK may\0", 7), "error: malformed reply"},
      {"NOTFOUND", "error: malformed reply"},
      {"", "error: malformed reply"},
      {" OK secure", "error: malformed reply"},
      {"ok secure", "error: malformed reply"},
      {"OKAY secure", "error: malformed reply"},
      {"NOTFOUNDX ", "error: malformed reply"},
  };
  for (const auto& [reply, wanted] : cases)
    EXPECT_EQ(shown(parse_map_reply(reply)), wanted) << reply;
  EXPECT_EQ(parse_map_reply("TEMP " + std::string(99999, 'x')).error().size(), 500U);
}

using test::MapServer;
using test::say;
using test::wait_for_end;

TEST(SocketMapTest, AsksAndIsAnswered) {
  MapServer server([](int fd) {
    for (const std::string_view part : {"1", "9:OK ", "secure match=", "a.b", ","}) {
      say(fd, part);
      ::usleep(2000);
    }
    wait_for_end(fd);
  });
  EXPECT_EQ(shown(look_up(server.map(), "example.org", seconds(10))), "<secure match=a.b>");
  EXPECT_EQ(server.question(), "19:postfix example.org,");
}

TEST(SocketMapTest, WhatIsNoAnswerIsAnError) {
  const std::pair<MapServer::Work, const char*> cases[] = {
      {[](int) {}, "error: malformed reply"},
      {[](int fd) { say(fd, "9:OK secu"); }, "error: malformed reply"},
      {[](int fd) { say(fd, "HTTP/1.0 400 Bad Request\r\n\r\n"); }, "error: malformed reply"},
      {[](int fd) { say(fd, "9:TEMP busy,"); }, "error: TEMP busy"},
      {[](int fd) { say(fd, "9:NOTFOUND ,"); }, "not found"},
      {wait_for_end, "error: timed out"},
      {[](int fd) { say(fd, "9:OK sec"), wait_for_end(fd); }, "error: timed out"},
  };
  for (const auto& [work, wanted] : cases) {
    MapServer server(work);
    EXPECT_EQ(shown(look_up(server.map(), "x.test", seconds(1))), wanted);
  }
}

// A byte now and then does not keep a delivery for longer than all of it may take.
TEST(SocketMapTest, OneDeadlineForAll) {
  MapServer server([](int fd) {
    say(fd, "90:");
    for (int i = 0; i < 90 && ::send(fd, "x", 1, MSG_NOSIGNAL) == 1; ++i) ::usleep(100000);
  });
  EXPECT_EQ(shown(look_up(server.map(), "x.test", seconds(1))), "error: timed out");
}

TEST(SocketMapTest, NobodyThere) {
  const test::ScratchFolder folder;
  const SocketMap none{SocketMap::Unix{folder.path("none")}, "m"};
  EXPECT_EQ(shown(look_up(none, "x", seconds(1))), "error: No such file or directory");
  const SocketMap refused{SocketMap::Tcp{*parse_ip("127.0.0.1"), 1}, "m"};
  EXPECT_EQ(shown(look_up(refused, "x", seconds(1))), "error: Connection refused");
  const SocketMap too_long{SocketMap::Unix{"/" + std::string(200, 'x')}, "m"};
  EXPECT_EQ(shown(look_up(too_long, "x", seconds(1))), "error: File name too long");
}

// A server that accepts nobody, its queue full: the kernel's wait has our deadline, too.
TEST(SocketMapTest, AQueueThatIsFull) {
  const test::ScratchFolder folder;
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strcpy(at.sun_path, folder.path("map").c_str());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(waiting.back().get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  const SocketMap map{SocketMap::Unix{folder.path("map")}, "m"};
  EXPECT_EQ(shown(look_up(map, "x", seconds(1))), "error: timed out");
}

}  // namespace
}  // namespace qmail::remote
