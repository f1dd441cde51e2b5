#include "tls/rehearsal.h"

#include <openssl/err.h>

#include "tls/context.h"
#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

bool goes_on(const SSL* ssl, int result) {
  return result == 1 || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
}

}  // namespace

std::string rehearse(SslPtr server) {
  const SslContextPtr client = new_context(TLS_client_method());
  const SslPtr client_side(client ? SSL_new(client.get()) : nullptr);
  BioPtr to_server(BIO_new(BIO_s_mem()));
  BioPtr to_client(BIO_new(BIO_s_mem()));
  if (!server || !client_side || !to_server || !to_client || BIO_up_ref(to_server.get()) != 1 ||
      BIO_up_ref(to_client.get()) != 1) {
    return take_library_error();
  }
  SSL_set_bio(server.get(), to_server.get(), to_client.get());
  SSL_set_bio(client_side.get(), to_client.release(), to_server.release());
  SSL_set_accept_state(server.get());
  SSL_set_connect_state(client_side.get());
  constexpr int more_turns_than_any_handshake = 16;
  for (int turn = 0; turn < more_turns_than_any_handshake; ++turn) {
    ERR_clear_error();
    const int of_client = SSL_do_handshake(client_side.get());
    if (!goes_on(client_side.get(), of_client)) return take_library_error();
    ERR_clear_error();
    const int of_server = SSL_do_handshake(server.get());
    if (!goes_on(server.get(), of_server)) return take_library_error();
    if (of_client == 1 && of_server == 1) return {};
  }
  return "the handshake does not end";
}

}  // namespace qmail::tls
