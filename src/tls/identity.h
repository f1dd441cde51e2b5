// The certificate and private key that a side shows: servercert.pem, clientcert.pem.
#pragma once

#include <optional>
#include <string>

#include "tls/pem_file.h"
#include "tls/tls.h"

namespace qmail::tls {

// Makes `context` show the first certificate of `pem` with the first private key of it that is not
// encrypted, and send the file's further certificates, and no others, as its chain. Keys: RSA,
// ECDSA, EdDSA; PKCS #8 or the traditional forms. On an error (Step::certificate, Step::key, naming
// `file`) the context shows nothing.
std::optional<TlsError> use_identity(SSL_CTX* context, const PemFile& pem, const std::string& file);

}  // namespace qmail::tls
