// What a server shows: the identity in servercert.pem and, if there is one, that in
// servercert-ec.pem beside it, whose key is of another type. OpenSSL picks by what the client can.
//
// Reading an identity costs a tenth of a session (OpenSSL 3.0 looks its decoders up anew for each
// key), so where there is a choice, nothing is decoded before it is known whom it is for. A second
// file that cannot be used is a warning, and the first is shown alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls {

// `context`, which has its parameters, shows what is in `file`. Everything that can be wrong with
// it is found, a key that no client can use as well.
std::optional<TlsError> show(SSL_CTX* context, const std::string& file,
                             std::vector<Warning>& warnings);

struct IdentityFiles {
  std::string first;
  std::string second{};  // "" or absent: there is one only
};

// What can be said of the first file before a client is there.
std::optional<TlsError> missing_part(const IdentityFiles& files);

// `ssl`, whose client has said hello, shows what is in `files` and nothing else. A client that can
// use an ECDSA key of the second file in TLS 1.3 is not shown the first, which is not decoded then.
// An error: it shows what it has shown before.
std::optional<TlsError> show(SSL* ssl, const IdentityFiles& files, std::vector<Warning>& warnings);

// An error that does not end TLS, for the log.
Warning as_warning(const TlsError& error);

}  // namespace qmail::tls
