// TlsTransport: the bytes of a TLS session over two descriptors.
//
// Owns the SSL; the descriptors stay the caller's, and so do their flags: OpenSSL reads and writes
// through read_now and write_now. Every call ends by its deadline, whatever the peer sends. A
// proper end (close_notify) reads as 0; a connection cut off without one is an IoError, since a
// part of what was sent may be missing. After a failure nothing more is written.
#pragma once

#include <memory>
#include <optional>

#include "qmail/transport.h"
#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls {

class TlsTransport final : public Transport {
 public:
  // `ssl` knows its side (SSL_set_accept_state, SSL_set_connect_state). Nothing: no memory.
  static std::unique_ptr<TlsTransport> create(SslPtr ssl, int in, int out);

  // All of it, by `deadline`.
  std::optional<TlsError> handshake(Deadline deadline);
  SSL* ssl() const { return ssl_.get(); }
  // Something the SSL points to, for as long as it lives.
  void keep(std::shared_ptr<const void> something) { kept_ = std::move(something); }

  Result<std::size_t, IoError> read(std::span<char> into, Deadline deadline) override;
  Result<std::size_t, IoError> write(std::span<const char> from, Deadline deadline) override;
  void say_goodbye() override;

  // What OpenSSL's BIO works on.
  struct Wire {
    int in;
    int out;
    Deadline deadline;          // of the operation going on
    bool may_read_once = true;  // the first read is made even if the deadline has passed
    bool late = false;          // a read was not made, since the deadline has passed
    bool ended = false;         // end of file
    int error = 0;              // errno of a read, or a write of the handshake, that failed
    bool established = false;   // the handshake is over
    int lost = 0;               // errno of the write since then that failed: what follows is lost
  };

 private:
  enum class Outcome { done, ended, failed };
  TlsTransport(int in, int out);

  // Repeats `operation` (SSL_read_ex, …) until it succeeds, fails (error_ tells) or time is up.
  template <typename Operation>
  Outcome run(Deadline deadline, Operation operation);
  Outcome fail(IoError::Kind kind, std::string reason);

  std::shared_ptr<const void> kept_;
  Wire wire_;
  BioMethodPtr method_;
  SslPtr ssl_;
  IoError error_{IoError::Kind::failed, ""};
  bool broken_ = false;
};

}  // namespace qmail::tls
