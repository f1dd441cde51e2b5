// A handshake of a server with a client of OpenSSL's own defaults, in memory.
//
// Some keys are taken by OpenSSL and can be used by no client: on a curve that no hello names, with
// signature algorithms that openssl.cnf forbids. That is found out before a client is told to
// begin, by trying, so that a later OpenSSL that can do more is not held back by a list of ours.
#pragma once

#include <string>

#include "tls/openssl_ptr.h"

namespace qmail::tls {

// Why the handshake of `server`, which is new, fails; empty when it does not. Null: no memory.
std::string rehearse(SslPtr server);

}  // namespace qmail::tls
