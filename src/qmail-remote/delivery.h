// Delivery: the conversation with one server, from its greeting to QUIT, one function a phase.
//
// It ends in one message report; recipients' reports go to Reports on the way. A server that is of
// no use before anything of the envelope has gone out leaves the next exchanger to be tried; what a
// control/tlshosts file demands and does not get, and trouble of our own, ends the whole delivery.
// A connection that dies, at any depth, is caught here. One Delivery is one attempt: nothing of it
// outlives it, so whoever makes a second one (conversation.h) starts clean.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qmail-remote/messages.h"
#include "qmail-remote/mx_resolver.h"
#include "qmail-remote/report.h"
#include "qmail-remote/response.h"
#include "qmail-remote/smtp_client.h"
#include "qmail-remote/tls_policy.h"
#include "qmail/connection.h"
#include "qmail/control.h"
#include "tls/tls.h"

namespace qmail::remote {

struct Recipient {
  std::string address;          // as it goes onto the wire
  bool has_line_break = false;  // it does not: refused here
};

// What is to be delivered.
struct Mail {
  std::string sender;  // as it goes onto the wire
  std::vector<Recipient> recipients;
  int message;  // the descriptor the message is read from, once
};

// How we speak, whoever the server is.
struct Manner {
  std::string helohost;
  std::chrono::seconds timeout;  // for each wait
  ControlDir control;
  bool with_tls_facts = false;  // DEBUG: say what TLS was like in the report
};

struct Server {
  IpAddress address;
  std::uint16_t port;
  std::string name;  // what its certificate must name; empty if it was given as an address
};

// What is to be done after a conversation.
enum class Then {
  give_up,          // the report is final
  try_next,         // nothing of the envelope has gone out: another exchanger may do better
  without_flights,  // commands in one flight were not answered: the same server, one by one
};

struct Ending {
  MessageReport report;
  Then then = Then::give_up;
};

// Whether MAIL and RCPT go out in one flight where the server offers PIPELINING.
enum class Flights { as_offered, never };

class Delivery {
 public:
  // `socket` is connected to `server` and stays the caller's, as does everything referred to.
  Delivery(int socket, const Server& server, const Manner& manner, const Mail& mail,
           Reports& reports, Flights flights = Flights::as_offered);

  Ending run();

 private:
  using Phase = std::optional<Ending>;  // nothing: go on

  // --- the phases, in order ---
  Phase look_up_policy();
  Phase open();
  Phase hello();
  Phase secure();
  Phase be_accepted();
  Phase send_envelope();
  Ending send_message();

  // --- parts of them ---
  void say_ehlo();
  std::optional<Ending> write_message();
  std::optional<Ending> refused_early();
  Response verdict();
  std::size_t send_recipients(std::size_t from);
  void report_recipient(const Response& response);
  Phase prepare_tls();
  Phase tls_unavailable(const tls::TlsError& error);
  Phase handshake();
  std::optional<std::string> verification_failure(const tls::ServerCertificate& certificate) const;

  // --- endings ---
  Ending name_refused(const Response& response);
  Ending refused(const std::string& sentence, const Response& response);
  Ending end(MessageStatus status, const std::string& sentence, std::string_view reply, Then then);
  Ending end_before_tls(const std::string& sentence, std::string_view reply);
  Ending hang_up(MessageReport report);
  Ending died(const ConnectionLost& lost) const;
  void quit();

  bool implicit_tls() const;
  bool demands_tls() const { return policy_.level == TlsPolicy::Level::required; }

  int socket_;
  const Server& server_;
  const Manner& manner_;
  const Mail& mail_;
  Reports& reports_;
  std::string ip_;
  Connection connection_;
  SmtpClient client_;
  Flights flights_;

  TlsPolicy policy_;
  std::optional<tls::ClientContext> tls_context_;
  std::string tls_facts_;
  Extensions extensions_;
  bool in_tls_ = false;
  Response ehlo_;
  std::size_t in_flight_ = 0;    // commands of the envelope that went out together last
  bool may_speak_ = false;       // the server reads commands: QUIT can be sent
  bool envelope_begun_ = false;  // MAIL has been written: no other exchanger
  bool message_sent_ = false;    // the final dot is out and not answered: possible duplicate
  bool message_accepted_ = false;
  std::string unanswered_;  // the report if memory gives out then
};

}  // namespace qmail::remote
