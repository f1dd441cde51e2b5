#include "tls/tls_transport.h"

#include <cerrno>
#include <poll.h>
#include <system_error>

#include <openssl/err.h>

#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

using Wire = TlsTransport::Wire;

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  // A peer who sends without end what makes no data (handshakes, key updates) must not outlast the
  // deadline either.
  if (!wire.may_read_once && wire.deadline.passed()) {
    wire.late = true;
    BIO_set_retry_read(bio);
    return 0;
  }
  wire.may_read_once = false;
  for (;;) {
    const long moved = read_now(wire.in, {into, size});
    if (moved > 0) {
      *got = static_cast<std::size_t>(moved);
      return 1;
    }
    if (moved == 0) {
      wire.ended = true;
      return 0;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      BIO_set_retry_read(bio);
    } else {
      wire.error = errno;
    }
    return 0;
  }
}

// OpenSSL is not told of a write that failed: from version 4 on it would not let us read after
// that, and the peer's last words say why it hung up. write() knows.
int bio_write(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  while (wire.lost == 0) {
    const long moved = write_now(wire.out, {from, size});
    if (moved >= 0) {
      *put = static_cast<std::size_t>(moved);
      return 1;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      BIO_set_retry_write(bio);
      return 0;
    }
    if (!wire.established) {
      wire.error = errno;
      return 0;
    }
    wire.lost = errno;
  }
  *put = size;
  return 1;
}

long bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return wire_of(bio).ended ? 1 : 0;
  return 0;
}

}  // namespace

TlsTransport::TlsTransport(int in, int out)
    : wire_{in, out, Deadline::after(std::chrono::seconds(0))} {}

std::unique_ptr<TlsTransport> TlsTransport::create(SslPtr ssl, int in, int out) {
  std::unique_ptr<TlsTransport> transport(new TlsTransport(in, out));
  transport->method_.reset(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "descriptors"));
  BIO_METHOD* method = transport->method_.get();
  if (method == nullptr || BIO_meth_set_read_ex(method, bio_read) != 1 ||
      BIO_meth_set_write_ex(method, bio_write) != 1 ||
      BIO_meth_set_ctrl(method, bio_control) != 1) {
    return nullptr;
  }
  BioPtr bio(BIO_new(method));
  if (!bio) return nullptr;
  BIO_set_data(bio.get(), &transport->wire_);
  BIO_set_init(bio.get(), 1);
  SSL_set_bio(ssl.get(), bio.get(), bio.get());
  (void)bio.release();  // the SSL's now
  transport->ssl_ = std::move(ssl);
  return transport;
}

TlsTransport::Outcome TlsTransport::fail(IoError::Kind kind, std::string reason) {
  error_ = {kind, std::move(reason)};
  return Outcome::failed;
}

template <typename Operation>
TlsTransport::Outcome TlsTransport::run(Deadline deadline, Operation operation) {
  wire_.deadline = deadline;
  wire_.may_read_once = true;
  wire_.late = false;
  for (bool last = false;;) {
    ERR_clear_error();
    const int result = operation();
    if (result > 0) return Outcome::done;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) return Outcome::ended;
    const bool reading = error == SSL_ERROR_WANT_READ;
    if (!reading && error != SSL_ERROR_WANT_WRITE) {
      broken_ = true;
      if (error == SSL_ERROR_SYSCALL && wire_.error != 0) {
        return fail(IoError::Kind::failed, std::generic_category().message(wire_.error));
      }
      // The end of the file in the midst of a record, or without close_notify, is everyday life.
      return fail(wire_.ended ? IoError::Kind::failed : IoError::Kind::garbled,
                  take_library_error());
    }
    const int fd = reading ? wire_.in : wire_.out;
    if (wire_.late || last || !wait_for(fd, reading ? POLLIN : POLLOUT, deadline)) {
      return fail(IoError::Kind::timed_out, "timed out");
    }
    last = deadline.passed();
  }
}

std::optional<TlsError> TlsTransport::handshake(Deadline deadline) {
  switch (run(deadline, [this] { return SSL_do_handshake(ssl_.get()); })) {
    case Outcome::done:
      wire_.established = true;
      return std::nullopt;
    case Outcome::ended:
      error_ = {IoError::Kind::failed, ""};
      break;
    case Outcome::failed:
      break;
  }
  broken_ = true;
  return TlsError{TlsError::Step::handshake, error_.reason, "", "",
                  error_.kind == IoError::Kind::timed_out};
}

Result<std::size_t, IoError> TlsTransport::read(std::span<char> into, Deadline deadline) {
  std::size_t got = 0;
  const auto once = [&] { return SSL_read_ex(ssl_.get(), into.data(), into.size(), &got); };
  if (run(deadline, once) == Outcome::failed) return Failure(error_);
  return got;  // 0 after close_notify
}

Result<std::size_t, IoError> TlsTransport::write(std::span<const char> from, Deadline deadline) {
  std::size_t put = 0;
  const auto once = [&] { return SSL_write_ex(ssl_.get(), from.data(), from.size(), &put); };
  const Outcome outcome = run(deadline, once);
  if (outcome == Outcome::done && wire_.lost == 0) return put;
  broken_ = true;  // a record may be half sent: nothing can follow it
  if (outcome == Outcome::done) {
    fail(IoError::Kind::failed, std::generic_category().message(wire_.lost));
  }
  return Failure(error_);
}

void TlsTransport::say_goodbye() {
  if (broken_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace qmail::tls
