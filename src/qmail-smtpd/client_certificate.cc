#include "qmail-smtpd/client_certificate.h"

#include <algorithm>

#include "qmail/ascii.h"
#include "qmail/tls_client.h"

namespace qmail::smtpd {

namespace {

using Kind = TlsClient::Kind;

bool lists(const std::vector<TlsClient>& clients, Kind kind, std::string_view text) {
  if (text.empty()) return false;
  return std::any_of(clients.begin(), clients.end(), [&](const TlsClient& client) {
    return client.kind == kind && equal_ignoring_case(client.text, text);
  });
}

// Whose certificate it is, by what is listed.
std::optional<std::string> name_of(const tls::ClientCertificate& certificate,
                                   const std::vector<TlsClient>& clients) {
  if (certificate.state == tls::ClientCertificate::State::verified) {
    if (certificate.email && lists(clients, Kind::subject_email, *certificate.email)) {
      return certificate.email;
    }
    for (const std::string& email : certificate.alternative_emails) {
      if (lists(clients, Kind::alternative_email, email)) return email;
    }
  }
  if (lists(clients, Kind::sha256, certificate.sha256)) return "sha256:" + certificate.sha256;
  return std::nullopt;
}

std::string why_not(const tls::ClientCertificate& certificate) {
  if (certificate.state != tls::ClientCertificate::State::verified) return certificate.reason;
  if (!certificate.email) return "contains no email address";
  return "email address not in my list of tlsclients";
}

}  // namespace

CertificateDecision judge(const tls::ClientCertificate& certificate,
                          const std::optional<std::vector<std::string>>& clients) {
  if (!clients) return {};
  CertificateDecision decision;
  std::vector<TlsClient> parsed;
  for (const std::string& entry : *clients) {
    parsed.push_back(parse_tls_client(entry));
    if (parsed.back().kind == Kind::no_digest) decision.no_digests.push_back(entry);
  }
  if (certificate.state == tls::ClientCertificate::State::none) return decision;
  decision.granted_to = name_of(certificate, parsed);
  if (!decision.granted_to) decision.reason = why_not(certificate);
  return decision;
}

Result<CertificateDecision, ControlError> decide_relaying(const tls::ClientCertificate& certificate,
                                                          const ControlDir& control) {
  const auto clients = control.list("tlsclients");
  if (!clients) return Failure(clients.error());
  CertificateDecision decision = judge(certificate, *clients);
  const bool unknown = certificate.state == tls::ClientCertificate::State::unknown;
  if (*clients && unknown && !decision.granted_to) {
    return Failure(ControlError{certificate.file, certificate.reason});
  }
  return decision;
}

}  // namespace qmail::smtpd
