// What the server's and the client's SSL_CTX have in common.
#pragma once

#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls {

// A context for TLS 1.2 and later (openssl.cnf may ask for more), without compression, session
// cache and tickets, that sends no certificates but those it is given. Nothing: no memory, or an
// openssl.cnf that cannot be used; OpenSSL's error queue tells.
SslContextPtr new_context(const SSL_METHOD* method);

SessionFacts facts_of(SSL* ssl);

// A verification callback that never breaks the handshake: every check is made, the last failure is
// the result (SSL_get_verify_result), and what follows from it is decided afterwards.
int carry_on(int ok, X509_STORE_CTX* store);

}  // namespace qmail::tls
