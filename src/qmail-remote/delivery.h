// Delivery: the conversation with one server, from its greeting to QUIT, one function a phase.
//
// It ends in one message report; recipients' reports go to Reports on the way. A server that is of
// no use before anything of the envelope has gone out leaves the next exchanger to be tried; what a
// control/tlshosts file demands and does not get, and trouble of our own, ends the whole delivery.
// A connection that dies, at any depth, is caught here. One Delivery is one attempt: nothing of it
// outlives it, so whoever makes a second one (conversation.h) starts clean.
#pragma once

#include <optional>
#include <string>

#include "qmail-remote/attempt.h"
#include "qmail-remote/envelope.h"
#include "qmail-remote/report.h"
#include "qmail-remote/response.h"
#include "qmail-remote/smtp_client.h"
#include "qmail-remote/tls_upgrade.h"
#include "qmail/connection.h"

namespace qmail::remote {

class Delivery {
 public:
  // `socket` is connected to `server` and stays the caller's, as does everything referred to.
  Delivery(int socket, const Server& server, const TlsPolicy& policy, const Manner& manner,
           const Mail& mail, Reports& reports, Flights flights = Flights::as_offered);

  Ending run();

 private:
  using Phase = std::optional<Ending>;  // nothing: go on

  // --- the phases, in order ---
  Phase open();
  Phase hello();
  Phase secure();
  Phase be_accepted();
  Phase log_in();
  Phase send_envelope();
  Ending send_message();

  // --- parts of them ---
  void say_ehlo();
  Response verdict();
  Phase start_tls();

  // --- endings ---
  Ending refused(const std::string& sentence, const Response& response) const;
  Ending name_refused(const Response& response) const;
  Ending end(MessageStatus status, const std::string& sentence, std::string_view reply,
             Then then) const;
  Ending died(const ConnectionLost& lost) const;
  void quit();

  bool implicit_tls() const;

  int socket_;
  const Server& server_;
  const Manner& manner_;
  const Mail& mail_;
  std::string ip_;
  Connection connection_;
  SmtpClient client_;
  Envelope envelope_;
  Flights flights_;
  TlsUpgrade tls_;

  Extensions extensions_;
  Response ehlo_;
  bool may_speak_ = false;       // the server reads commands: QUIT can be sent
  bool envelope_begun_ = false;  // MAIL has been written: no other exchanger
  bool message_sent_ = false;    // the final dot is out and not answered: possible duplicate
  bool quit_said_ = false;       // behind the final dot
  bool message_accepted_ = false;
  std::string unanswered_;  // the report if memory gives out then
};

}  // namespace qmail::remote
