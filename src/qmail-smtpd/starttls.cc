#include "qmail-smtpd/starttls.h"

#include <string_view>

#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/received.h"
#include "qmail-smtpd/replies.h"
#include "qmail/ascii.h"
#include "qmail/tls_client.h"

namespace qmail::smtpd {

namespace {

using tls::TlsError;

bool there_is(const ControlDir& control, std::string_view name) {
  const auto there = control.has(name);
  if (!there) throw unreadable_controls(there.error());
  return *there;
}

tls::ServerSettings read_settings(const ControlDir& control, const Switches& switches) {
  tls::ServerSettings settings;
  settings.certificate_file = control.file("servercert.pem");
  if (there_is(control, "servercert-ec.pem")) {
    settings.second_certificate_file = control.file("servercert-ec.pem");
  }
  if (there_is(control, "servercerts")) settings.names_folder = control.file("servercerts");
  settings.dh_file = control.file("dh2048.pem");
  settings.ticket_keys_file = control.file("tlsticketkeys");
  settings.wipes_input = switches.auth.can_any();
  // A client that may relay anyway is not asked who it is: some put a question to their user then.
  // With EXTERNAL it is asked for in any case.
  const bool asks = !switches.relayclient || switches.auth.asks_for(Mechanism::external);
  if (asks && there_is(control, "tlsclients")) {
    const bool authorities = there_is(control, "clientca.pem");
    // A list that cannot be read is told of when somebody needs it.
    const auto clients = control.list("tlsclients");
    const bool by_digest = clients && *clients && lists_digest(**clients);
    if (authorities || by_digest) {
      settings.client_certificates = {authorities ? control.file("clientca.pem") : "",
                                      control.file("clientcrl.pem"), by_digest};
    }
  }
  return settings;
}

std::string_view what_failed(TlsError::Step step) {
  switch (step) {
    case TlsError::Step::library:
      return "unable to load library";
    case TlsError::Step::session_id_context:
      return "failed to set session_id_context";
    case TlsError::Step::certificate:
      return "missing certificate";
    case TlsError::Step::key:
      return "no valid RSA private key";
    case TlsError::Step::connection:
      return "unable to initialize ssl";
    case TlsError::Step::handshake:
      return "connection failed";
    case TlsError::Step::context:
    case TlsError::Step::parameters:
    case TlsError::Step::trust:
      break;
  }
  return "unable to initialize ctx";
}

}  // namespace

Result<tls::ServerContext, TlsError> make_tls_context(const ControlDir& control,
                                                      const Switches& switches) {
  if (auto error = tls::load()) return Failure(std::move(*error));
  tls::ServerSettings settings = read_settings(control, switches);
  std::optional<tls::Ciphers> ciphers;
  if (switches.tls_ciphers) ciphers = tls::Ciphers{*switches.tls_ciphers, "TLSCIPHERS"};
  const auto parameters = tls::read_parameters(
      control, {"tlsserverciphers", "serverciphersuite", "tlsservermethod"}, ciphers);
  if (parameters) settings.parameters = *parameters;
  auto context = tls::ServerContext::create(settings);
  if (context && !parameters) throw unreadable_controls(parameters.error());
  return context;
}

std::string tls_failure_reply(const TlsError& error) {
  return reply::tls_failure(what_failed(error.step), without_controls(error.detail));
}

std::string tls_failure_line(const TlsError& error) {
  std::string line("TLS failed: ");
  line.append(what_failed(error.step));
  if (!error.detail.empty()) line.append(": ").append(error.detail);
  if (!error.file.empty()) line.append("; see ").append(error.file);
  if (!error.advice.empty()) line.append("; ").append(error.advice);
  return line;
}

std::string tls_broken_line(std::string_view reason) {
  return "TLS failed: connection broken: " + without_controls(reason);
}

std::string tls_start_line(const tls::ServerSession& session) {
  std::string line = "TLS started: " + session.facts.version + " " + session.facts.cipher;
  if (session.facts.resumed) line.append(" resumed");
  if (!session.server_name.empty()) line.append(" sni ").append(cleaned(session.server_name));
  if (session.client.email) line.append(" cert ").append(cleaned(*session.client.email));
  return line;
}

std::string group_line(const tls::SessionFacts& facts) {
  return "key exchange: " + (facts.group.empty() ? "without a group" : facts.group);
}

std::string certificate_line(const tls::ClientCertificate& certificate) {
  using State = tls::ClientCertificate::State;
  if (certificate.state == State::none) return "client certificate: none";
  if (certificate.state == State::unknown) {
    return "client certificate: not to be judged: " + certificate.file + ": " + certificate.reason;
  }
  std::string line = "client certificate: subject " + cleaned(certificate.subject) + " issuer " +
                     cleaned(certificate.issuer);
  if (certificate.state == State::verified) return line.append(" verified");
  return line.append(" not verified: ").append(certificate.reason);
}

std::string warning_line(const tls::Warning& warning) {
  return "warning: " + warning.file + ": " + warning.reason;
}

}  // namespace qmail::smtpd
