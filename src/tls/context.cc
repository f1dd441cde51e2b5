#include "tls/context.h"

#include <cstdint>

#include <openssl/err.h>

#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

// As OpenSSL sets itself up, openssl.cnf included, but without what hardly a session needs and what
// would be a sixth of its cost: a table of ciphers by their old names (for encrypted PEM files),
// the texts of errors (tls_error.cc loads them when there is one), and tidying up when the process
// ends. See OPENSSL_init_crypto(3).
bool set_up_library() {
  std::uint64_t options = OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                          OPENSSL_INIT_NO_ATEXIT;
  // From 3.5 on a text of libssl that was not loaded here can never be.
  constexpr unsigned long keeps_texts_out_for_good = 0x30500000;
  if (OpenSSL_version_num() < keeps_texts_out_for_good) options |= OPENSSL_INIT_NO_LOAD_SSL_STRINGS;
  return OPENSSL_init_ssl(options, nullptr) == 1;
}

}  // namespace

SslContextPtr new_context(const SSL_METHOD* method) {
  if (!set_up_library()) return nullptr;
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) return context;
  if (SSL_CTX_get_min_proto_version(context.get()) < TLS1_2_VERSION &&
      SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return nullptr;
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  // One system call for all that has arrived, up to four full records.
  constexpr std::size_t read_buffer = 65536;
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), read_buffer);
  return context;
}

SessionFacts facts_of(SSL* ssl) {
  // SSL_get0_group_name is new in OpenSSL 3.2.
  const auto id = SSL_get_negotiated_group(ssl);
  const char* group = id != 0 ? SSL_group_to_name(ssl, static_cast<int>(id)) : nullptr;
  return {SSL_get_version(ssl), SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)),
          SSL_session_reused(ssl) == 1, group != nullptr ? group : ""};
}

int carry_on(int /*ok*/, X509_STORE_CTX* /*store*/) { return 1; }

}  // namespace qmail::tls
