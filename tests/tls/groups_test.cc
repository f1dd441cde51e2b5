// The groups of the key exchange: which is named, and that a hello too large for one segment, as
// those with the post-quantum groups are, may come in any pieces.
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

constexpr const char* post_quantum = "X25519MLKEM768";

bool library_has(const char* group) {
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  return SSL_CTX_set1_groups_list(context.get(), group) == 1;
}

// What comes from `from` goes on to `to`, a few bytes at a time, until one end is closed.
void pass_on(int from, int to) {
  char piece[7];
  for (;;) {
    const ssize_t got = ::read(from, piece, sizeof piece);
    if (got <= 0 || ::write(to, piece, static_cast<std::size_t>(got)) != got) break;
  }
  ::shutdown(to, SHUT_WR);
}

class Groups : public testing::Test {
 protected:
  ServerSettings settings() const { return {.certificate_file = certificate_}; }

  const Folder folder_;
  const Issued ca_ = authority("ca");
  const std::string certificate_ = folder_.file(
      "servercert.pem", server_certificate("mx.example.org", ca_, KeyKind::rsa).both());
};

TEST_F(Groups, BothSidesNameTheOneTheyAgreedOn) {
  const Meeting met = meet(settings(), {});
  ASSERT_TRUE(met.server && met.client);
  EXPECT_EQ(met.server->facts.group, met.client->facts.group);
  EXPECT_THAT(met.server->facts.group,
              testing::StrCaseEq(library_has(post_quantum) ? post_quantum : "X25519"));
}

TEST_F(Groups, NoneWhereTheKeyWasSentUnderTheCertificates) {
  ServerContext server = std::move(*ServerContext::create(settings()));
  const Meeting met = serve(server, [](int fd) {
    BarePeer peer(TLS_client_method());
    peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(peer.context(), "AES256-GCM-SHA384");
    peer.open(fd);
    EXPECT_TRUE(peer.handshake());
  });
  ASSERT_TRUE(met.server) << met.server_error->detail;
  EXPECT_EQ(met.server->facts.group, "");
}

TEST_F(Groups, AHelloInManyPiecesIsAHello) {
  ServerContext server = std::move(*ServerContext::create(settings()));
  ClientContext client = std::move(*ClientContext::create({.server_name = "mx.example.org"}));
  Wires one = make_wires();
  Wires other = make_wires();
  std::thread there([&] { pass_on(one.server.get(), other.client.get()); });
  std::thread back([&] { pass_on(other.client.get(), one.server.get()); });
  std::optional<ServerSession> served;
  std::thread serving([&] {
    auto session = server.accept(other.server.get(), other.server.get(), soon());
    if (session) served = std::move(*session);
  });
  auto session = client.connect(one.client.get(), one.client.get(), soon());
  serving.join();
  EXPECT_TRUE(session.has_value());
  ASSERT_TRUE(served.has_value());
  EXPECT_EQ(served->facts.group == post_quantum, library_has(post_quantum));
  ::shutdown(one.client.get(), SHUT_RDWR);
  ::shutdown(other.server.get(), SHUT_RDWR);
  there.join();
  back.join();
}

}  // namespace
}  // namespace qmail::tls::test
