// The certificate and private key that a side shows: servercert.pem, clientcert.pem. Read once, as
// a value; then set on a context, or on one connection.
#pragma once

#include <optional>
#include <string>

#include "tls/pem_file.h"
#include "tls/tls.h"

namespace qmail::tls {

struct Identity {
  CertificatePtr leaf;
  CertificateStackPtr chain;  // sent behind it, and no others
  KeyPtr key;
  std::string file;  // where it stood, for errors
};

// The first certificate of `pem`, the first private key of it that is not encrypted, and the file's
// further certificates as the chain. Keys: RSA, ECDSA, EdDSA; PKCS #8 or the traditional forms.
// Errors (Step::certificate, Step::key) name `file`.
Result<Identity, TlsError> read_identity(const PemFile& pem, const std::string& file);

// The same errors, as far as they can be told without decoding what is in the blocks, which is what
// costs: a million instructions a key.
std::optional<TlsError> missing_part(const PemFile& pem, const std::string& file);

// Shows `identity` instead of another one with the same type of key, if there is one; further ones
// stay. On an error (as above: the key is another certificate's, or it is below the security level)
// nothing has changed.
std::optional<TlsError> use_identity(SSL_CTX* context, const Identity& identity);
std::optional<TlsError> use_identity(SSL* ssl, const Identity& identity);

}  // namespace qmail::tls
