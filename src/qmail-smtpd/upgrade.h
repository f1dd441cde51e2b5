// TlsUpgrade: the change of a connection to TLS, at its start (SMTPS) or after STARTTLS.
//
// Whatever goes wrong once the handshake has begun ends the session without another word in the
// clear: among the handshake, or behind an alert, it could only be misread.
#pragma once

#include <optional>
#include <string_view>

#include "qmail-smtpd/log.h"
#include "qmail-smtpd/switches.h"
#include "qmail/connection.h"
#include "qmail/control.h"
#include "qmail/result.h"
#include "tls/tls.h"

namespace qmail::smtpd {

// They stay the caller's.
struct Descriptors {
  int in;
  int out;
};

// The handshake failed; the log knows. There is nothing left to say to the client.
struct HandshakeFailed {};

class TlsUpgrade {
 public:
  // What is referred to outlives it.
  TlsUpgrade(Descriptors descriptors, const Switches& switches, const ControlDir& control,
             const Log& log)
      : descriptors_(descriptors), switches_(switches), control_(control), log_(log) {}

  // Is there a certificate (whether it is any good shows later), and OpenSSL?
  bool to_be_had();

  struct Started {
    tls::SessionFacts facts;
    tls::ClientCertificate certificate;
  };
  // Sets TLS up, tells the client `go_ahead` (unless empty) and changes the connection to TLS. A
  // failure before that is returned: the client has not been told. It is the session's: a client
  // that asks again and again does not fill the log. A later one is thrown: HandshakeFailed.
  Result<Started, tls::TlsError> start(Connection& connection, std::string_view go_ahead);

 private:
  Started shake_hands(Connection& connection, tls::ServerContext context) const;

  Descriptors descriptors_;
  const Switches& switches_;
  const ControlDir& control_;
  const Log& log_;
  std::optional<tls::TlsError> failure_;  // why there is no TLS: logged, not tried again
};

}  // namespace qmail::smtpd
