// version_text(), see tls.h.
#include <openssl/crypto.h>
#include <openssl/opensslv.h>

#include "qmail/build_config.h"
#include "tls/tls.h"

namespace qmail::tls {

std::string version_text(std::string_view program, const std::optional<TlsError>& not_loaded) {
  std::string text(program);
  text.append(" ").append(version).append(" (qmail-tls)\nbuilt for OpenSSL " OPENSSL_VERSION_STR);
  if (not_loaded) return text + "\nno OpenSSL to run with: " + not_loaded->detail + "\n";
  return text.append("\nruns with ").append(OpenSSL_version(OPENSSL_VERSION)) + "\n";
}

}  // namespace qmail::tls
