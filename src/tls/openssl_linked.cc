// load() where OpenSSL was linked in the ordinary way: there is nothing left to do.
#include "tls/tls.h"

namespace qmail::tls {

std::optional<TlsError> load() { return std::nullopt; }
std::optional<TlsError> missing() { return std::nullopt; }

}  // namespace qmail::tls
