#include "tls/dane.h"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

const unsigned char* bytes_of(const TlsaRecord& record) {
  return reinterpret_cast<const unsigned char*>(record.data.data());
}

// A leading dot would stand for every name below.
bool add_name(X509_VERIFY_PARAM* parameters, const std::string& name) {
  if (name.empty() || name.front() == '.') return true;
  return X509_VERIFY_PARAM_add1_host(parameters, name.data(), name.size()) == 1;
}

}  // namespace

bool allow_dane(SSL_CTX* context) { return SSL_CTX_dane_enable(context) > 0; }

std::optional<TlsError> expect_records(SSL* ssl, const Tlsa& wanted) {
  const auto error = [] { return TlsError{TlsError::Step::connection, take_library_error()}; };
  if (SSL_dane_enable(ssl, wanted.base.c_str()) <= 0) return error();
  SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  for (const std::string& name : wanted.names) {
    if (!add_name(parameters, name)) return error();
  }
  int taken = 0;
  for (const TlsaRecord& record : wanted.records) {
    if (record.data.empty()) continue;  // OpenSSL would call it a want of memory
    const int added = SSL_dane_tlsa_add(ssl, record.usage, record.selector, record.matching_type,
                                        bytes_of(record), record.data.size());
    if (added < 0) return error();
    taken += added;
  }
  if (taken == 0) return error();
  ERR_clear_error();  // of those that were not taken
  return std::nullopt;
}

void compare_records(SSL* ssl, const X509* certificate, ServerCertificate& result) {
  long verdict = SSL_get_verify_result(ssl);
  // Which record it was: none, if nothing was compared with them, for want of a certificate or for
  // whatever reason.
  const bool matched =
      certificate != nullptr && SSL_get0_dane_authority(ssl, nullptr, nullptr) >= 0;
  if (verdict == X509_V_OK && matched) {
    result.state = ServerCertificate::State::verified;
    return;
  }
  if (verdict == X509_V_OK) verdict = X509_V_ERR_DANE_NO_MATCH;
  result.state = ServerCertificate::State::records_not_matched;
  result.reason = X509_verify_cert_error_string(verdict);
}

bool is_readable(const TlsaRecord& record) {
  constexpr int whole_certificate = 0;
  const unsigned char* const end = bytes_of(record) + record.data.size();
  const unsigned char* at = bytes_of(record);
  const auto size = static_cast<long>(record.data.size());
  ERR_clear_error();
  bool good = false;
  if (record.selector == whole_certificate) {
    const CertificatePtr certificate(d2i_X509(nullptr, &at, size));
    good = certificate && X509_get0_pubkey(certificate.get()) != nullptr;
  } else {
    good = KeyPtr(d2i_PUBKEY(nullptr, &at, size)) != nullptr;
  }
  ERR_clear_error();
  return good && at == end;
}

}  // namespace qmail::tls
