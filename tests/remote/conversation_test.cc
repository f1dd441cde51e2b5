// The second call of a conversation: after a handshake that failed and need not have succeeded.
#include "qmail-remote/conversation.h"

#include <array>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "scratch.h"

namespace qmail::remote {
namespace {

const IpAddress here = *parse_ip("127.0.0.1");

// A server that is called as often as it has answers: each is said at once, line for line, and the
// connection ends when they are out.
class Answering {
 public:
  using Lines = std::vector<std::string>;
  explicit Answering(std::vector<Lines> calls) : calls_(std::move(calls)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), any, length), 0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener_.get(), any, &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Answering() {
    if (thread_.joinable()) thread_.join();
  }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  std::uint16_t port() const { return port_; }
  // What was heard in each call.
  const std::vector<std::string>& heard() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // no call is waited for any more
    thread_.join();
    return heard_;
  }

 private:
  void serve() {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const UniqueFd call(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!call) return;
      if (i + 1 == calls_.size()) listener_.reset();  // who calls again is refused
      std::string heard;
      for (const std::string& line : calls_[i]) {
        ::send(call.get(), line.data(), line.size(), MSG_NOSIGNAL);
        heard += hear(call.get());
      }
      heard_.push_back(heard);
    }
  }
  static std::string hear(int fd) {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
  }

  std::vector<Lines> calls_;
  std::vector<std::string> heard_;
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

const Answering::Lines breaks_tls{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n",
                                  "no TLS here\r\n"};
const Answering::Lines takes_mail{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n",
                                  "250 ok\r\n", "250 ok\r\n",
                                  "354 go\r\n", "250 taken\r\n"};

class ConversationTest : public testing::Test {
 protected:
  Ending converse_with(Answering& answering, const TlsPolicy& policy) {
    folder_.write("message", "hi\n");
    const UniqueFd fd(::open(folder_.path("message").c_str(), O_RDONLY | O_CLOEXEC));
    const Mail mail{"alice@client.test", {{"bob@x.test"}}, fd.get()};
    Manner manner{"client.test", std::chrono::seconds(5), ControlDir(folder_.path())};
    manner.with_tls_words = true;
    const Dialing dialing{std::chrono::seconds(5)};
    auto socket = dial(here, answering.port(), dialing);
    if (!socket) throw std::runtime_error("nobody answers");
    return converse(*std::move(socket), {here, answering.port(), "mx.test"}, policy, dialing,
                    manner, mail, reports_);
  }

  test::ScratchFolder folder_;
  Reports reports_;
};

TlsPolicy may() {
  TlsPolicy policy;
  policy.falls_back = true;
  return policy;
}

TEST_F(ConversationTest, AFailedHandshakeNeedNotBeTheEnd) {
  Answering answering({breaks_tls, takes_mail});
  const Ending ending = converse_with(answering, may());
  EXPECT_EQ(ending.report.text,
            "127.0.0.1 accepted message.\nTLS: none after a failed handshake.\n"
            "Remote host said: 250 taken\n");
  EXPECT_EQ(ending.then, Then::give_up);
  const auto& heard = answering.heard();
  ASSERT_EQ(heard.size(), 2U);
  EXPECT_EQ(heard[0].find("MAIL"), std::string::npos);
  EXPECT_EQ(heard[1].find("STARTTLS"), std::string::npos);
}

TEST_F(ConversationTest, WhatTheSecondCallComesTo) {
  const struct {
    std::vector<Answering::Lines> calls;
    const char* report;  // its beginning
    Then then;
  } cases[] = {
      {{breaks_tls}, "TLS connect failed: error:", Then::try_next},  // nobody there any more
      {{breaks_tls, {"421 busy\r\n"}},
       "Connected to 127.0.0.1 but greeting failed.\nRemote host said: 421 busy\n",
       Then::try_next},
      {{breaks_tls, {}}, "Connected to 127.0.0.1 but connection died. ", Then::try_next},
      {{breaks_tls, {"220 mx\r\n", "250 mx\r\n", "550 no\r\n"}},
       "Connected to 127.0.0.1 but sender was rejected.\n",
       Then::give_up},
  };
  for (const auto& one : cases) {
    Answering answering(one.calls);
    const Ending ending = converse_with(answering, may());
    EXPECT_TRUE(ending.report.text.starts_with(one.report)) << ending.report.text;
    EXPECT_EQ(ending.then, one.then) << one.report;
    EXPECT_EQ(answering.heard().size(), one.calls.size());
  }
}

// Whoever demands TLS, or says nothing of it, does not go on without.
TEST_F(ConversationTest, NobodyElseIsCalledTwice) {
  TlsPolicy encrypt;
  encrypt.demand("the test says so");
  for (const TlsPolicy& policy : {TlsPolicy(), encrypt}) {
    Answering answering({breaks_tls, takes_mail});
    const Ending ending = converse_with(answering, policy);
    EXPECT_TRUE(ending.report.text.starts_with("TLS connect failed: ")) << ending.report.text;
    EXPECT_EQ(ending.then, Then::try_next);
    EXPECT_EQ(answering.heard().size(), 1U);
  }
}

TEST_F(ConversationTest, WhoSpeaksBeforeTheHandshakeIsNotTrustedWithClearText) {
  Answering answering(
      {{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n250 mx\r\n"}, takes_mail});
  const Ending ending = converse_with(answering, may());
  EXPECT_TRUE(ending.report.text.starts_with(
      "TLS connect failed: plaintext behind the reply to STARTTLS; connected to "))
      << ending.report.text;
  EXPECT_EQ(ending.then, Then::try_next);
  EXPECT_EQ(answering.heard().size(), 1U);
}

}  // namespace
}  // namespace qmail::remote
