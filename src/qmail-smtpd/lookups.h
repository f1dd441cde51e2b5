// Lookups: what a session asks of the world outside while it goes on, since it must be known at a
// certain command and not before. The only way from a Session to a file.
#pragma once

#include <functional>
#include <string_view>

#include "qmail-smtpd/client_certificate.h"
#include "qmail/control.h"
#include "qmail/result.h"
#include "tls/tls.h"

namespace qmail::smtpd {

struct Lookups {
  // Is there a certificate, and OpenSSL?
  std::function<bool()> tls_to_be_had;
  // Does this host take mail for the address from everybody (rcpthosts, morercpthosts.cdb)?
  std::function<Result<bool, ControlError>(std::string_view)> takes_mail_for;
  // May whoever showed this certificate relay (tlsclients)?
  std::function<Result<CertificateDecision, ControlError>(const tls::ClientCertificate&)> judge;
};

}  // namespace qmail::smtpd
