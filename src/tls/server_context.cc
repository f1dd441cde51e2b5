#include "tls/tls.h"

namespace qmail::tls {

void ContextDeleter::operator()(ssl_ctx_st*) const {}

Result<ServerContext, TlsError> ServerContext::create(const ServerSettings&) {
  return Failure(TlsError{TlsError::Step::context, "no server side yet"});
}

Result<ServerSession, TlsError> ServerContext::accept(int, int, Deadline) {
  return Failure(TlsError{TlsError::Step::handshake, "no server side yet"});
}

}  // namespace qmail::tls
