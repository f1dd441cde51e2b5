// A server's certificate compared with the TLSA records of its name (RFC 6698, 7671, 7672), by
// OpenSSL's own SSL_dane_*: all records are given to it, and one that matches is enough.
//
// DANE-EE(3): the key or certificate itself, whoever it is for, whenever. DANE-TA(2): an authority
// that the server sends, or that the record has whole; dates, purpose and name count. Of several
// digests of one usage and selector only the strongest does. No other authority is asked.
#pragma once

#include <optional>

#include "tls/openssl_ptr.h"
#include "tls/tls.h"

namespace qmail::tls {

// For every SSL made of it afterwards.
bool allow_dane(SSL_CTX* context);

// Before the handshake. The error: not one record that OpenSSL takes, among others; without records
// it would verify in the ordinary way.
std::optional<TlsError> expect_records(SSL* ssl, const Tlsa& wanted);

// After the handshake.
void compare_records(SSL* ssl, const X509* certificate, ServerCertificate& result);

}  // namespace qmail::tls
