// The ciphers, suites and protocol versions that an administrator allows, put into a context.
#pragma once

#include <vector>

#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls {

// Warnings about what was skipped; the error when no handshake could succeed (Step::parameters,
// Step::context), whoever left nothing: these lists or openssl.cnf.
Result<std::vector<Warning>, TlsError> use_parameters(SSL_CTX* context,
                                                      const Parameters& parameters);

Warning no_cipher(const Ciphers& ciphers);

}  // namespace qmail::tls
