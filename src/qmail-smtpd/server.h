// Server: one SMTP session, from the greeting to the last word.
//
// Moves bytes between the client, the Session, the TLS layer and the queue program; it owns the
// connection and is the only one that ends the conversation. Whatever goes wrong, at any depth,
// ends in run(): with the last words that fit, and never with a message accepted by accident.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "qmail-smtpd/config.h"
#include "qmail-smtpd/log.h"
#include "qmail-smtpd/queue_client.h"
#include "qmail-smtpd/session.h"
#include "qmail/connection.h"
#include "qmail/control.h"
#include "qmail/result.h"
#include "tls/tls.h"

namespace qmail::smtpd {

class Server {
 public:
  // They stay the caller's.
  struct Descriptors {
    int in;
    int out;
  };
  // What is referred to outlives the server.
  Server(Descriptors descriptors, const SmtpdConfig& config, const Environment& environment,
         const ControlDir& control, const Log& log);

  // The whole session. The program's exit status: 0 after QUIT, 1 after every other end.
  int run();

 private:
  struct TlsStarted {
    tls::SessionFacts facts;
    tls::ClientCertificate certificate;
  };
  struct MessageFaults {
    bool too_many_hops = false;
    bool too_large = false;
  };

  int conversation();  // run(), but for want of memory even for the last words
  void converse();
  void command_loop(Session& session);
  void reply(std::string_view text);
  void last_words(std::string_view text);

  std::string receive_message(Session& session, std::string_view go_ahead);
  MessageFaults read_message(QueueClient& queue);

  bool starttls_to_be_had();
  Result<TlsStarted, tls::TlsError> start_tls(std::string_view go_ahead);
  TlsStarted change_to_tls(tls::ServerContext context);

  Descriptors descriptors_;
  const SmtpdConfig& config_;
  const Environment& environment_;
  const ControlDir& control_;
  const Log& log_;
  Connection connection_;
  std::optional<tls::TlsError> tls_failure_;  // why there is no TLS: logged, not tried again
};

}  // namespace qmail::smtpd
