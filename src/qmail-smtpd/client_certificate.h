// Relaying for clients that show a certificate (control/tlsclients): the decision.
//
// The certificate was asked for in the handshake and verified by src/tls; what is decided here is
// whether a mail address in it, or the certificate itself, is one we relay for. Pure but for
// reading the list.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qmail/control.h"
#include "qmail/result.h"
#include "tls/tls.h"

namespace qmail::smtpd {

struct CertificateDecision {
  // The mail address in the certificate, as it stands there, or "sha256:DIGEST": its owner may
  // relay.
  std::optional<std::string> granted_to{};
  // Not granted: why, in words for the client; empty when there is nothing to say (no certificate
  // was shown, or this host does not relay for any).
  std::string reason{};
  std::vector<std::string> no_digests{};  // entries that are meant to be one
};

// The first that is listed counts: the subject's address, an alternative one, the digest, which
// needs nobody to vouch for it. `clients`: the entries of control/tlsclients, nothing if there is
// no such file.
CertificateDecision judge(const tls::ClientCertificate& certificate,
                          const std::optional<std::vector<std::string>>& clients);

// The same, with the file read now. What cannot be read, be it this list or what the certificate
// was to be verified with, is the error.
Result<CertificateDecision, ControlError> decide_relaying(const tls::ClientCertificate& certificate,
                                                          const ControlDir& control);

}  // namespace qmail::smtpd
