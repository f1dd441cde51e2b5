// The server's side: certificate, key exchange, tickets, and what becomes of a client's
// certificate.
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/context.h"
#include "tls/identity.h"
#include "tls/peer_identity.h"
#include "tls/ticket_keys.h"
#include "tls/tls.h"
#include "tls/tls_error.h"
#include "tls/tls_transport.h"
#include "tls/trust.h"

namespace qmail::tls {

namespace {

using Step = TlsError::Step;

// The parameters in `file`, if they are any good; and a complaint if they are not.
KeyPtr dh_parameters(const std::string& file, std::vector<Warning>& warnings) {
  constexpr int least_bits = 2048;
  const PemFile pem = read_pem(file);
  if (pem.absent) return nullptr;
  for (const PemBlock& block : pem.blocks) {
    if (block.label != PEM_STRING_DHPARAMS) continue;
    KeyPtr key = decode_key(block.bytes(), {"type-specific", "DH", EVP_PKEY_KEY_PARAMETERS});
    if (key && EVP_PKEY_get_bits(key.get()) >= least_bits) return key;
    warnings.push_back({file, key ? "shorter than 2048 bits, not used" : "damaged, not used"});
    return nullptr;
  }
  const std::string problem = pem.problem();
  warnings.push_back({file, problem.empty() ? "holds no DH parameters" : problem});
  return nullptr;
}

void use_dh(SSL_CTX* context, const std::string& file, std::vector<Warning>& warnings) {
  KeyPtr parameters = file.empty() ? nullptr : dh_parameters(file, warnings);
  if (parameters && SSL_CTX_set0_tmp_dh_pkey(context, parameters.get()) == 1) {
    (void)parameters.release();  // the context's now
    return;
  }
  if (parameters) warnings.push_back({file, take_library_error()});
  SSL_CTX_set_dh_auto(context, 1);
}

// No ticket for a session in which a certificate came; see also ticket_keys.cc.
int on_client_certificate(int /*ok*/, X509_STORE_CTX* store) {
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  SSL_set_num_tickets(ssl, 0);
  return carry_on(1, store);
}

}  // namespace

void ContextDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<ServerContext, TlsError> ServerContext::create(const ServerSettings& settings) {
  SslContextPtr context = new_context(TLS_server_method());
  if (!context) return Failure(TlsError{Step::context, take_library_error()});
  SSL_CTX* raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(raw, 0);

  ServerContext result;
  // Before the certificate: the list may lower the security level that a certificate must meet.
  if (auto warning = use_ciphers(raw, settings.ciphers)) {
    result.warnings_.push_back(std::move(*warning));
  }
  if (auto error =
          use_identity(raw, read_pem(settings.certificate_file), settings.certificate_file)) {
    return Failure(*error);
  }
  use_dh(raw, settings.dh_file, result.warnings_);
  if (settings.client_certificates) {
    result.ask_for_certificate(raw, *settings.client_certificates);
  }
  // A ticket from a session in which no certificate was asked for must not keep a client from being
  // asked for one now.
  const std::string_view session_context =
      result.asks_for_certificate_ ? "qmail, certificate asked for" : "qmail";
  if (SSL_CTX_set_session_id_context(raw,
                                     reinterpret_cast<const unsigned char*>(session_context.data()),
                                     static_cast<unsigned int>(session_context.size())) != 1) {
    return Failure(TlsError{Step::session_id_context, take_library_error()});
  }
  if (!settings.ticket_keys_file.empty()) {
    TicketKeysRead tickets = read_ticket_keys(settings.ticket_keys_file);
    if (tickets.warning) result.warnings_.push_back(std::move(*tickets.warning));
    result.ticket_keys_ = std::move(tickets.keys);
    if (result.ticket_keys_) use_ticket_keys(raw, *result.ticket_keys_);
  }
  result.context_.reset(context.release());
  return result;
}

void ServerContext::ask_for_certificate(SSL_CTX* context,
                                        const ServerSettings::ClientCertificates& files) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const PemFile pem = read_pem(files.authorities_file);
  const Authorities found = add_authorities(store, pem);
  if (!found.problem.empty() || found.count() == 0) {
    warnings_.push_back(
        {files.authorities_file, found.problem.empty() ? "holds no certificate" : found.problem});
  }
  if (pem.error != 0 && !pem.absent) unreadable_ = warnings_.back();
  if (found.count() == 0) return;
  for (int i = 0; i < found.count(); ++i) {
    SSL_CTX_add_client_CA(context, sk_X509_value(found.certificates.get(), i));
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, on_client_certificate);
  asks_for_certificate_ = true;

  if (files.revocation_file.empty()) return;
  const PemFile lists = read_pem(files.revocation_file);
  if (lists.absent) return;
  revocation_problem_ = add_revocation_lists(store, lists);
  if (revocation_problem_.empty()) return;
  warnings_.push_back({files.revocation_file, revocation_problem_});
  if (lists.error != 0) unreadable_ = warnings_.back();
}

ClientCertificate ServerContext::client_of(ssl_st* ssl) const {
  ClientCertificate client;
  const auto not_to_be_told = [&] {
    client.state = ClientCertificate::State::unknown;
    client.reason = unreadable_->reason;
    client.file = unreadable_->file;
  };
  if (!asks_for_certificate_ && unreadable_) not_to_be_told();
  const CertificatePtr certificate(asks_for_certificate_ ? SSL_get1_peer_certificate(ssl)
                                                         : nullptr);
  if (!certificate) return client;
  client.subject = one_line(X509_get_subject_name(certificate.get()));
  client.issuer = one_line(X509_get_issuer_name(certificate.get()));
  const long verdict = SSL_get_verify_result(ssl);
  client.state = ClientCertificate::State::not_verified;
  if (verdict != X509_V_OK) {
    client.reason = X509_verify_cert_error_string(verdict);
  } else if (unreadable_) {
    not_to_be_told();
  } else if (!revocation_problem_.empty()) {
    client.reason = revocation_problem_;
  } else {
    client.state = ClientCertificate::State::verified;
    client.email = first_email(certificate.get());
  }
  return client;
}

Result<ServerSession, TlsError> ServerContext::accept(int in, int out, Deadline deadline) {
  ERR_clear_error();
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return Failure(TlsError{Step::connection, take_library_error()});
  SSL_set_accept_state(ssl.get());
  auto transport = TlsTransport::create(std::move(ssl), in, out);
  if (!transport) return Failure(TlsError{Step::connection, take_library_error()});
  if (auto error = transport->handshake(deadline)) return Failure(*error);

  ServerSession session;
  session.facts = facts_of(transport->ssl());
  const char* name = SSL_get_servername(transport->ssl(), TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) session.server_name = name;
  session.client = client_of(transport->ssl());
  session.transport = std::move(transport);
  return session;
}

}  // namespace qmail::tls
