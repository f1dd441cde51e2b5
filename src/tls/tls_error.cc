// ERR_load_SSL_strings and its like are deprecated in favour of loading every text at the start,
// which costs a million instructions in each session; see set_up_library in context.cc.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "tls/tls_error.h"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace qmail::tls {

namespace {

// The texts of the libraries whose errors can come up here; loading them again is harmless.
void load_texts() {
  ERR_load_ERR_strings();
  ERR_load_SSL_strings();
  ERR_load_ASN1_strings();
  ERR_load_BN_strings();
  ERR_load_CONF_strings();
  ERR_load_CRYPTO_strings();
  ERR_load_DH_strings();
  ERR_load_EC_strings();
  ERR_load_EVP_strings();
  ERR_load_PEM_strings();
  ERR_load_RAND_strings();
  ERR_load_RSA_strings();
  ERR_load_X509_strings();
  ERR_load_X509V3_strings();
}

std::string text_of(unsigned long error) {
  load_texts();
  std::array<char, 256> text{};
  ERR_error_string_n(error, text.data(), text.size());
  return text.data();
}

// "SSL routines::PEM lib": only says in which library the entry before it came up.
bool only_refers(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  constexpr int last_library = ERR_LIB_USER;
  return !ERR_SYSTEM_ERROR(error) && (reason & ERR_RFLAG_COMMON) != 0 &&
         (reason & ERR_RFLAG_FATAL) == 0 && (reason & ~ERR_RFLAG_COMMON) < last_library;
}

}  // namespace

std::string take_library_error() {
  unsigned long chosen = ERR_peek_last_error();
  // The queue is read from its oldest entry on, so the last one that is good is the newest.
  while (const unsigned long error = ERR_get_error()) {
    if (!only_refers(error)) chosen = error;
  }
  return chosen != 0 ? text_of(chosen) : std::string();
}

std::string library_error(int library, int reason) { return text_of(ERR_PACK(library, 0, reason)); }

std::string system_error(int error) {
  return text_of(static_cast<unsigned int>(ERR_SYSTEM_FLAG) | static_cast<unsigned int>(error));
}

}  // namespace qmail::tls
