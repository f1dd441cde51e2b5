#include "qmail-remote/tls_upgrade.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "qmail-remote/messages.h"
#include "qmail-remote/smtp_routes.h"
#include "qmail-remote/tls_words.h"

namespace qmail::remote {

namespace {

// " (control/tlsclientciphers: names no cipher)": what may have kept a handshake from succeeding.
std::string remarks(const std::vector<tls::Warning>& warnings) {
  std::string text;
  for (const tls::Warning& warning : warnings) {
    text.append(" (").append(warning.file).append(": ").append(warning.reason).append(")");
  }
  return text;
}

Trust trust_by(const TlsPolicy& policy) {
  if (policy.name_is_hearsay) return Trust::untrusted;
  if (std::holds_alternative<tls::Tlsa>(policy.verification)) return Trust::dane;
  return std::holds_alternative<tls::Fingerprints>(policy.verification) ? Trust::fingerprint
                                                                        : Trust::verified;
}

// "mx.example.org, .example.org"
std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += printable(name);
  }
  return text;
}

}  // namespace

std::optional<Ending> TlsUpgrade::prepare() {
  if (const auto error = tls::load()) return unavailable(*error);
  tls::ClientSettings settings;
  settings.server_name = policy_.server_name;
  if (policy_.level == TlsPolicy::Level::verify) settings.verification = policy_.verification;
  settings.certificate_file = manner_.control.file("clientcert.pem");
  const auto parameters = tls::read_parameters(
      manner_.control, {"tlsclientciphers", "clientciphersuite", "tlsclientmethod"});
  if (parameters) settings.parameters = *parameters;
  auto context = tls::ClientContext::create(settings);
  if (!context) return unavailable(context.error());
  if (!parameters) return Ending{deferred(text_control_unreadable)};
  // Its file is there, and nothing was found wrong with it.
  const auto& warnings = context->warnings();
  const auto there = manner_.control.has("clientcert.pem");
  has_own_certificate_ =
      there && *there &&
      std::none_of(warnings.begin(), warnings.end(), [&](const tls::Warning& warning) {
        return warning.file == settings.certificate_file;
      });
  context_ = std::move(*context);
  return std::nullopt;
}

std::optional<Ending> TlsUpgrade::unavailable(const tls::TlsError& error) const {
  if (error.step == tls::TlsError::Step::trust) {
    return before(tls_authorities_unusable(policy_.authorities, error.detail), {}, Then::give_up);
  }
  const bool narrowed_away = error.step == tls::TlsError::Step::parameters;
  if (!policy_.demands_tls() && server_.port != smtps_port && !narrowed_away) return std::nullopt;
  return before(error.step == tls::TlsError::Step::library ? tls_library_missing(error.detail)
                                                           : tls_context_failed(error.detail),
                {}, Then::give_up);
}

std::optional<Ending> TlsUpgrade::handshake(Connection& connection, int socket) {
  const Then then = policy_.demands_tls() ? policy_.when_unmet : Then::try_next;
  if (!connection.input().empty()) {
    // Put there by somebody in between, to be read as if it came through TLS.
    return after(tls_connect_failed(text_plaintext_behind_starttls), then);
  }
  auto session = context_->connect(socket, socket, Deadline::after(manner_.timeout));
  if (!session) {
    const tls::TlsError& error = session.error();
    const std::string reason = error.detail + remarks(context_->warnings());
    if (error.step == tls::TlsError::Step::handshake) {
      const bool once_more = policy_.falls_back && server_.port != smtps_port;
      return after(tls_connect_failed(reason), once_more ? Then::in_the_clear : then);
    }
    return after(tls_connection_failed(reason), Then::give_up);
  }
  connection.upgrade(std::move(session->transport));
  if (manner_.with_tls_facts) {
    facts_ = tls_facts(session->facts.version, session->facts.cipher, session->server.subject,
                       session->server.issuer, session->facts.group);
  }
  session_facts_ = std::move(session->facts);
  session_ = std::move(session->server);
  return std::nullopt;
}

std::string TlsUpgrade::words() const {
  if (!manner_.with_tls_words) return {};
  if (!active()) {
    return std::string(policy_.has_fallen_back ? text_after_failed_tls : text_without_tls);
  }
  if (session_->state != tls::ServerCertificate::State::verified) {
    return tls_words(session_facts_, Trust::untrusted);
  }
  return tls_words(session_facts_, trust_by(policy_));
}

std::optional<Ending> TlsUpgrade::verify() const {
  if (policy_.level != TlsPolicy::Level::verify ||
      session_->state == tls::ServerCertificate::State::verified) {
    return std::nullopt;
  }
  return after(verification_failure(), policy_.when_unmet);
}

std::string TlsUpgrade::verification_failure() const {
  using State = tls::ServerCertificate::State;
  const std::string& name = server_.name.empty() ? ip_ : server_.name;
  switch (session_->state) {
    case State::none:
      return name_not_verified(name, text_no_certificate);
    case State::other_fingerprint:
      return name_not_verified(name, other_fingerprint(session_->fingerprint));
    case State::records_not_matched:
      return records_not_matched(name, session_->reason);
    case State::no_matching_dns_name:
    case State::no_common_name:
    case State::other_common_name:
      return name_not_verified(
          name, policy_.wanted.empty() ? name_trouble() : is_not_for(joined(policy_.wanted)));
    case State::verified:
    case State::chain_not_verified:
    case State::unverified:
      break;
  }
  return chain_not_verified(policy_.authorities, session_->reason);
}

// As a tlshosts file's reports have it.
std::string TlsUpgrade::name_trouble() const {
  using State = tls::ServerCertificate::State;
  if (session_->state == State::no_matching_dns_name) return std::string(text_no_matching_dns_name);
  if (session_->state == State::no_common_name) return std::string(text_no_common_name);
  return received_certificate_for(session_->common_name);
}

// --- endings ---

Ending TlsUpgrade::unmet(const std::string& sentence, std::string_view reply) const {
  return before(sentence, reply, policy_.when_unmet);
}

Ending TlsUpgrade::before(const std::string& sentence, std::string_view reply, Then then) const {
  return {deferred_before_tls(sentence, ip_, reply), then};
}

Ending TlsUpgrade::after(const std::string& sentence, Then then) const {
  return {deferred(sentence + "; connected to " + ip_ + ".\n" + facts_), then};
}

}  // namespace qmail::remote
