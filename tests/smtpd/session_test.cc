#include "qmail-smtpd/session.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/replies.h"
#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

using State = tls::ClientCertificate::State;

constexpr std::string_view ok = "250 ok\r\n";
constexpr std::string_view refused =
    "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n";
constexpr std::string_view refused_in_tls =
    "553 sorry, that domain isn't in my list of allowed rcpthosts; no valid cert for gatewaying "
    "(#5.7.1)\r\n";

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    config_.greeting = "mx.example.net";
    config_.localhost = "mx.example.net";
    config_.bad_senders = BadSenders({"@evil.example"});
    config_.recipient_hosts = RecipientHosts({"example.com"});
    peer_.remote_host = "client.example.org";
  }

  std::string say(const std::string& line) { return session_.handle(parse_command({line})).reply; }
  void start_tls(tls::ClientCertificate certificate = {}) {
    session_.tls_started({"TLSv1.3", "TLS_AES_256_GCM_SHA384"}, std::move(certificate));
  }

  SmtpdConfig config_;
  Peer peer_;
  Switches switches_;
  ScratchDir dir_;
  ControlDir control_{dir_.path()};
  OwnAddresses own_{{IpAddress::v4({127, 0, 0, 1})}};
  bool certificate_there_ = false;
  Lookups lookups_{
      .tls_to_be_had = [this] { return certificate_there_; },
      .takes_mail_for = [this](std::string_view to) { return config_.recipient_hosts.accept(to); },
      .most_recipients = [] { return 0U; },
      .most_refusals = [] { return 0U; },
      .judge = [this](const tls::ClientCertificate& c) { return decide_relaying(c, control_); }};
  Session session_{config_, peer_, switches_, lookups_, own_};
};

TEST_F(SessionTest, SimpleVerbs) {
  EXPECT_EQ(session_.banner().reply, "220 mx.example.net ESMTP\r\n");
  EXPECT_EQ(say("HELO x"), "250 mx.example.net\r\n");
  EXPECT_EQ(say("EHLO x"), "250-mx.example.net\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
  EXPECT_EQ(say("NOOP"), ok);
  EXPECT_EQ(say("VRFY joe"), "252 send some mail, i'll try my best\r\n");
  EXPECT_EQ(say("HELP"), "214 netqmail home page: http://qmail.org/netqmail\r\n");
  EXPECT_EQ(say("RSET"), "250 flushed\r\n");
  EXPECT_EQ(say("EXPN"), "502 unimplemented (#5.5.1)\r\n");
  const Outcome quit = session_.handle(parse_command({"QUIT"}));
  EXPECT_EQ(quit.reply, "221 mx.example.net\r\n");
  EXPECT_EQ(quit.after, After::hang_up);
}

TEST_F(SessionTest, StarttlsIsOfferedInTheClearOnly) {
  certificate_there_ = true;
  EXPECT_EQ(say("EHLO x"),
            "250-mx.example.net\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
  EXPECT_EQ(say("STARTTLS x"), "501 Syntax error (no parameters allowed) (#5.5.4)\r\n");
  const Outcome start = session_.handle(parse_command({"STARTTLS"}));
  EXPECT_EQ(start.reply, "220 ready for tls\r\n");
  EXPECT_EQ(start.after, After::start_tls);
  start_tls();
  EXPECT_EQ(say("EHLO x"), "250-mx.example.net\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
  EXPECT_EQ(say("STARTTLS"), "502 unimplemented (#5.5.1)\r\n");
  EXPECT_EQ(session_.handle(parse_command({"STARTTLS"})).after, After::next_command);
}

TEST_F(SessionTest, AnEnvelope) {
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), "503 MAIL first (#5.5.1)\r\n");
  EXPECT_EQ(say("DATA"), "503 MAIL first (#5.5.1)\r\n");
  EXPECT_EQ(say("MAIL FROM:<joe@example.org>"), ok);
  EXPECT_EQ(say("DATA"), "503 RCPT first (#5.5.1)\r\n");
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), ok);
  EXPECT_EQ(say("RCPT TO:<bob@far.example>"), refused);
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), ok);
  EXPECT_EQ(say("RCPT TO:<x@[127.0.0.1]>"), refused);
  EXPECT_EQ(say("RCPT TO:<local>"), ok);
  EXPECT_EQ(say("MAIL FROM:<" + std::string(900, 'a') + ">"), reply::syntax_error);
  EXPECT_EQ(say("RCPT TO:<" + std::string(900, 'a') + ">"), reply::syntax_error);
  const Outcome data = session_.handle(parse_command({"DATA"}));
  EXPECT_EQ(data.reply, "354 go ahead\r\n");
  EXPECT_EQ(data.after, After::receive_data);
  const Envelope envelope = session_.take_envelope();
  EXPECT_EQ(envelope.sender, "joe@example.org");
  EXPECT_EQ(envelope.recipients,
            (std::vector<std::string>{"ann@example.com", "ann@example.com", "local"}));
  EXPECT_EQ(say("DATA"), "503 MAIL first (#5.5.1)\r\n");
}

TEST_F(SessionTest, ALineThatWasCutOffIsNoAddress) {
  const std::string line = "MAIL FROM:<a@b>" + std::string(70000, 'x');
  EXPECT_EQ(session_.handle(parse_command({line, true})).reply, reply::syntax_error);
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), "503 MAIL first (#5.5.1)\r\n");
  EXPECT_EQ(session_.handle(parse_command({"NOOP xxx", true})).reply, ok);
}

TEST_F(SessionTest, WhatForgetsTheEnvelope) {
  for (const std::string forgets : {"HELO x", "EHLO x", "RSET", "MAIL FROM:<new@example.org>"}) {
    say("MAIL FROM:<joe@example.org>");
    say("RCPT TO:<ann@example.com>");
    say(forgets);
    EXPECT_NE(session_.handle(parse_command({"DATA"})).after, After::receive_data) << forgets;
  }
  for (const std::string keeps : {"NOOP", "VRFY x", "HELP", "JUNK", "STARTTLS x", "STARTTLS"}) {
    say("MAIL FROM:<joe@example.org>");
    say("RCPT TO:<ann@example.com>");
    say(keeps);
    EXPECT_EQ(session_.handle(parse_command({"DATA"})).after, After::receive_data) << keeps;
  }
  start_tls();
  EXPECT_EQ(say("DATA"), "503 MAIL first (#5.5.1)\r\n");
}

TEST_F(SessionTest, ABarredSenderIsToldAtRcpt) {
  EXPECT_EQ(say("MAIL FROM:<x@evil.example>"), ok);
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), reply::sender_barred);
  EXPECT_EQ(say("DATA"), "503 RCPT first (#5.5.1)\r\n");
  EXPECT_EQ(say("MAIL FROM:<x@good.example>"), ok);
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), ok);
}

TEST_F(SessionTest, ARelayClientsSuffixIsAppended) {
  switches_.relayclient = "@relay.example";
  Session session(config_, peer_, switches_, lookups_, own_);
  const auto say = [&session](const std::string& line) {
    return session.handle(parse_command({line})).reply;
  };
  say("MAIL FROM:<>");
  EXPECT_EQ(say("RCPT TO:<bob@far.example>"), ok);
  EXPECT_EQ(say("RCPT TO:<>"), ok);
  EXPECT_EQ(say("RCPT TO:<" + std::string(899, 'a') + ">"), ok);
  const auto recipients = session.take_envelope().recipients;
  EXPECT_EQ(recipients.at(0), "bob@far.example@relay.example");
  EXPECT_EQ(recipients.at(1), "@relay.example");
  EXPECT_EQ(recipients.at(2).size(), 899U + 14U);
}

TEST_F(SessionTest, TheHeloName) {
  EXPECT_EQ(session_.trace().helo, "client.example.org");
  say("HELO one");
  EXPECT_EQ(session_.trace().helo, "one");
  say("EHLO");
  EXPECT_EQ(session_.trace().helo, "");
  start_tls();
  EXPECT_EQ(session_.trace().helo, "client.example.org");
}

TEST_F(SessionTest, ProtocolShowsCipherAndCertificate) {
  EXPECT_EQ(session_.trace().protocol, "SMTP");
  say("EHLO x");
  EXPECT_EQ(session_.trace().protocol, "SMTP");
  dir_.put("tlsclients", "relay@client.example\n");
  start_tls({State::verified, "", "Relay@client.example"});
  EXPECT_EQ(session_.trace().protocol, "ESMTPS (TLS_AES_256_GCM_SHA384 encrypted)");
  EXPECT_FALSE(may_relay(session_.right()));
  say("MAIL FROM:<>");
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), ok);
  EXPECT_FALSE(may_relay(session_.right()));  // it was not needed yet
  EXPECT_EQ(say("RCPT TO:<bob@far.example>"), ok);
  EXPECT_TRUE(may_relay(session_.right()));
  EXPECT_EQ(session_.trace().protocol,
            "ESMTPS (TLS_AES_256_GCM_SHA384 encrypted)\n  (cert Relay@client.example)");
  dir_.put("tlsclients", "");  // judged once
  say("EHLO x");
  say("MAIL FROM:<>");
  EXPECT_EQ(say("RCPT TO:<bob@far.example>"), ok);
}

TEST_F(SessionTest, ACertificateThatDoesNotHelp) {
  say("MAIL FROM:<>");
  EXPECT_EQ(say("RCPT TO:<bob@far.example>"), refused);
  start_tls();
  say("MAIL FROM:<>");
  EXPECT_EQ(say("RCPT TO:<bob@far.example>"), refused_in_tls);
  dir_.put("tlsclients", "relay@client.example\n");
  start_tls({State::not_verified, "certificate has expired"});
  say("MAIL FROM:<>");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(say("RCPT TO:<bob@far.example>"),
              "553 sorry, that domain isn't in my list of allowed rcpthosts; no valid cert for "
              "gatewaying: certificate has expired (#5.7.1)\r\n");
    say("RSET");
    say("MAIL FROM:<>");
  }
}

TEST_F(SessionTest, UnreadableListsEndIt) {
  dir_.put_directory("tlsclients");
  start_tls({State::verified, "", "relay@client.example"});
  say("MAIL FROM:<>");
  EXPECT_EQ(say("RCPT TO:<ann@example.com>"), ok);
  try {
    say("RCPT TO:<bob@far.example>");
    FAIL() << "went on";
  } catch (const EndSession& end) {
    EXPECT_EQ(end.reply, "421 unable to read controls (#4.3.0)\r\n");
    EXPECT_EQ(end.log_line, "unable to read " + dir_.file("tlsclients") + ": Is a directory");
  }
}

// --- AUTH: what is looked at, in this order ---

TEST_F(SessionTest, AuthIsNoCommandUnlessAskedFor) {
  EXPECT_EQ(say("AUTH PLAIN"), reply::unimplemented);
}

TEST_F(SessionTest, ChecksOnAuthInTheirOrder) {
  switches_.auth = AuthSettings::of({}, "");
  EXPECT_EQ(say("AUTH PLAIN"), reply::auth_not_available);
  switches_.auth = AuthSettings::of({"checkpassword", "true"}, "+cram");
  say("MAIL FROM:<>");
  EXPECT_EQ(say("AUTH NONE"), reply::auth_in_transaction);
  say("RSET");
  EXPECT_EQ(say("AUTH NONE"), reply::auth_needs_tls);
  switches_.auth.in_the_clear = true;
  for (const char* line : {"AUTH", "AUTH ", "AUTH NONE", "AUTH PLAINX", "AUTH EXTERNAL ="}) {
    EXPECT_EQ(say(line), reply::auth_no_mechanism) << line;
  }
  const Outcome go = session_.handle(parse_command({"auth  Plain   abc def"}));
  EXPECT_EQ(go.after, After::authenticate);
  EXPECT_EQ(go.auth.mechanism, Mechanism::plain);
  EXPECT_EQ(go.auth.initial_response, "abc def");
  EXPECT_FALSE(go.auth.malformed);
  EXPECT_EQ(session_.handle(parse_command({"AUTH LOGIN"})).auth.initial_response, std::nullopt);
  EXPECT_EQ(session_.handle(parse_command({"AUTH LOGIN  "})).auth.initial_response, std::nullopt);
  EXPECT_TRUE(session_.handle(parse_command({std::string("AUTH PLAIN a\0", 13)})).auth.malformed);
  EXPECT_TRUE(session_.handle(parse_command({"AUTH PLAIN a", true})).auth.malformed);
  session_.authenticated("joe", Mechanism::plain);
  say("MAIL FROM:<>");
  EXPECT_EQ(say("AUTH NONE"), reply::auth_already);
}

TEST_F(SessionTest, WhatFollowsFromAuth) {
  switches_.auth = AuthSettings::of({"checkpassword", "true"}, "!");
  switches_.auth.in_the_clear = true;
  switches_.auth.sender_is_user = true;
  peer_.remote_info = "ident";
  EXPECT_EQ(say("EHLO x"),
            "250-mx.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 AUTH LOGIN PLAIN\r\n");
  EXPECT_EQ(say("MAIL FROM:<joe@here>"), reply::auth_demanded);
  session_.authenticated("joe@here", Mechanism::cram_md5);
  EXPECT_EQ(say("EHLO x"), "250-mx.example.net\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
  EXPECT_EQ(say("MAIL FROM:<>"), reply::sender_is_not_user);
  EXPECT_EQ(say("MAIL FROM:<Joe@HERE>"), ok);
  EXPECT_EQ(say("RCPT TO:<bob@far.example>"), ok);
  EXPECT_EQ(session_.trace().protocol, "ESMTPA");
  EXPECT_EQ(session_.trace().remote_info, "joe@here");
  EXPECT_EQ(queue_variables(session_.right()),
            (std::vector<std::string>{"RELAYCLIENT=", "TCPREMOTEINFO=joe@here",
                                      "SMTPAUTHUSER=joe@here", "SMTPAUTHMETHOD=cram-md5"}));
  start_tls();
  EXPECT_EQ(say("MAIL FROM:<joe@here>"), reply::auth_demanded);
  EXPECT_EQ(session_.trace().remote_info, "ident");
  session_.authenticated("joe", Mechanism::plain);
  EXPECT_EQ(session_.trace().protocol, "ESMTPSA (TLS_AES_256_GCM_SHA384 encrypted, authenticated)");
}

}  // namespace
}  // namespace qmail::smtpd
