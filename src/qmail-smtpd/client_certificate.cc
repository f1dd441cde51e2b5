#include "qmail-smtpd/client_certificate.h"

#include <algorithm>

#include "qmail/ascii.h"

namespace qmail::smtpd {

CertificateDecision judge(const tls::ClientCertificate& certificate,
                          const std::optional<std::vector<std::string>>& clients) {
  using State = tls::ClientCertificate::State;
  if (!clients || certificate.state == State::none) return {};
  if (certificate.state != State::verified) return {std::nullopt, certificate.reason};
  if (!certificate.email) return {std::nullopt, "contains no email address"};
  const std::string& email = *certificate.email;
  const bool listed = std::any_of(clients->begin(), clients->end(), [&](const std::string& entry) {
    return equal_ignoring_case(entry, email);
  });
  if (!listed) return {std::nullopt, "email address not in my list of tlsclients"};
  return {email, {}};
}

Result<CertificateDecision, ControlError> decide_relaying(const tls::ClientCertificate& certificate,
                                                          const ControlDir& control) {
  const auto clients = control.list("tlsclients");
  if (!clients) return Failure(clients.error());
  if (*clients && certificate.state == tls::ClientCertificate::State::unknown) {
    return Failure(ControlError{certificate.file, certificate.reason});
  }
  return judge(certificate, *clients);
}

}  // namespace qmail::smtpd
