// Every order of up to six commands, in the clear, through STARTTLS and inside TLS, against the
// table of the state machine below. What must hold: no RCPT without MAIL, no DATA without an
// accepted recipient, nothing said in the clear counts after STARTTLS, every reply is well formed.
#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "qmail-smtpd/command.h"
#include "qmail-smtpd/session.h"

namespace qmail::test {
namespace {

using smtpd::After;
using smtpd::Envelope;
using smtpd::Outcome;
using smtpd::Session;

enum Step {
  helo,
  ehlo,
  mail,
  mail_barred,
  rcpt,
  rcpt_foreign,
  data,
  rset,
  noop,
  unknown,
  quit,
  starttls,         // and the handshake succeeds
  starttls_failed,  // and TLS is not to be had
  starttls_argument,
  steps
};

constexpr std::array<std::string_view, steps> lines{"HELO client",
                                                    "EHLO client",
                                                    "MAIL FROM:<a@b.test>",
                                                    "MAIL FROM:<bad@b.test>",
                                                    "RCPT TO:<u@here.test>",
                                                    "RCPT TO:<u@there.test>",
                                                    "DATA",
                                                    "RSET",
                                                    "NOOP",
                                                    "XYZZY",
                                                    "QUIT",
                                                    "STARTTLS",
                                                    "STARTTLS",
                                                    "STARTTLS now"};

// All that a session may remember between two commands, as far as this test's commands go.
struct State {
  bool tls = false;
  bool has_sender = false;
  bool barred = false;
  std::size_t recipients = 0;
};

struct Expected {
  int code;
  State next;
  After after = After::next_command;
};

// The table: what a command is answered in a state, and the state that follows.
Expected expected(const State& now, Step step) {
  const State empty{now.tls};
  switch (step) {
    case helo:
    case ehlo:
    case rset:
      return {250, empty};
    case mail:
      return {250, {now.tls, true, false, 0}};
    case mail_barred:
      return {250, {now.tls, true, true, 0}};
    case rcpt:
    case rcpt_foreign:
      if (!now.has_sender) return {503, now};
      if (now.barred || step == rcpt_foreign) return {553, now};
      return {250, {now.tls, true, false, now.recipients + 1}};
    case data:
      if (now.recipients == 0) return {503, now};
      return {354, empty, After::receive_data};
    case noop:
      return {250, now};
    case quit:
      return {221, now, After::hang_up};
    case starttls:
      if (now.tls) return {502, now};
      return {220, {true}, After::start_tls};
    case starttls_failed:
      if (now.tls) return {502, now};
      return {220, now, After::start_tls};  // 454 instead of the 220, and it goes on as it was
    case starttls_argument:
      if (now.tls) return {502, now};
      return {501, now};
    case unknown:
    case steps:
      break;
  }
  return {502, now};
}

// Lines of three digits, '-' or SP, text, CR LF; the last one and only the last one with SP.
bool well_formed(std::string_view reply) {
  const std::string_view code = reply.substr(0, 3);
  while (!reply.empty()) {
    const std::size_t end = reply.find("\r\n");
    if (end == std::string_view::npos || end < 4) return false;
    const std::string_view line = reply.substr(0, end);
    reply.remove_prefix(end + 2);
    if (line.substr(0, 3) != code || line[3] != (reply.empty() ? ' ' : '-')) return false;
    if (line.find_first_of("\r\n") != std::string_view::npos) return false;
  }
  return true;
}

class SessionWorld : public testing::Test {
 protected:
  SessionWorld() {
    config_.greeting = "here.test";
    config_.bad_senders = smtpd::BadSenders({"bad@b.test"});
    config_.recipient_hosts = smtpd::RecipientHosts({"here.test"});
  }

  Session session() const { return Session(config_, peer_, switches_, lookups_, own_); }

  void walk(const Session& session, const State& state, std::size_t left, std::string& said) {
    for (int number = 0; number < steps; ++number) {
      const auto step = static_cast<Step>(number);
      Session next = session;
      const Outcome outcome = next.handle(smtpd::parse_command({lines[step]}));
      const Expected want = expected(state, step);
      ++count_;
      const std::size_t length = said.size();
      said.append(lines[step]).append(" / ");
      bool good = outcome.after == want.after && well_formed(outcome.reply) &&
                  outcome.reply.compare(0, 3, std::to_string(want.code)) == 0;
      // Nothing but EHLO in the clear offers STARTTLS, and that always does here.
      good = good &&
             (outcome.reply.find("STARTTLS") != std::string::npos) == (step == ehlo && !state.tls);
      if (outcome.after == After::receive_data) {
        const Envelope envelope = next.take_envelope();
        good = good && envelope.sender == "a@b.test" && !envelope.sender_barred &&
               envelope.recipients == std::vector<std::string>(state.recipients, "u@here.test");
      }
      if (outcome.after == After::start_tls && step == starttls) {
        next.tls_started({"TLSv1.3", "TLS_AES_256_GCM_SHA384"}, {});
      }
      good = good && next.inside_tls() == want.next.tls && !smtpd::may_relay(next.right());
      if (!good && ++wrong_ <= 10) {
        ADD_FAILURE() << said << ": " << outcome.reply << "; wanted " << want.code;
      }
      if (left > 1 && outcome.after != After::hang_up) walk(next, want.next, left - 1, said);
      said.resize(length);
    }
  }

  smtpd::SmtpdConfig config_;
  smtpd::Peer peer_;
  smtpd::Switches switches_;
  smtpd::Lookups lookups_{
      .tls_to_be_had = [] { return true; },
      .takes_mail_for = [this](std::string_view to) { return config_.recipient_hosts.accept(to); },
      .most_recipients = [] { return 0U; },
      .most_refusals = [] { return 0U; },
      .judge = [](const tls::ClientCertificate&) { return smtpd::CertificateDecision{}; }};
  OwnAddresses own_{{}};
  std::size_t count_ = 0;
  std::size_t wrong_ = 0;
};

// Commands walked: 14 in the first place, 13 of which go on, and so on.
constexpr std::size_t walked =
    14 * (1 + 13 + 13 * 13 + 13 * 13 * 13 + 13 * 13 * 13 * 13 + 13 * 13 * 13 * 13 * 13);

TEST_F(SessionWorld, EveryOrderOfSixCommandsFromTheClear) {
  Session start = session();
  std::string said;
  walk(start, {}, 6, said);
  EXPECT_EQ(count_, walked);
  EXPECT_EQ(wrong_, 0U);
}

TEST_F(SessionWorld, EveryOrderOfSixCommandsInsideTls) {
  Session start = session();
  start.tls_started({"TLSv1.3", "TLS_AES_256_GCM_SHA384"}, {});
  std::string said;
  walk(start, {true}, 6, said);
  EXPECT_EQ(count_, walked);
  EXPECT_EQ(wrong_, 0U);
}

}  // namespace
}  // namespace qmail::test
