#include "test_session.h"

#include <csignal>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace qmail::tls::test {

Wires make_wires() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw std::runtime_error("socketpair failed");
  }
  // Bare OpenSSL writes with write(2); ours never needs this.
  std::signal(SIGPIPE, SIG_IGN);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

namespace {

void accept_into(Meeting& meeting, ServerContext& context) {
  auto session = context.accept(meeting.wires.server.get(), meeting.wires.server.get(), soon());
  if (session) {
    meeting.server = std::move(*session);
  } else {
    meeting.server_error = session.error();
    meeting.wires.server.reset();
  }
}

void connect_into(Meeting& meeting, ClientContext& context) {
  auto session = context.connect(meeting.wires.client.get(), meeting.wires.client.get(), soon());
  if (session) {
    meeting.client = std::move(*session);
  } else {
    meeting.client_error = session.error();
    meeting.wires.client.reset();
  }
}

}  // namespace

Meeting meet(ServerContext& server, ClientContext& client) {
  Meeting meeting{make_wires()};
  std::thread other([&] { accept_into(meeting, server); });
  connect_into(meeting, client);
  other.join();
  return meeting;
}

Meeting meet(const ServerSettings& server, const ClientSettings& client) {
  auto server_context = ServerContext::create(server);
  auto client_context = ClientContext::create(client);
  if (!server_context) throw std::runtime_error("server: " + server_context.error().detail);
  if (!client_context) throw std::runtime_error("client: " + client_context.error().detail);
  return meet(*server_context, *client_context);
}

Meeting serve(ServerContext& server, const std::function<void(int fd)>& peer) {
  return serve(server, peer, nullptr);
}

Meeting serve(ServerContext& server, const std::function<void(int fd)>& peer,
              const std::function<void(ServerSession&)>& then) {
  Meeting meeting{make_wires()};
  std::thread other([&] { peer(meeting.wires.client.get()); });
  accept_into(meeting, server);
  if (meeting.server && then) then(*meeting.server);
  if (meeting.server) ::shutdown(meeting.wires.server.get(), SHUT_RDWR);
  other.join();
  return meeting;
}

Meeting visit(ClientContext& client, const std::function<void(int fd)>& peer,
              const std::function<void(ClientSession&)>& then) {
  Meeting meeting{make_wires()};
  std::thread other([&] { peer(meeting.wires.server.get()); });
  connect_into(meeting, client);
  if (meeting.client && then) then(*meeting.client);
  if (meeting.client) ::shutdown(meeting.wires.client.get(), SHUT_RDWR);
  other.join();
  return meeting;
}

BarePeer::BarePeer(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {
  // The library's floor is not what is tested here.
  SSL_CTX_set_security_level(context(), 0);
  SSL_CTX_set_min_proto_version(context(), TLS1_VERSION);
}

void BarePeer::limit(int lowest, int highest) {
  SSL_CTX_set_min_proto_version(context(), lowest);
  SSL_CTX_set_max_proto_version(context(), highest);
}

void BarePeer::show(const std::string& file) {
  EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context(), file.c_str()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context(), file.c_str(), SSL_FILETYPE_PEM), 1);
}

SSL* BarePeer::open(int fd) {
  ssl_.reset(SSL_new(context()));
  SSL_set_fd(ssl(), fd);
  if (SSL_is_server(ssl()) == 1) {
    SSL_set_accept_state(ssl());
  } else {
    SSL_set_connect_state(ssl());
  }
  return ssl();
}

bool BarePeer::handshake() { return SSL_do_handshake(ssl()) == 1; }

bool BarePeer::send(std::string_view bytes) {
  std::size_t put = 0;
  return SSL_write_ex(ssl(), bytes.data(), bytes.size(), &put) == 1 && put == bytes.size();
}

std::string BarePeer::receive(std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t got = 0;
  if (SSL_read_ex(ssl(), bytes.data(), bytes.size(), &got) != 1) return {};
  bytes.resize(got);
  return bytes;
}

Hello hello_from(ClientContext& client, const std::string& certificates, int version) {
  Hello hello;
  hello.met = visit(
      client,
      [&](int fd) {
        BarePeer peer(TLS_server_method());
        SSL_CTX_set_security_level(peer.context(), 0);
        peer.limit(version, version);
        peer.show(certificates);
        peer.open(fd);
        ASSERT_TRUE(peer.handshake());
        hello.name_sent = SSL_get_servername(peer.ssl(), TLSEXT_NAMETYPE_host_name);
        EXPECT_TRUE(peer.send("hello"));
      },
      [&](ClientSession& session) { hello.heard = read_some(*session.transport); });
  return hello;
}

std::string read_some(Transport& transport) {
  std::vector<char> into(65536);
  const auto got = transport.read(into, soon());
  if (!got) return "error: " + got.error().reason;
  return {into.data(), *got};
}

void write_all(Transport& transport, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = transport.write(bytes, soon());
    if (!put) {
      ADD_FAILURE() << "write: " << put.error().reason;
      return;
    }
    bytes.remove_prefix(*put);
  }
}

}  // namespace qmail::tls::test
