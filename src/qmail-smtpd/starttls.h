// TLS as qmail-smtpd offers it: what the control files ask for, what a failure is called, what the
// log says. The handshake itself is src/tls's, the conversation around it upgrade.h's.
#pragma once

#include <string>
#include <string_view>

#include "qmail-smtpd/switches.h"
#include "qmail/control.h"
#include "qmail/result.h"
#include "tls/tls.h"

namespace qmail::smtpd {

// Everything up to the handshake: loads OpenSSL, reads the controls. Throws EndSession if
// control/tlsserverciphers, serverciphersuite or tlsservermethod cannot be read and nothing else is
// wrong, or if it cannot be told whether tlsclients or clientca.pem are there.
Result<tls::ServerContext, tls::TlsError> make_tls_context(const ControlDir& control,
                                                           const Switches& switches);

// What the client is told when TLS cannot be set up: "454 TLS WHAT: DETAIL (#4.3.0)".
std::string tls_failure_reply(const tls::TlsError& error);

// --- lines for the log ---
// "TLS failed: WHAT: DETAIL; see FILE; ADVICE", as far as it is known.
std::string tls_failure_line(const tls::TlsError& error);
// The same for TLS that breaks inside the session. `reason`: OpenSSL's text.
std::string tls_broken_line(std::string_view reason);
// "TLS started: TLSv1.3 CIPHER sni NAME cert ADDRESS", the last two if there are any.
std::string tls_start_line(const tls::ServerSession& session);
// What only someone who is looking for trouble wants to know: the group of the key exchange, the
// client's certificate.
std::string group_line(const tls::SessionFacts& facts);
std::string certificate_line(const tls::ClientCertificate& certificate);
std::string warning_line(const tls::Warning& warning);

}  // namespace qmail::smtpd
