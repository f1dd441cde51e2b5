// Bytes through an established session, and its ends.
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

using namespace std::chrono_literals;

class Session : public testing::TestWithParam<int> {
 protected:
  // Our server against a bare client that speaks the version under test.
  void run(const std::function<void(BarePeer&, int fd)>& peer,
           const std::function<void(Transport&)>& ours) {
    auto server = ServerContext::create({.certificate_file = file_});
    ASSERT_TRUE(server);
    const Meeting met = serve(
        *server,
        [&](int fd) {
          BarePeer client(TLS_client_method());
          client.limit(GetParam(), GetParam());
          client.open(fd);
          ASSERT_TRUE(client.handshake());
          peer(client, fd);
        },
        [&](ServerSession& session) { ours(*session.transport); });
    EXPECT_TRUE(met.server);
  }

  const Folder folder_;
  const std::string file_ =
      folder_.file("servercert.pem", server_certificate("mx", authority("ca")).both());
};

INSTANTIATE_TEST_SUITE_P(Tls, Session, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& tested) {
                           return tested.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 131 + i / 256);
  return bytes;
}

TEST_P(Session, CarriesEveryByteBothWays) {
  const std::string much = pattern(1000000);
  run(
      [&](BarePeer& peer, int) {
        EXPECT_TRUE(peer.send(much));
        std::string back;
        while (back.size() < much.size()) {
          const std::string more = peer.receive();
          if (more.empty()) break;
          back += more;
        }
        EXPECT_EQ(back, much);
      },
      [&](Transport& transport) {
        std::string got;
        while (got.size() < much.size()) {
          const std::string more = read_some(transport);
          ASSERT_FALSE(more.empty());
          got += more;
        }
        EXPECT_EQ(got, much);
        write_all(transport, got);
      });
}

TEST_P(Session, WritesFullRecords) {
  run([](BarePeer& peer, int) { EXPECT_EQ(peer.receive().size(), 16384U); },
      [](Transport& transport) { write_all(transport, std::string(16384, 'x')); });
}

TEST_P(Session, ProperEndReadsAsZero) {
  run(
      [](BarePeer& peer, int) {
        EXPECT_TRUE(peer.send("last"));
        SSL_shutdown(peer.ssl());
        // The other direction still works.
        EXPECT_EQ(peer.receive(), "answer");
        EXPECT_EQ(peer.receive(), "");
        EXPECT_EQ(SSL_get_shutdown(peer.ssl()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
      },
      [](Transport& transport) {
        EXPECT_EQ(read_some(transport), "last");
        EXPECT_EQ(read_some(transport), "");
        EXPECT_EQ(read_some(transport), "");
        write_all(transport, "answer");
        transport.say_goodbye();
      });
}

TEST_P(Session, CutConnectionIsAnError) {
  run(
      [](BarePeer& peer, int fd) {
        EXPECT_TRUE(peer.send("first"));
        ::shutdown(fd, SHUT_RDWR);
      },
      [](Transport& transport) {
        EXPECT_EQ(read_some(transport), "first");
        std::vector<char> into(100);
        const auto got = transport.read(into, soon());
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().kind, IoError::Kind::failed);
        EXPECT_THAT(got.error().reason, testing::HasSubstr("unexpected eof"));
        transport.say_goodbye();  // must not write, let alone raise SIGPIPE
      });
}

TEST_P(Session, ClearTextInsideIsAnError) {
  run([](BarePeer&, int fd) { EXPECT_EQ(::write(fd, "NOOP\r\nNOOP\r\n", 12), 12); },
      [](Transport& transport) {
        std::vector<char> into(100);
        const auto got = transport.read(into, soon());
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().kind, IoError::Kind::garbled);
        EXPECT_THAT(got.error().reason, testing::StartsWith("error:0A"));
        // Names, on every version of OpenSSL: nobody looks a number up at night.
        EXPECT_THAT(got.error().reason, testing::Not(testing::HasSubstr("reason(")));
      });
}

TEST_P(Session, WaitsNoLongerThanTheDeadline) {
  run([](BarePeer& peer, int) { EXPECT_EQ(peer.receive(), "451 timeout"); },
      [](Transport& transport) {
        std::vector<char> into(100);
        const auto start = std::chrono::steady_clock::now();
        const auto got = transport.read(into, Deadline::after(1s));
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().kind, IoError::Kind::timed_out);
        EXPECT_EQ(got.error().reason, "timed out");
        EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
        write_all(transport, "451 timeout");  // last words are still possible
      });
}

TEST_P(Session, WritingToSomebodyWhoDoesNotReadEnds) {
  run(
      [](BarePeer&, int fd) {
        pollfd until_closed{fd, 0, 0};
        EXPECT_EQ(::poll(&until_closed, 1, 10000), 1);
      },
      [](Transport& transport) {
        const std::string block(16384, 'x');
        const auto start = std::chrono::steady_clock::now();
        for (;;) {
          const auto put = transport.write(block, Deadline::after(1s));
          if (put) continue;
          EXPECT_EQ(put.error().kind, IoError::Kind::timed_out);
          break;
        }
        EXPECT_LT(std::chrono::steady_clock::now() - start, 2400ms);
        transport.say_goodbye();
      });
}

// Records that carry no data keep the reader busy, but not beyond its deadline.
TEST_P(Session, EndlessKeyUpdatesDoNotOutlastTheDeadline) {
  if (GetParam() != TLS1_3_VERSION) return;  // there are none before TLS 1.3
  run(
      [](BarePeer& peer, int) {
        while (SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
               SSL_do_handshake(peer.ssl()) == 1) {
        }
      },
      [](Transport& transport) {
        std::vector<char> into(100);
        const auto start = std::chrono::steady_clock::now();
        const auto got = transport.read(into, Deadline::after(1s));
        EXPECT_FALSE(got);
        EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
      });
}

TEST(Handshake, HasOneDeadlineForAllOfIt) {
  const Folder folder;
  const std::string file =
      folder.file("servercert.pem", server_certificate("mx", authority("ca")).both());
  auto server = ServerContext::create({.certificate_file = file});
  auto client = ClientContext::create({});
  ASSERT_TRUE(server && client);
  for (const bool trickle : {false, true}) {
    const Wires wires = make_wires();
    std::thread peer([&] {
      // The head of a record that would be long, then one byte now and then.
      const char head[] = {22, 3, 1, 63, 0};
      EXPECT_EQ(::send(wires.client.get(), head, trickle ? sizeof head : 1, MSG_NOSIGNAL),
                trickle ? 5 : 1);
      for (int i = 0; trickle && i < 15; ++i) {
        std::this_thread::sleep_for(100ms);
        EXPECT_EQ(::send(wires.client.get(), "x", 1, MSG_NOSIGNAL), 1);
      }
    });
    const auto start = std::chrono::steady_clock::now();
    const auto session =
        server->accept(wires.server.get(), wires.server.get(), Deadline::after(1s));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1400ms);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().step, TlsError::Step::handshake);
    EXPECT_EQ(session.error().detail, "timed out");
    EXPECT_TRUE(session.error().timed_out);
    peer.join();
  }
  const Wires wires = make_wires();
  const auto silent = client->connect(wires.client.get(), wires.client.get(), Deadline::after(0s));
  ASSERT_FALSE(silent);
  EXPECT_TRUE(silent.error().timed_out);
  EXPECT_EQ(silent.error().detail, "timed out");
}

TEST(Handshake, EndAndResetAreTold) {
  auto client = ClientContext::create({});
  ASSERT_TRUE(client);
  const Meeting ended = visit(*client, [](int fd) { ::shutdown(fd, SHUT_RDWR); });
  ASSERT_TRUE(ended.client_error);
  EXPECT_EQ(ended.client_error->step, TlsError::Step::handshake);
  EXPECT_FALSE(ended.client_error->timed_out);
}

// Two descriptors, as under a server that hands over pipes; and ours against ours.
TEST(Handshake, WorksOverPipes) {
  const Folder folder;
  const Issued ca = authority("ca");
  auto server =
      ServerContext::create({.certificate_file = folder.file(
                                 "servercert.pem", server_certificate("mx.test", ca).both())});
  auto client = ClientContext::create(
      {.server_name = "mx.test",
       .verification = Anchors{folder.file("ca.pem", ca.pem()), {"mx.test"}}});
  ASSERT_TRUE(server && client);
  int to_server[2];
  int to_client[2];
  ASSERT_EQ(::pipe(to_server), 0);
  ASSERT_EQ(::pipe(to_client), 0);
  const UniqueFd owned[] = {UniqueFd(to_server[0]), UniqueFd(to_server[1]), UniqueFd(to_client[0]),
                            UniqueFd(to_client[1])};
  std::thread other([&] {
    const auto session = server->accept(to_server[0], to_client[1], soon());
    ASSERT_TRUE(session) << session.error().detail;
    EXPECT_EQ(read_some(*session->transport), "hello");
    write_all(*session->transport, std::string(50000, 'x'));
  });
  auto session = client->connect(to_client[0], to_server[1], soon());
  EXPECT_TRUE(session);
  if (session) {
    EXPECT_EQ(session->server.state, ServerCertificate::State::verified);
    write_all(*session->transport, "hello");
    std::size_t got = 0;
    while (got < 50000) {
      const std::string more = read_some(*session->transport);
      ASSERT_EQ(more, std::string(more.size(), 'x'));
      ASSERT_FALSE(more.empty());
      got += more.size();
    }
  }
  other.join();
}

}  // namespace
}  // namespace qmail::tls::test
