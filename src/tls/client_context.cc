// The client's side: trust anchors, the certificate to show, the verdict over the server's.
#include <openssl/err.h>
#include <openssl/x509err.h>

#include "qmail/ip_address.h"
#include "tls/context.h"
#include "tls/dane.h"
#include "tls/identity.h"
#include "tls/parameters.h"
#include "tls/peer_identity.h"
#include "tls/tls.h"
#include "tls/tls_error.h"
#include "tls/tls_transport.h"
#include "tls/trust.h"

namespace qmail::tls {

namespace {

using Step = TlsError::Step;

std::optional<TlsError> trust_anchors(SSL_CTX* context, const Anchors& anchors) {
  if (anchors.file.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return std::nullopt;
    return TlsError{Step::trust, take_library_error()};
  }
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const PemFile pem = read_pem(anchors.file);
  const Authorities found = add_authorities(store, pem);
  if (!found.problem.empty()) return TlsError{Step::trust, found.problem, anchors.file};
  if (found.count() == 0) {
    return TlsError{Step::trust, library_error(ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND),
                    anchors.file};
  }
  if (anchors.partial_chains) X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return std::nullopt;
}

void judge(const Anchors& anchors, SSL* ssl, X509* certificate, ServerCertificate& result) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) {
    result.state = ServerCertificate::State::chain_not_verified;
    result.reason = X509_verify_cert_error_string(verdict);
  } else if (certificate == nullptr) {
    result.state = ServerCertificate::State::none;
  } else {
    compare_name(certificate, anchors.names, anchors.domains, result);
  }
}

void judge(const Fingerprints& wanted, SSL* /*ssl*/, X509* certificate, ServerCertificate& result) {
  if (certificate == nullptr) {
    result.state = ServerCertificate::State::none;
    return;
  }
  result.fingerprint = sha256_of(certificate);
  result.state = has_fingerprint(certificate, wanted.digests)
                     ? ServerCertificate::State::verified
                     : ServerCertificate::State::other_fingerprint;
}

void judge(const Tlsa& /*wanted*/, SSL* ssl, X509* certificate, ServerCertificate& result) {
  compare_records(ssl, certificate, result);
}

void judge(std::monostate /*nothing*/, SSL* /*ssl*/, X509* /*certificate*/,
           ServerCertificate& /*result*/) {}

}  // namespace

Result<ClientContext, TlsError> ClientContext::create(const ClientSettings& settings) {
  SslContextPtr context = new_context(TLS_client_method());
  if (!context) return Failure(TlsError{Step::context, take_library_error()});
  ClientContext result;
  result.server_name_ = settings.server_name;
  result.verification_ = settings.verification;
  if (const auto* anchors = std::get_if<Anchors>(&settings.verification)) {
    if (auto error = trust_anchors(context.get(), *anchors)) return Failure(*error);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, carry_on);
  } else if (std::holds_alternative<Tlsa>(settings.verification)) {
    if (!allow_dane(context.get())) return Failure(TlsError{Step::context, take_library_error()});
    // The first failure is the reason, and the handshake goes on.
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    // As Postfix has it: a key that DNS vouches for may be an old one.
    SSL_CTX_set_security_level(context.get(), 1);
  } else {
    // No chain is looked at, so any TLS is better than mail that is stuck: short keys, SHA-1,
    // servers without RFC 5746. TLS 1.2 stays the floor, and somebody must have a key (narrow).
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_options(context.get(), SSL_OP_LEGACY_SERVER_CONNECT);
  }
  if (!settings.certificate_file.empty()) {
    const PemFile pem = read_pem(settings.certificate_file);
    if (!pem.absent) {
      auto identity = read_identity(pem, settings.certificate_file);
      const auto error =
          identity ? use_identity(context.get(), *identity) : std::optional(identity.error());
      if (error) {
        result.warnings_.push_back(
            {error->file, error->advice.empty() ? error->detail : error->advice});
      }
    }
  }
  // Behind the certificate, which is shown whatever the security level that the list sets.
  if (auto error = result.narrow(context.get(), settings.parameters)) return Failure(*error);
  SSL_CTX_set_post_handshake_auth(context.get(), 1);
  result.context_.reset(context.release());
  return result;
}

std::optional<TlsError> ClientContext::narrow(ssl_ctx_st* context, const Parameters& parameters) {
  Parameters allowed = parameters;
  // What the security level, which is lower here than the library's, keeps out of any list.
  const bool lowered = !std::holds_alternative<Anchors>(verification_);
  if (lowered && allowed.ciphers.list != Ciphers().list) {
    allowed.ciphers.list += ":!aNULL:!eNULL";
  }
  auto odd = use_parameters(context, allowed);
  if (!odd) return odd.error();
  for (Warning& warning : *odd) {
    const bool about_ciphers = warning.file == parameters.ciphers.origin;
    if (warning.file == parameters.versions.origin) continue;
    warnings_.push_back(about_ciphers ? no_cipher(parameters.ciphers) : std::move(warning));
  }
  return std::nullopt;
}

Result<ClientSession, TlsError> ClientContext::connect(int in, int out, Deadline deadline) {
  ERR_clear_error();
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return Failure(TlsError{Step::connection, take_library_error()});
  SSL_set_connect_state(ssl.get());
  // RFC 6066, section 3: a name, never an address. One too long for DNS is not sent.
  if (!server_name_.empty() && !parse_ip(server_name_)) {
    SSL_set_tlsext_host_name(ssl.get(), server_name_.c_str());
  }
  if (const auto* records = std::get_if<Tlsa>(&verification_)) {
    if (auto error = expect_records(ssl.get(), *records)) return Failure(*error);
  }
  auto transport = TlsTransport::create(std::move(ssl), in, out);
  if (!transport) return Failure(TlsError{Step::connection, take_library_error()});
  if (auto error = transport->handshake(deadline)) return Failure(*error);

  ClientSession session;
  session.facts = facts_of(transport->ssl());
  const CertificatePtr certificate(SSL_get1_peer_certificate(transport->ssl()));
  if (certificate) {
    session.server.subject = one_line(X509_get_subject_name(certificate.get()));
    session.server.issuer = one_line(X509_get_issuer_name(certificate.get()));
  }
  std::visit(
      [&](const auto& wanted) {
        judge(wanted, transport->ssl(), certificate.get(), session.server);
      },
      verification_);
  session.transport = std::move(transport);
  return session;
}

}  // namespace qmail::tls
