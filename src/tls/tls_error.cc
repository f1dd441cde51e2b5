#include "tls/tls_error.h"

#include <array>

#include <openssl/err.h>

namespace qmail::tls {

namespace {

std::string text_of(unsigned long error) {
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
