#include "tls/tls.h"

namespace qmail::tls {

Result<ClientContext, TlsError> ClientContext::create(const ClientSettings&) {
  return Failure(TlsError{TlsError::Step::context, "no client side yet"});
}

void ClientContext::set_ciphers(const Ciphers&) {}

Result<ClientSession, TlsError> ClientContext::connect(int, int, Deadline) {
  return Failure(TlsError{TlsError::Step::handshake, "no client side yet"});
}

}  // namespace qmail::tls
