// What is decided while a handshake with a client goes on: when its hello is looked at, before
// OpenSSL makes anything of it, and when OpenSSL wants to know what to show. OpenSSL has room for
// one callback each, which are these.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tls/openssl_ptr.h"
#include "tls/server_identity.h"
#include "tls/server_names.h"
#include "tls/tls.h"

namespace qmail::tls {

struct ServerHandshake {
  bool asks_for_certificate = false;
  // What is shown, where that is not the context's: to whom asks for no name that is there, or for
  // one whose files cannot be used (then the log knows).
  std::optional<IdentityFiles> usual{};
  std::optional<ServerNames> names{};

  // Of one handshake. After a second hello (RFC 8446, 4.1.4) nothing is decided anew.
  bool heard = false;
  bool shows = false;
  std::optional<std::string> folder{};  // of the name that the client asks for
  std::vector<Warning> warnings{};
  std::optional<TlsError> failure{};  // `usual` cannot be used

  void begin();
};

// `handshake` must outlive every handshake of the context.
void watch(SSL_CTX* context, ServerHandshake& handshake);

}  // namespace qmail::tls
