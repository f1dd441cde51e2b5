// The second call of a conversation: after a handshake that failed and need not have succeeded.
#include "qmail-remote/conversation.h"

#include <array>
#include <fcntl.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "listener.h"
#include "scratch.h"

namespace qmail::remote {
namespace {

const IpAddress here = *parse_ip("127.0.0.1");

// In place of an answer: nothing is said until the client hangs up; the connection is reset.
const std::string silence = "silence";
const std::string reset = "reset";

// A server that is called as often as it has answers: each is said at once, line for line, and the
// connection ends when they are out.
class Answering {
 public:
  using Lines = std::vector<std::string>;
  explicit Answering(std::vector<Lines> calls) : calls_(std::move(calls)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~Answering() {
    if (thread_.joinable()) thread_.join();
  }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  std::uint16_t port() const { return listener_.port; }
  // What was heard in each call.
  const std::vector<std::string>& heard() {
    ::shutdown(listener_.socket.get(), SHUT_RDWR);  // no call is waited for any more
    thread_.join();
    return heard_;
  }

 private:
  void serve() {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const UniqueFd call(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!call) return;
      if (i + 1 == calls_.size()) listener_.socket.reset();  // who calls again is refused
      heard_.push_back(answer(call.get(), calls_[i]));
    }
  }
  static std::string answer(int fd, const Lines& lines) {
    std::string heard;
    for (const std::string& line : lines) {
      if (line == reset) {
        const linger now{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        break;
      }
      if (line != silence) ::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
      std::string more = hear(fd);
      heard += more;
      while (line == silence && !more.empty()) heard += more = hear(fd);
    }
    return heard;
  }
  static std::string hear(int fd) {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
  }

  std::vector<Lines> calls_;
  std::vector<std::string> heard_;
  test::Listener listener_{1};
  std::thread thread_;
};

Answering::Lines with_handshake(const Answering::Lines& answers) {
  Answering::Lines lines{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"};
  lines.insert(lines.end(), answers.begin(), answers.end());
  return lines;
}
const Answering::Lines breaks_tls = with_handshake({"no TLS here\r\n"});
// Every way a handshake can fail: nonsense, an alert, and hanging up, a reset, silence.
const Answering::Lines broken_handshakes[] = {
    breaks_tls,
    with_handshake({std::string("\x15\x03\x03\x00\x02\x02\x46", 7)}),
    with_handshake({}),
    with_handshake({reset}),
    with_handshake({silence}),
};
const Answering::Lines takes_mail{"220 mx\r\n", "250-mx\r\n250 STARTTLS\r\n",
                                  "250 ok\r\n", "250 ok\r\n",
                                  "354 go\r\n", "250 taken\r\n"};

class ConversationTest : public testing::Test {
 protected:
  Ending converse_with(Answering& answering, const TlsPolicy& policy) {
    folder_.write("message", "hi\n");
    const UniqueFd fd(::open(folder_.path("message").c_str(), O_RDONLY | O_CLOEXEC));
    const Mail mail{"alice@client.test", {{"bob@x.test"}}, fd.get()};
    Manner manner{"client.test", timeout_, ControlDir(folder_.path())};
    manner.with_tls_words = true;
    const Dialing dialing{std::chrono::seconds(5)};
    auto socket = dial(here, answering.port(), dialing);
    if (!socket) throw std::runtime_error("nobody answers");
    return converse(*std::move(socket), {here, answering.port(), "mx.test"}, policy, dialing,
                    manner, mail, reports_);
  }

  test::ScratchFolder folder_;
  Reports reports_;
  std::chrono::seconds timeout_{5};
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

// However the second call goes wrong: the mail waits, or the server has the last word on it.
TEST_F(ConversationTest, WhatTheSecondCallComesTo) {
  const std::string died = "Connected to 127.0.0.1 but connection died. ";
  const std::string greeting = "Connected to 127.0.0.1 but greeting failed.\nRemote host said: ";
  const std::string name = "Connected to 127.0.0.1 but my name was rejected.\nRemote host said: ";
  const std::string taken = "127.0.0.1 accepted message.\nTLS: none after a failed handshake.\n";
  const std::string ok = "250 ok\r\n";
  const std::string hello = "250 mx\r\n";
  const std::string hi = "220 mx\r\n";
  const auto next = Then::try_next;
  const auto end = Then::give_up;
  const struct {
    std::vector<Answering::Lines> calls;  // behind the first
    std::string report;                   // its beginning
    Then then;
  } cases[] = {
      {{}, "ZTLS connect failed: error:", next},  // nobody there any more
      {{{reset}}, "Z", next},  // before or after it counts as connected: the system's choice
      {{{}}, "Z" + died, next},
      {{{silence}}, "Z" + died, next},
      {{{"421 busy\r\n"}}, "Z" + greeting + "421 busy\n", next},
      {{{"554 no\r\n"}}, "Z" + greeting + "554 no\n", next},
      {{{"nonsense\r\n"}}, "Z" + greeting + "nonsense\n", next},
      {{{"22"}}, "Z" + died, next},  // and no more
      {{{hi}}, "Z" + died, next},
      {{{hi, reset}}, "Z" + died, next},
      {{{hi, silence}}, "Z" + died, next},
      {{{hi, "250-mx\r\n"}}, "Z" + died, next},
      {{{hi, "421 bye\r\n"}}, "Z" + name + "421 bye\n", next},
      {{{hi, "502 what\r\n", "550 who\r\n"}}, "Z" + name + "550 who\n", next},
      {{{hi, "502 what\r\n", ok, ok, ok, "354 go\r\n", ok}}, "K" + taken, end},
      {{{hi, hello, "451 no\r\n"}}, "ZConnected to 127.0.0.1 but sender was rejected.\n", end},
      {{{hi, hello, "550 no\r\n"}}, "DConnected to 127.0.0.1 but sender was rejected.\n", end},
      {{{hi, hello, ok, "550 no\r\n"}}, "DGiving up on 127.0.0.1.\n", end},
      {{{hi, hello, ok, reset}}, "Z" + died + "(#4.4.2)\n", end},
      {{{hi, hello, ok, silence}}, "Z" + died + "(#4.4.2)\n", end},
      {{{hi, hello, ok, ok, "451 no\r\n"}}, "Z127.0.0.1 failed on DATA command.\n", end},
      {{{hi, hello, ok, ok, "354 go\r\n"}}, "Z" + died + "Possible duplicate! (#4.4.2)\n", end},
      {{{hi, hello, ok, ok, "354 go\r\n", "554 no\r\n"}},
       "D127.0.0.1 failed after I sent the message.\n",
       end},
      // Commands in one flight are not answered: a third call, still without a word of TLS.
      {{{hi, "250-mx\r\n250-STARTTLS\r\n250 PIPELINING\r\n", ok}, takes_mail}, "K" + taken, end},
      {{{hi, "250-mx\r\n250 PIPELINING\r\n", ok}}, "Z" + died, end},
  };
  timeout_ = std::chrono::seconds(1);
  for (const auto& one : cases) {
    std::vector<Answering::Lines> calls{breaks_tls};
    calls.insert(calls.end(), one.calls.begin(), one.calls.end());
    Answering answering(calls);
    const Ending ending = converse_with(answering, may());
    const std::string report = static_cast<char>(ending.report.status) + ending.report.text;
    EXPECT_TRUE(report.starts_with(one.report)) << report << "in place of\n" << one.report;
    EXPECT_EQ(ending.then, one.then) << one.report;
    const auto& heard = answering.heard();
    ASSERT_EQ(heard.size(), calls.size()) << one.report;
    for (std::size_t i = 1; i < heard.size(); ++i) {
      EXPECT_EQ(heard[i].find("STARTTLS"), std::string::npos) << one.report;
    }
  }
}

TEST_F(ConversationTest, HoweverTheHandshakeFails) {
  timeout_ = std::chrono::seconds(1);
  for (const auto& broken : broken_handshakes) {
    Answering answering({broken, takes_mail});
    const Ending ending = converse_with(answering, may());
    EXPECT_EQ(ending.report.status, MessageStatus::accepted) << ending.report.text;
    EXPECT_EQ(ending.then, Then::give_up);
    EXPECT_EQ(answering.heard().size(), 2U);
  }
}

// Whoever demands TLS, or says nothing of it, does not go on without, however the handshake fails.
TEST_F(ConversationTest, NobodyElseIsCalledTwice) {
  timeout_ = std::chrono::seconds(1);
  TlsPolicy encrypt;
  encrypt.demand("the test says so");
  TlsPolicy pinned = encrypt;
  pinned.level = TlsPolicy::Level::verify;
  pinned.verification = tls::Fingerprints{{std::string(64, 'a')}};
  TlsPolicy with_password = may();
  with_password.demand("there is a password");
  for (const auto& broken : broken_handshakes) {
    for (const TlsPolicy& policy : {TlsPolicy(), encrypt, pinned, with_password}) {
      Answering answering({broken, takes_mail});
      const Ending ending = converse_with(answering, policy);
      EXPECT_EQ(ending.report.status, MessageStatus::temporary);
      EXPECT_TRUE(ending.report.text.starts_with("TLS connect failed")) << ending.report.text;
      EXPECT_EQ(ending.then, Then::try_next);
      const auto& heard = answering.heard();
      ASSERT_EQ(heard.size(), 1U);
      EXPECT_EQ(heard[0].find("MAIL"), std::string::npos);
    }
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
