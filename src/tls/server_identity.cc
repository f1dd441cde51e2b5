#include "tls/server_identity.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <openssl/objects.h>

#include "tls/identity.h"
#include "tls/rehearsal.h"
#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

using Step = TlsError::Step;

std::string_view key_type(const Identity& identity) {
  const char* type = EVP_PKEY_get0_type_name(identity.key.get());
  return type != nullptr ? type : "";
}

bool is_rsa(const Identity& identity) { return key_type(identity).starts_with("RSA"); }

// What every client's hello names: RSA, Edwards curves, NIST's three.
bool has_usual_key(const Identity& identity) {
  if (is_rsa(identity)) return true;
  const std::string_view type = key_type(identity);
  if (type != "EC") return type == "ED25519" || type == "ED448";
  std::array<char, 64> group{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(identity.key.get(), group.data(), group.size(), &length) != 1)
    return false;
  const std::string_view name(group.data(), length);
  return name == SN_X9_62_prime256v1 || name == SN_secp384r1 || name == SN_secp521r1;
}

// A key that clients may not know is tried out. It costs what two sessions cost.
std::optional<TlsError> use_for_nobody(SSL_CTX* context, const Identity& identity) {
  if (has_usual_key(identity)) return std::nullopt;
  SslPtr ssl(SSL_new(context));
  if (!ssl) return TlsError{Step::connection, take_library_error()};
  SSL_set_cert_cb(ssl.get(), nullptr, nullptr);
  if (auto error = use_identity(ssl.get(), identity)) return error;
  std::string problem = rehearse(std::move(ssl));
  if (problem.empty()) return std::nullopt;
  return TlsError{Step::certificate, std::move(problem), identity.file,
                  "no client can use its key: take RSA, P-256, P-384, P-521 or Ed25519"};
}

Result<Identity, TlsError> read_usable(SSL_CTX* context, const PemFile& pem,
                                       const std::string& file, std::vector<Warning>& warnings) {
  auto identity = read_identity(pem, file);
  if (!identity) return identity;
  if (auto error = use_for_nobody(context, *identity)) return Failure(std::move(*error));
  if (std::any_of(pem.blocks.begin(), pem.blocks.end(),
                  [](const PemBlock& block) { return block.is_revocation_list(); })) {
    warnings.push_back({file, "holds revocation lists, which do not count there"});
  }
  return identity;
}

// The identity in the second file, if `ssl` shows it now.
std::optional<Identity> show_second(SSL* ssl, const std::string& file,
                                    std::vector<Warning>& warnings) {
  if (file.empty()) return std::nullopt;
  const PemFile pem = read_pem(file);
  if (pem.absent) return std::nullopt;
  auto identity = read_usable(SSL_get_SSL_CTX(ssl), pem, file, warnings);
  const auto error = identity ? use_identity(ssl, *identity) : std::optional(identity.error());
  if (!error) return std::move(*identity);
  warnings.push_back(as_warning(*error));
  return std::nullopt;
}

// The client will take it, whatever else there is: OpenSSL prefers ECDSA to RSA. (In TLS 1.2 that
// depends on the ciphers.)
bool is_enough(SSL* ssl, const Identity& identity) {
  return SSL_version(ssl) >= TLS1_3_VERSION && !is_rsa(identity) &&
         (SSL_check_chain(ssl, identity.leaf.get(), identity.key.get(), identity.chain.get()) &
          CERT_PKEY_VALID) != 0;
}

}  // namespace

Warning as_warning(const TlsError& error) {
  return {error.file, error.advice.empty() ? error.detail : error.detail + "; " + error.advice};
}

std::optional<TlsError> show(SSL_CTX* context, const std::string& file,
                             std::vector<Warning>& warnings) {
  const auto identity = read_usable(context, read_pem(file), file, warnings);
  return identity ? use_identity(context, *identity) : std::optional(identity.error());
}

std::optional<TlsError> missing_part(const IdentityFiles& files) {
  return missing_part(read_pem(files.first), files.first);
}

std::optional<TlsError> show(SSL* ssl, const IdentityFiles& files, std::vector<Warning>& warnings) {
  const PemFile pem = read_pem(files.first);
  if (auto error = missing_part(pem, files.first)) return error;
  const auto second = show_second(ssl, files.second, warnings);
  if (second && is_enough(ssl, *second)) return std::nullopt;
  const auto first = read_usable(SSL_get_SSL_CTX(ssl), pem, files.first, warnings);
  auto error = first ? use_identity(ssl, *first) : std::optional(first.error());
  if (error) {
    SSL_certs_clear(ssl);
  } else if (second && key_type(*first) == key_type(*second)) {
    warnings.push_back({files.second, "its key is of the same type as that in " + files.first +
                                          ", so it is not used"});
  }
  return error;
}

}  // namespace qmail::tls
