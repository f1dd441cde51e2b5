#include "tls/identity.h"

#include <algorithm>
#include <cerrno>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

using Step = TlsError::Step;

struct Chain {
  CertificatePtr leaf;
  CertificateStackPtr others;
};

// The file's certificates, the first one apart. No leaf: one of them is damaged, or none is there.
Chain chain_of(const PemFile& pem) {
  Chain chain{nullptr, new_certificate_stack()};
  for (const PemBlock& block : pem.blocks) {
    if (!block.is_certificate()) continue;
    CertificatePtr certificate = certificate_of(block);
    if (!certificate) return {};
    if (!chain.leaf) {
      chain.leaf = std::move(certificate);
    } else if (sk_X509_push(chain.others.get(), certificate.get()) > 0) {
      (void)certificate.release();  // the stack's now
    } else {
      return {};
    }
  }
  return chain;
}

// `type`: that of the certificate's key. A key of another type, or in an unusual wrapping, is still
// found, so that the complaint is about what is wrong with it.
KeyPtr private_key_of(const PemBlock& block, const char* type) {
  const bool pkcs8 = block.label == PEM_STRING_PKCS8INF;
  KeyPtr key = decode_key(block.bytes(),
                          {pkcs8 ? "PrivateKeyInfo" : "type-specific", type, EVP_PKEY_KEYPAIR});
  if (key) return key;
  ERR_clear_error();
  return decode_key(block.bytes(), {nullptr, nullptr, EVP_PKEY_KEYPAIR});
}

std::string advice_for(const PemFile& pem) {
  if (pem.absent) return {};
  switch (pem.error) {
    case 0:
      return "it must hold the certificate, the chain, and the private key, in PEM";
    case EACCES:
    case EPERM:
      return "the user who runs this program must be able to read it: chown qmaild:qmail, chmod "
             "640; where "
             "it is a link into the closed folder of an ACME client, have servercert_deploy copy "
             "it";
    case ENOENT:
      return "it is a symbolic link that leads nowhere";
    default:
      return {};
  }
}

TlsError key_error(std::string detail, const std::string& file, std::string advice) {
  return {Step::key, std::move(detail), file, std::move(advice)};
}

bool is_usable_key(const PemBlock& block) { return block.is_private_key() && !block.encrypted; }

std::optional<TlsError> no_certificate(const PemFile& pem, const std::string& file) {
  const auto is_certificate = [](const PemBlock& block) { return block.is_certificate(); };
  if (std::any_of(pem.blocks.begin(), pem.blocks.end(), is_certificate)) return std::nullopt;
  std::string detail = pem.problem();
  if (detail.empty()) detail = library_error(ERR_LIB_PEM, PEM_R_NO_START_LINE);
  return TlsError{Step::certificate, std::move(detail), file, advice_for(pem)};
}

// No key that can be used, or a part of the file that is missing.
std::optional<TlsError> no_key(const PemFile& pem, const std::string& file) {
  const auto is_key = [](const PemBlock& block) { return block.is_private_key(); };
  if (std::none_of(pem.blocks.begin(), pem.blocks.end(), is_usable_key)) {
    if (std::any_of(pem.blocks.begin(), pem.blocks.end(), is_key)) {
      return key_error(library_error(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ), file,
                       "the private key is encrypted: remove the pass phrase with openssl pkey");
    }
    std::string detail = pem.problem();
    if (detail.empty()) detail = library_error(ERR_LIB_PEM, PEM_R_NO_START_LINE);
    return key_error(std::move(detail), file,
                     "it holds no private key: put the key into the same file");
  }
  if (pem.damage.empty()) return std::nullopt;
  // What is missing is a part of the chain, and clients could not verify what is left.
  return TlsError{Step::certificate, pem.damage, file, "a part of it is damaged or cut off"};
}

// Why OpenSSL did not take it: its error queue tells.
TlsError refused(const std::string& file) {
  const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_PRIVATE_KEY_MISMATCH;
  if (mismatch) {
    return key_error(take_library_error(), file,
                     "the private key is not that of the first certificate in it");
  }
  return {Step::certificate, take_library_error(), file, ""};
}

// Whatever is there with the same type of key.
constexpr int replace = 1;

}  // namespace

std::optional<TlsError> missing_part(const PemFile& pem, const std::string& file) {
  if (auto error = no_certificate(pem, file)) return error;
  return no_key(pem, file);
}

Result<Identity, TlsError> read_identity(const PemFile& pem, const std::string& file) {
  if (auto error = no_certificate(pem, file)) return Failure(*error);
  ERR_clear_error();
  Chain chain = chain_of(pem);
  if (!chain.leaf) {
    return Failure(TlsError{Step::certificate, take_library_error(), file, advice_for(pem)});
  }
  const EVP_PKEY* public_key = X509_get0_pubkey(chain.leaf.get());
  if (public_key == nullptr) {
    return Failure(TlsError{Step::certificate, take_library_error(), file,
                            "OpenSSL cannot read the public key in the first certificate"});
  }
  if (auto error = no_key(pem, file)) return Failure(*error);
  const auto block = std::find_if(pem.blocks.begin(), pem.blocks.end(), is_usable_key);
  KeyPtr key = private_key_of(*block, EVP_PKEY_get0_type_name(public_key));
  if (!key) {
    return Failure(key_error(take_library_error(), file, "the private key in it cannot be read"));
  }
  return Identity{std::move(chain.leaf), std::move(chain.others), std::move(key), file};
}

std::optional<TlsError> use_identity(SSL_CTX* context, const Identity& identity) {
  ERR_clear_error();
  if (SSL_CTX_use_cert_and_key(context, identity.leaf.get(), identity.key.get(),
                               identity.chain.get(), replace) == 1) {
    return std::nullopt;
  }
  return refused(identity.file);
}

std::optional<TlsError> use_identity(SSL* ssl, const Identity& identity) {
  ERR_clear_error();
  if (SSL_use_cert_and_key(ssl, identity.leaf.get(), identity.key.get(), identity.chain.get(),
                           replace) == 1) {
    return std::nullopt;
  }
  return refused(identity.file);
}

}  // namespace qmail::tls
