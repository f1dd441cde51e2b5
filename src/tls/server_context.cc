// The server's side: certificate, key exchange, tickets, and what becomes of a client's
// certificate.
#include <algorithm>
#include <string_view>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/client_request.h"
#include "tls/context.h"
#include "tls/parameters.h"
#include "tls/peer_identity.h"
#include "tls/server_handshake.h"
#include "tls/server_identity.h"
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

bool has_block(const PemFile& pem, bool (PemBlock::*is_kind)() const) {
  return std::any_of(pem.blocks.begin(), pem.blocks.end(),
                     [is_kind](const PemBlock& block) { return (block.*is_kind)(); });
}

// No authority for it was found, or only itself.
bool lacks_authority(long verdict) {
  return verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
         verdict == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
         verdict == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
         verdict == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
         verdict == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
}

// For the log: some failures say nothing to whoever has not read OpenSSL's source.
std::string handshake_advice(std::string_view detail) {
  const auto says = [&](std::string_view text) {
    return detail.find(text) != std::string_view::npos;
  };
  if (says("wrong curve")) {
    return "the client showed a certificate on a curve that its own hello, or this OpenSSL, does "
           "not name";
  }
  if (says("no suitable signature algorithm")) {
    return "the client, or SignatureAlgorithms in openssl.cnf, allows none that fits the key";
  }
  return {};
}

}  // namespace

void ContextDeleter::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

// Here, where ServerHandshake is known.
ServerContext::ServerContext() = default;
ServerContext::ServerContext(ServerContext&&) noexcept = default;
ServerContext& ServerContext::operator=(ServerContext&&) noexcept = default;
ServerContext::~ServerContext() = default;

Result<ServerContext, TlsError> ServerContext::create(const ServerSettings& settings) {
  SslContextPtr context = new_context(TLS_server_method());
  if (!context) return Failure(TlsError{Step::context, take_library_error()});
  SSL_CTX* raw = context.get();
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(raw, 0);
  if (settings.wipes_input) SSL_CTX_set_options(raw, SSL_OP_CLEANSE_PLAINTEXT);

  ServerContext result;
  // Before the certificate: the list may lower the security level that a certificate must meet.
  auto narrowed = use_parameters(raw, settings.parameters);
  if (!narrowed) return Failure(narrowed.error());
  result.warnings_ = std::move(*narrowed);
  const IdentityFiles files{settings.certificate_file, settings.second_certificate_file};
  const bool by_hello = !files.second.empty() || !settings.names_folder.empty();
  if (auto error = by_hello ? missing_part(files) : show(raw, files.first, result.warnings_)) {
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
  result.handshake_ = std::make_unique<ServerHandshake>();
  result.handshake_->asks_for_certificate = result.asks_for_certificate_;
  if (by_hello) result.handshake_->usual = files;
  if (!settings.names_folder.empty()) {
    result.handshake_->names = {settings.names_folder, std::string(session_context)};
  }
  watch(raw, *result.handshake_);
  result.context_.reset(context.release());
  return result;
}

void ServerContext::ask_for_certificate(SSL_CTX* context,
                                        const ServerSettings::ClientCertificates& files) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const bool none = files.authorities_file.empty();
  const PemFile pem = none ? PemFile{.absent = true} : read_pem(files.authorities_file);
  const Authorities found = add_authorities(store, pem);
  if (!none && (!found.problem.empty() || found.count() == 0)) {
    authorities_problem_ = {files.authorities_file,
                            found.problem.empty() ? "holds no certificate" : found.problem};
    warnings_.push_back(*authorities_problem_);
    if (pem.absent) authorities_problem_.reset();  // gone since somebody saw it: nobody is asked
  }
  if (found.count() == 0 && !files.known_by_digest) return;
  if (has_block(pem, &PemBlock::is_private_key)) {
    warnings_.push_back({files.authorities_file, "holds a private key, which has no use there"});
  }
  if (!tls::ask_for_certificate(context, found.certificates.get(), on_client_certificate)) {
    warnings_.push_back({files.authorities_file,
                         "holds more authorities than can be named to clients, so none is"});
  }
  asks_for_certificate_ = true;
  if (found.count() == 0) return;

  const PemFile lists =
      files.revocation_file.empty() ? PemFile{.absent = true} : read_pem(files.revocation_file);
  if (lists.absent) {
    if (!has_block(pem, &PemBlock::is_revocation_list)) return;
    warnings_.push_back({files.authorities_file, "holds revocation lists, which count only where " +
                                                     files.revocation_file + " is there"});
    return;
  }
  if (has_block(lists, &PemBlock::is_certificate)) {
    warnings_.push_back({files.revocation_file, "holds certificates, which do not count there"});
  }
  const std::string problem = add_revocation_lists(store, lists, pem);
  if (problem.empty()) return;
  revocation_problem_ = {files.revocation_file, problem};
  warnings_.push_back(*revocation_problem_);
}

ClientCertificate ServerContext::client_of(ssl_st* ssl) const {
  ClientCertificate client;
  const auto not_to_be_told = [&](const Warning& problem) {
    client.state = ClientCertificate::State::unknown;
    client.reason = problem.reason;
    client.file = problem.file;
  };
  if (!asks_for_certificate_ && authorities_problem_) not_to_be_told(*authorities_problem_);
  const CertificatePtr certificate(asks_for_certificate_ ? SSL_get1_peer_certificate(ssl)
                                                         : nullptr);
  if (!certificate) return client;
  client.subject = one_line(X509_get_subject_name(certificate.get()));
  client.issuer = one_line(X509_get_issuer_name(certificate.get()));
  client.sha256 = sha256_of(certificate.get());
  const long verdict = SSL_get_verify_result(ssl);
  client.state = ClientCertificate::State::not_verified;
  if (authorities_problem_ && lacks_authority(verdict)) {
    not_to_be_told(*authorities_problem_);
  } else if (verdict != X509_V_OK) {
    client.reason = X509_verify_cert_error_string(verdict);
  } else if (revocation_problem_) {
    not_to_be_told(*revocation_problem_);
  } else {
    client.state = ClientCertificate::State::verified;
    client.email = first_email(certificate.get());
    client.alternative_emails = alternative_emails(certificate.get());
  }
  return client;
}

const std::vector<Warning>& ServerContext::accept_warnings() const { return handshake_->warnings; }

Result<ServerSession, TlsError> ServerContext::accept(int in, int out, Deadline deadline) {
  ERR_clear_error();
  handshake_->begin();
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return Failure(TlsError{Step::connection, take_library_error()});
  SSL_set_accept_state(ssl.get());
  auto transport = TlsTransport::create(std::move(ssl), in, out);
  if (!transport) return Failure(TlsError{Step::connection, take_library_error()});
  transport->keep(ticket_keys_);
  if (auto error = transport->handshake(deadline)) {
    if (handshake_->failure) return Failure(*handshake_->failure);
    error->advice = handshake_advice(error->detail);
    return Failure(*error);
  }

  ServerSession session;
  session.facts = facts_of(transport->ssl());
  const char* name = SSL_get_servername(transport->ssl(), TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) session.server_name = name;
  session.client = client_of(transport->ssl());
  session.transport = std::move(transport);
  return session;
}

}  // namespace qmail::tls
