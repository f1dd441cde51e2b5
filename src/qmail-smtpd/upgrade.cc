#include "qmail-smtpd/upgrade.h"

#include <exception>
#include <utility>

#include "qmail-smtpd/starttls.h"
#include "qmail/confinement.h"

namespace qmail::smtpd {

bool TlsUpgrade::to_be_had() {
  if (failure_ && failure_->step == tls::TlsError::Step::library) return false;
  const auto certificate = control_.has("servercert.pem");
  if (certificate && !*certificate) return false;
  auto missing = tls::missing();
  if (!missing) return true;
  log_.line(tls_failure_line(*missing));
  failure_ = std::move(missing);
  return false;
}

Result<TlsUpgrade::Started, tls::TlsError> TlsUpgrade::start(Connection& connection,
                                                             std::string_view go_ahead) {
  if (failure_) return Failure(*failure_);
  hide_memory();  // the private key is about to be in it
  auto context = make_tls_context(control_, switches_);
  if (!context) {
    log_.line(tls_failure_line(context.error()));
    failure_ = context.error();
    return Failure(context.error());
  }
  for (const tls::Warning& warning : context->warnings()) log_.line(warning_line(warning));
  if (!go_ahead.empty()) {
    connection.write(go_ahead);
    connection.flush();
  }
  try {
    return shake_hands(connection, *std::move(context));
  } catch (const std::exception&) {
    throw HandshakeFailed{};
  }
}

TlsUpgrade::Started TlsUpgrade::shake_hands(Connection& connection,
                                            tls::ServerContext context) const {
  auto started = context.accept(descriptors_.in, descriptors_.out, connection.deadline());
  for (const tls::Warning& warning : context.accept_warnings()) log_.line(warning_line(warning));
  if (!started) {
    log_.line(tls_failure_line(started.error()));
    throw HandshakeFailed{};
  }
  log_.line(tls_start_line(*started));
  if (switches_.debug) {
    log_.line(group_line(started->facts));
    log_.line(certificate_line(started->client));
  }
  connection.upgrade(std::move(started->transport));
  return Started{std::move(started->facts), std::move(started->client)};
}

}  // namespace qmail::smtpd
