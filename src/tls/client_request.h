// How a client is asked for its certificate (RFC 5246, 7.4.4; RFC 8446, 4.3.2) so that nothing
// about the certificate of a stranger, or about the file of authorities, ends the session of
// somebody who only wants to deliver mail.
#pragma once

#include "tls/openssl_ptr.h"

namespace qmail::tls {

// Asks in the first handshake, never demands. `verify`: see SSL_CTX_set_verify(3). Names the
// `authorities`, each once, if all of them fit into a handshake message: a hint that may be left
// out. False: they do not.
[[nodiscard]] bool ask_for_certificate(SSL_CTX* context, const STACK_OF(X509) * authorities,
                                       SSL_verify_cb verify);

// While the hello of a client that is asked is looked at: in TLS 1.2 OpenSSL ends the handshake
// when the client's certificate is on a curve that it would not use itself, even if the client has
// named it. To a client that names such curves we name them, too, behind those for the key
// exchange, which stays as it is. (In TLS 1.3 nobody can show such a certificate: there is no
// signature scheme for it.)
void name_the_clients_curves(SSL* ssl);

}  // namespace qmail::tls
