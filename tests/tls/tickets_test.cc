// Session tickets: redeemed by another process with the same keys, and never issued unasked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_pki.h"
#include "test_session.h"
#include "tls/tls_transport.h"

namespace qmail::tls::test {
namespace {

struct SessionDeleter {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, SessionDeleter>;

struct Visit {
  bool resumed_for_us = false;
  bool resumed_for_peer = false;
  int tickets = 0;
  SessionPtr last{};
};

class Tickets : public testing::TestWithParam<int> {
 protected:
  // A visit of a client that brings `session`, if any, and collects the tickets it is given. Each
  // visit is to a context of its own, as to another process.
  Visit visit_with(SSL_SESSION* session, const std::string& shown = {}) {
    auto server = ServerContext::create(settings_);
    EXPECT_TRUE(server) << server.error().detail;
    Visit result;
    const Meeting met = serve(
        *server,
        [&](int fd) {
          BarePeer peer(TLS_client_method());
          peer.limit(GetParam(), GetParam());
          if (!shown.empty()) peer.show(shown);
          SSL_CTX_set_app_data(peer.context(), &result);
          SSL_CTX_set_session_cache_mode(peer.context(),
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
          SSL_CTX_sess_set_new_cb(peer.context(), [](SSL* ssl, SSL_SESSION* made) {
            auto& visit = *static_cast<Visit*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
            if (SSL_SESSION_has_ticket(made) == 1) ++visit.tickets;
            return 0;
          });
          SSL* ssl = peer.open(fd);
          if (session != nullptr) SSL_set_session(ssl, session);
          ASSERT_TRUE(peer.handshake());
          EXPECT_EQ(peer.receive(), "hello");
          result.last.reset(SSL_get1_session(ssl));
          result.resumed_for_peer = SSL_session_reused(ssl) == 1;
          SSL_shutdown(ssl);
        },
        [](ServerSession& server_session) {
          write_all(*server_session.transport, "hello");
          read_some(*server_session.transport);
        });
    EXPECT_TRUE(met.server);
    result.resumed_for_us = met.server && met.server->facts.resumed;
    client_ = met.server ? met.server->client : ClientCertificate();
    return result;
  }

  void write_keys(const std::string& content) { folder_.file("tlsticketkeys", content); }

  const Folder folder_;
  const Issued ca_ = authority("ca");
  ServerSettings settings_{
      .certificate_file = folder_.file("servercert.pem", server_certificate("mx", ca_).both()),
      .ticket_keys_file = folder_.path("tlsticketkeys")};
  ClientCertificate client_;
};

INSTANTIATE_TEST_SUITE_P(Tls, Tickets, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& tested) {
                           return tested.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

std::string key_record(char seed) {
  std::string record(80, '\0');
  for (std::size_t i = 0; i < record.size(); ++i) {
    record[i] = static_cast<char>(seed + static_cast<char>(i * 7));
  }
  return record;
}

TEST_P(Tickets, WithoutKeysNoneAreIssued) {
  EXPECT_EQ(visit_with(nullptr).tickets, 0);
  settings_.ticket_keys_file.clear();
  EXPECT_EQ(visit_with(nullptr).tickets, 0);
}

TEST_P(Tickets, AnotherProcessRedeemsThem) {
  write_keys(key_record('a'));
  const Visit first = visit_with(nullptr);
  EXPECT_EQ(first.tickets, 1);
  EXPECT_FALSE(first.resumed_for_us);
  ASSERT_TRUE(first.last);
  EXPECT_LE(SSL_SESSION_get_ticket_lifetime_hint(first.last.get()), 7200U);
  const Visit second = visit_with(first.last.get());
  EXPECT_TRUE(second.resumed_for_us);
  EXPECT_TRUE(second.resumed_for_peer);
}

// Two hours by the clock of the peer: a change to minutes would cost every client a full handshake.
TEST_P(Tickets, LiveTwoHours) {
  write_keys(key_record('a'));
  const Visit first = visit_with(nullptr);
  ASSERT_TRUE(first.last);
  EXPECT_EQ(SSL_SESSION_get_ticket_lifetime_hint(first.last.get()), 7200U);
}

// In TLS 1.3 each is used once, so each visit is given the next one; in TLS 1.2 the old one goes
// on.
TEST_P(Tickets, EveryVisitResumes) {
  write_keys(key_record('a'));
  Visit visit = visit_with(nullptr);
  for (int i = 0; i < 3; ++i) {
    Visit next = visit_with(visit.last.get());
    EXPECT_TRUE(next.resumed_for_us) << i;
    EXPECT_EQ(next.tickets, GetParam() == TLS1_3_VERSION ? 1 : 0) << i;
    visit = std::move(next);
  }
}

TEST_P(Tickets, TheWholeNameOfAKeyCounts) {
  const std::string key = key_record('a');
  write_keys(key);
  const Visit first = visit_with(nullptr);
  // Another key whose name differs in its last byte only stands before it.
  std::string other = key_record('b');
  other.replace(0, 15, key, 0, 15);
  write_keys(other + key);
  EXPECT_TRUE(visit_with(first.last.get()).resumed_for_us);
}

// A ticket that is asked for when the context is gone is made with the same keys.
TEST_P(Tickets, KeysLiveAsLongAsTheSession) {
  if (GetParam() != TLS1_3_VERSION) return;  // TLS 1.2 has none after the handshake
  write_keys(key_record('a'));
  auto made = ServerContext::create(settings_);
  ASSERT_TRUE(made);
  std::optional<ServerContext> server(std::move(*made));
  SessionPtr last;
  serve(
      *server,
      [&](int fd) {
        BarePeer peer(TLS_client_method());
        SSL* ssl = peer.open(fd);
        ASSERT_TRUE(peer.handshake());
        EXPECT_EQ(peer.receive(), "one");
        EXPECT_EQ(peer.receive(), "two");
        last.reset(SSL_get1_session(ssl));
        SSL_shutdown(ssl);
      },
      [&](ServerSession& session) {
        server.reset();
        write_all(*session.transport, "one");
        SSL* ssl = dynamic_cast<TlsTransport&>(*session.transport).ssl();
        EXPECT_EQ(SSL_new_session_ticket(ssl), 1);
        write_all(*session.transport, "two");
        read_some(*session.transport);
      });
  EXPECT_TRUE(visit_with(last.get()).resumed_for_us);
}

TEST_P(Tickets, RotationKeepsThePreviousKeyAndNoOther) {
  write_keys(key_record('a'));
  const Visit first = visit_with(nullptr);
  write_keys(key_record('b') + key_record('a'));
  const Visit second = visit_with(first.last.get());
  EXPECT_TRUE(second.resumed_for_us);
  // The second visit was given a new ticket, made with the new key.
  write_keys(key_record('c') + key_record('b'));
  EXPECT_TRUE(visit_with(second.last.get()).resumed_for_us);
  EXPECT_FALSE(visit_with(first.last.get()).resumed_for_us);
}

TEST_P(Tickets, AnAlteredOneIsNotTaken) {
  write_keys(key_record('a'));
  const Visit first = visit_with(nullptr);
  std::string other = key_record('a');
  other[79] = static_cast<char>(other[79] ^ 1);  // same name, other key for the check sum
  write_keys(other);
  EXPECT_FALSE(visit_with(first.last.get()).resumed_for_us);
}

TEST_P(Tickets, UnusableKeysAreAWarning) {
  for (const std::string& content : {std::string(), std::string(79, 'x'), std::string(81, 'x')}) {
    write_keys(content);
    const auto server = ServerContext::create(settings_);
    ASSERT_TRUE(server);
    ASSERT_EQ(server->warnings().size(), 1U);
    EXPECT_EQ(server->warnings()[0].file, settings_.ticket_keys_file);
    EXPECT_EQ(visit_with(nullptr).tickets, 0);
  }
}

TEST_P(Tickets, NoneInASessionWithACertificate) {
  write_keys(key_record('a'));
  settings_.client_certificates = {{.authorities_file = folder_.file("clientca.pem", ca_.pem())}};
  const Visit nobody = visit_with(nullptr);
  EXPECT_EQ(nobody.tickets, 1);
  EXPECT_EQ(client_.state, ClientCertificate::State::none);
  const Visit known = visit_with(
      nullptr, folder_.file("client.pem", client_certificate("a@example.org", ca_).both()));
  EXPECT_EQ(known.tickets, 0);
  EXPECT_EQ(client_.state, ClientCertificate::State::verified);
  const Visit foreign = visit_with(
      nullptr,
      folder_.file("client.pem", client_certificate("a@example.org", authority("x")).both()));
  EXPECT_EQ(foreign.tickets, 0);
  EXPECT_EQ(client_.state, ClientCertificate::State::not_verified);
  // And a session resumed is one without a certificate.
  const Visit again = visit_with(nobody.last.get());
  EXPECT_TRUE(again.resumed_for_us);
  EXPECT_EQ(client_.state, ClientCertificate::State::none);
}

TEST_P(Tickets, NoneKeepsAClientFromBeingAskedForItsCertificate) {
  write_keys(key_record('a'));
  const Visit not_asked = visit_with(nullptr);
  EXPECT_EQ(not_asked.tickets, 1);
  settings_.client_certificates = {{.authorities_file = folder_.file("clientca.pem", ca_.pem())}};
  const Visit asked =
      visit_with(not_asked.last.get(),
                 folder_.file("client.pem", client_certificate("a@example.org", ca_).both()));
  EXPECT_FALSE(asked.resumed_for_us);
  EXPECT_EQ(client_.state, ClientCertificate::State::verified);
}

}  // namespace
}  // namespace qmail::tls::test
