// Delivery inside TLS, over TCP, against a server made of bare OpenSSL that ends the conversation
// as it likes: what it said last, and an alert, must not be lost.
#include <array>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "qmail-remote/delivery.h"
#include "qmail/unique_fd.h"
#include "scratch.h"
#include "test_pki.h"
#include "test_session.h"

namespace qmail::remote {
namespace {

using tls::test::BarePeer;

struct Link {
  UniqueFd client;
  UniqueFd server;
};

Link connect_by_tcp() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  Link link{UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), UniqueFd()};
  if (::bind(listener.get(), any, length) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), any, &length) != 0 ||
      ::connect(link.client.get(), any, length) != 0) {
    throw std::runtime_error("no TCP on loopback");
  }
  link.server.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return link;
}

void say(int fd, std::string_view text) { ::send(fd, text.data(), text.size(), MSG_NOSIGNAL); }
void hear(int fd) {
  std::array<char, 4096> bytes{};
  static_cast<void>(::recv(fd, bytes.data(), bytes.size(), 0));
}

enum class End { close, reset };

void hang_up(UniqueFd& fd, End how) {
  const linger now{1, 0};
  if (how == End::reset) ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd.reset();
}

class DeliveryTlsTest : public testing::Test {
 protected:
  DeliveryTlsTest() {
    const auto issuer = tls::test::authority("somebody");
    folder_.write("server.pem", tls::test::server_certificate("mx.test", issuer).both());
  }

  // The report, after a conversation in which `peer` plays the server from STARTTLS on.
  std::string deliver(int version, const std::string& message,
                      const std::function<void(BarePeer&, UniqueFd&)>& peer) {
    folder_.write("message", message);
    Link link = connect_by_tcp();
    std::thread server([&] {
      BarePeer bare(TLS_server_method());
      bare.limit(version, version);
      bare.show(folder_.path("server.pem"));
      say(link.server.get(), "220 mx\r\n");
      hear(link.server.get());
      say(link.server.get(), "250-mx\r\n250 STARTTLS\r\n");
      hear(link.server.get());
      say(link.server.get(), "220 go\r\n");
      bare.open(link.server.get());
      peer(bare, link.server);
    });
    const UniqueFd fd(::open(folder_.path("message").c_str(), O_RDONLY | O_CLOEXEC));
    const Mail mail{"alice@client.test", {{"bob@x.test"}}, fd.get()};
    const remote::Server there{*parse_ip("192.0.2.1"), 25, "mx.test"};
    const Manner manner{"client.test", std::chrono::seconds(5), ControlDir(folder_.path())};
    Reports reports;
    const Ending ending = Delivery(link.client.get(), there, {}, manner, mail, reports).run();
    link.client.reset();
    server.join();
    return static_cast<char>(ending.report.status) + ending.report.text;
  }

  // EHLO to DATA, inside TLS.
  static void converse_to_data(BarePeer& bare) {
    for (const char* reply : {"250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"}) {
      bare.receive();
      bare.send(reply);
    }
  }

  test::ScratchFolder folder_;
};

TEST_F(DeliveryTlsTest, LastWordsInTheMessage) {
  const std::string big = std::string(30'000'000, 'x') + "\n";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const End how : {End::close, End::reset}) {
      const std::string report = deliver(version, big, [&](BarePeer& bare, UniqueFd& fd) {
        bare.handshake();
        converse_to_data(bare);
        bare.receive();
        bare.send("552 too large\r\n");
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        hang_up(fd, how);
      });
      EXPECT_EQ(report,
                "D192.0.2.1 failed after I sent the message.\nRemote host said: 552 too large\n");
    }
  }
}

// It refuses and reads on: the message is not sent to its end.
TEST_F(DeliveryTlsTest, RefusalInTheMiddle) {
  const std::string big = std::string(30'000'000, 'x') + "\n";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    std::size_t heard = 0;
    const std::string report = deliver(version, big, [&](BarePeer& bare, UniqueFd&) {
      bare.handshake();
      converse_to_data(bare);
      bare.receive();
      bare.send("452 full\r\n");
      for (std::string text = "x"; !text.empty(); heard += text.size()) text = bare.receive();
    });
    EXPECT_EQ(report, "Z192.0.2.1 failed after I sent the message.\nRemote host said: 452 full\n");
    EXPECT_LT(heard, big.size() / 2);
  }
}

TEST_F(DeliveryTlsTest, AVerdictFromBeforeTheDot) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const char* first : {"354 go\r\n250 ok\r\n", "354 go\r\n250 o"}) {
      const std::string report = deliver(version, "hi\n", [&](BarePeer& bare, UniqueFd&) {
        bare.handshake();
        for (const char* reply : {"250 mx\r\n", "250 ok\r\n", "250 ok\r\n", first}) {
          bare.receive();
          bare.send(reply);
        }
        bare.receive();
        bare.send(std::string(std::strlen(first) < 15 ? "k\r\n" : "") + "554 virus\r\n");
        bare.receive();
      });
      EXPECT_EQ(report,
                "D192.0.2.1 failed after I sent the message.\nRemote host said: 554 virus\n");
    }
  }
}

// The alert of a server that does not like clientcert.pem comes behind a TLS 1.3 handshake that
// has succeeded on our side, and a reset behind it.
TEST_F(DeliveryTlsTest, AnAlertIsNamedRatherThanTheReset) {
  folder_.write("clientcert.pem",
                tls::test::client_certificate("a@b.test", tls::test::authority("stranger")).both());
  for (int i = 0; i < 40; ++i) {
    const std::string report = deliver(TLS1_3_VERSION, "hi\n", [&](BarePeer& bare, UniqueFd& fd) {
      SSL_set_verify(bare.ssl(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      EXPECT_FALSE(bare.handshake());
      hang_up(fd, End::close);
    });
    EXPECT_TRUE(report.starts_with("ZConnected to 192.0.2.1 but connection died. error:"))
        << report;
    EXPECT_TRUE(report.ends_with("alert unknown ca (#4.4.2)\n")) << report;
  }
}

// In the message, too.
TEST_F(DeliveryTlsTest, AnAlertInTheMessage) {
  const std::string big = std::string(30'000'000, 'x') + "\n";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::string report = deliver(version, big, [&](BarePeer& bare, UniqueFd& fd) {
      bare.handshake();
      converse_to_data(bare);
      bare.receive();
      // What is on its way to it is spoilt: it says so by an alert and hangs up.
      std::array<char, 100> lost{};
      static_cast<void>(::recv(fd.get(), lost.data(), lost.size(), 0));
      bare.receive();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      hang_up(fd, End::reset);
    });
    EXPECT_TRUE(report.starts_with("ZConnected to 192.0.2.1 but connection died. error:"))
        << report;
    EXPECT_NE(report.find(" alert "), std::string::npos) << report;
    EXPECT_EQ(report.find("Possible duplicate"), std::string::npos) << report;
  }
}

}  // namespace
}  // namespace qmail::remote
