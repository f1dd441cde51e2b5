// Whether a file's certificates and private key are of the usual kinds and belong together, told
// from their bytes alone (DER: X.690; certificates: RFC 5280; keys: RFC 5958, 8017, 5915).
//
// OpenSSL takes a million instructions to decode a key, a twentieth of a session. This takes some
// thousand: a private key of RSA begins with the public one, a key of an elliptic curve ends in it.
#pragma once

#include "tls/pem_file.h"

namespace qmail::tls {

// The first certificate and the first private key that is not encrypted are of one pair; each
// certificate has a key of RSA (2048 bits or more) or on one of NIST's three curves, and is signed
// with SHA-2, so OpenSSL takes them up to security level 2. False: that is not so, or cannot be
// told here (a key without its public half), and OpenSSL is to be asked.
bool is_usual_pair(const PemFile& pem);

}  // namespace qmail::tls
