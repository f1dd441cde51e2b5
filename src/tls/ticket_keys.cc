#include "tls/ticket_keys.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "tls/secret_file.h"
#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

using Key = TicketKeys::Key;
static_assert(sizeof(Key) == 80);

bool use_mac_key(EVP_MAC_CTX* mac, const Key& key) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac),
                                        sizeof key.mac),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// See SSL_CTX_set_tlsext_ticket_key_evp_cb(3).
constexpr int failed = -1;
constexpr int no_ticket = 0;
constexpr int good = 1;
constexpr int good_but_renew = 2;

int make_ticket(const SSL* ssl, const Key& key, unsigned char* name, unsigned char* iv,
                EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  // A session that a certificate opened must not outlive the certificate's revocation.
  if (SSL_get0_peer_certificate(ssl) != nullptr) return no_ticket;
  const EVP_CIPHER* aes = EVP_aes_256_cbc();
  std::memcpy(name, key.name, sizeof key.name);
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1 ||
      EVP_EncryptInit_ex(cipher, aes, nullptr, key.cipher, iv) != 1 || !use_mac_key(mac, key)) {
    return failed;
  }
  return good;
}

// In TLS 1.3 a client should use a ticket once (RFC 8446, C.4), so it gets the next one: else every
// second visit would pay in full.
int open_ticket(const SSL* ssl, const TicketKeys& keys, const unsigned char* name,
                const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  const auto key = std::find_if(keys.keys.begin(), keys.keys.end(), [name](const Key& candidate) {
    return std::memcmp(candidate.name, name, sizeof candidate.name) == 0;
  });
  if (key == keys.keys.end()) return no_ticket;
  if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher, iv) != 1 ||
      !use_mac_key(mac, *key)) {
    return failed;
  }
  const bool newest = key == keys.keys.begin();
  return newest && SSL_version(ssl) < TLS1_3_VERSION ? good : good_but_renew;
}

int ticket_callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                    EVP_MAC_CTX* mac, int encrypting) {
  const auto& keys = *static_cast<const TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return encrypting == 1 ? make_ticket(ssl, keys.keys.front(), name, iv, cipher, mac)
                         : open_ticket(ssl, keys, name, iv, cipher, mac);
}

}  // namespace

TicketKeys::~TicketKeys() { OPENSSL_cleanse(keys.data(), keys.size() * sizeof(Key)); }

TicketKeysRead read_ticket_keys(const std::string& file) {
  const SecretFile whole = SecretFile::read(file);
  if (whole.absent) return {};
  if (whole.error != 0) return {{}, Warning{file, whole.reason}};
  char* start = nullptr;
  const long size = BIO_get_mem_data(whole.content.get(), &start);
  const std::string_view bytes(start, static_cast<std::size_t>(size));
  TicketKeysRead result;
  if (bytes.empty() || bytes.size() % sizeof(Key) != 0) {
    result.warning = {file, "not a number of records of 80 bytes, so no session tickets"};
  } else {
    result.keys = std::make_shared<TicketKeys>();
    result.keys->keys.resize(bytes.size() / sizeof(Key));
    std::memcpy(result.keys->keys.data(), bytes.data(), bytes.size());
  }
  return result;
}

void use_ticket_keys(SSL_CTX* context, TicketKeys& keys) {
  constexpr long lifetime = 2L * 60 * 60;
  SSL_CTX_set_app_data(context, &keys);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_callback);
  SSL_CTX_set_timeout(context, lifetime);
  SSL_CTX_clear_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 1);
}

}  // namespace qmail::tls
