// HMAC-MD5 for CRAM-MD5 (RFC 2195), by OpenSSL.
#include <array>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tls/tls.h"

namespace qmail::tls {

std::optional<std::string> hmac_md5(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const bool done = HMAC(EVP_md5(), key.data(), static_cast<int>(key.size()),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         digest.data(), &size) != nullptr;
  ERR_clear_error();
  std::optional<std::string> result;
  if (done) result.emplace(reinterpret_cast<const char*>(digest.data()), size);
  OPENSSL_cleanse(digest.data(), digest.size());
  return result;
}

}  // namespace qmail::tls
