#include "tls/server_handshake.h"

#include "tls/client_request.h"

namespace qmail::tls {

namespace {

int on_hello(SSL* ssl, int* /*alert*/, void* argument) noexcept {
  auto& handshake = *static_cast<ServerHandshake*>(argument);
  if (handshake.heard) return SSL_CLIENT_HELLO_SUCCESS;
  handshake.heard = true;
  try {
    if (handshake.asks_for_certificate) name_the_clients_curves(ssl);
    if (handshake.names) handshake.folder = handshake.names->choose(ssl);
  } catch (...) {  // no memory: this handshake cannot be as it should
    return SSL_CLIENT_HELLO_ERROR;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

// Not called when a session is resumed.
int on_certificate_wanted(SSL* ssl, void* argument) noexcept {
  constexpr int failed = 0;
  constexpr int good = 1;
  auto& handshake = *static_cast<ServerHandshake*>(argument);
  if (handshake.shows) return good;
  handshake.shows = true;
  try {
    if (handshake.folder) {
      const IdentityFiles files{*handshake.folder + "/servercert.pem",
                                *handshake.folder + "/servercert-ec.pem"};
      const auto error = show(ssl, files, handshake.warnings);
      if (!error) return good;
      handshake.warnings.push_back(as_warning(*error));
    }
    handshake.failure = show(ssl, *handshake.usual, handshake.warnings);
  } catch (...) {  // no memory
    return failed;
  }
  return handshake.failure ? failed : good;
}

}  // namespace

void ServerHandshake::begin() {
  heard = shows = false;
  folder.reset();
  warnings.clear();
  failure.reset();
}

void watch(SSL_CTX* context, ServerHandshake& handshake) {
  if (handshake.asks_for_certificate || handshake.names) {
    SSL_CTX_set_client_hello_cb(context, on_hello, &handshake);
  }
  if (handshake.usual) SSL_CTX_set_cert_cb(context, on_certificate_wanted, &handshake);
}

}  // namespace qmail::tls
