// Two ends of a TLS session in one process: ours against ours, or ours against bare OpenSSL.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "qmail/unique_fd.h"
#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls::test {

inline Deadline soon() { return Deadline::after(std::chrono::seconds(10)); }

struct Wires {
  UniqueFd server;
  UniqueFd client;
};
Wires make_wires();

// How a handshake ended on both sides. The descriptors live as long.
struct Meeting {
  Wires wires;
  std::optional<ServerSession> server{};
  std::optional<TlsError> server_error{};
  std::optional<ClientSession> client{};
  std::optional<TlsError> client_error{};
};

// One side runs in a thread of its own. A side that failed closes its descriptor.
Meeting meet(ServerContext& server, ClientContext& client);
Meeting meet(const ServerSettings& server, const ClientSettings& client);

// A peer made of bare OpenSSL, for what our sides never do.
class BarePeer {
 public:
  explicit BarePeer(const SSL_METHOD* method);
  SSL_CTX* context() { return context_.get(); }
  void limit(int lowest, int highest);  // TLS1_2_VERSION, …
  void show(const std::string& file);   // certificate, chain and key
  // The session over `fd`; set up further before the handshake.
  SSL* open(int fd);
  SSL* ssl() { return ssl_.get(); }
  bool handshake();  // SSL_do_handshake
  bool send(std::string_view bytes);
  std::string receive(std::size_t most = 65536);  // one SSL_read; empty at the end
  void close() { ssl_.reset(); }

 private:
  SslContextPtr context_;
  SslPtr ssl_;
};

// Our server's side against `peer`, which runs in a thread of its own with the other end.
Meeting serve(ServerContext& server, const std::function<void(int fd)>& peer);
// Our client's side against `peer`; `then` runs in this thread while the peer is still there.
Meeting visit(ClientContext& client, const std::function<void(int fd)>& peer,
              const std::function<void(ClientSession&)>& then = nullptr);
Meeting serve(ServerContext& server, const std::function<void(int fd)>& peer,
              const std::function<void(ServerSession&)>& then);

// Our client with a server that shows `certificates` (a file) in that version of TLS, whatever they
// are worth, and says "hello".
struct Hello {
  Meeting met{};
  std::string name_sent{};  // by the client (SNI)
  std::string heard{};      // by the client
};
Hello hello_from(ClientContext& client, const std::string& certificates, int version);

std::string read_some(Transport& transport);  // "" at the end; "error: …"
void write_all(Transport& transport, std::string_view bytes);

}  // namespace qmail::tls::test
