// Session: what the server side of an SMTP conversation knows, and how it answers each command.
//
// No descriptor, no clock, no TLS library: a command goes in, an Outcome comes out. What an Outcome
// asks for beyond its reply (a message, a handshake, the end) is done by whoever drives the session
// (server.h), which tells it what came of it. Only lists that must be read at a certain command
// (tlsclients, morercpthosts.cdb) are read here; if one cannot be read, EndSession is thrown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-smtpd/client_certificate.h"
#include "qmail-smtpd/command.h"
#include "qmail-smtpd/config.h"
#include "qmail/control.h"
#include "qmail/ipme.h"
#include "tls/tls.h"

namespace qmail::smtpd {

// The program must stop now, with a last sentence for the client (or none, if empty) and a line for
// the log (or none).
struct EndSession {
  std::string reply;
  std::string log_line{};
};
EndSession unreadable_controls(const ControlError& error);

enum class After {
  next_command,
  receive_data,  // `reply` goes out once the queue program runs
  start_tls,     // `reply` goes out once TLS is set up
  hang_up,
};

struct Outcome {
  std::string reply;
  After after = After::next_command;
};

struct Envelope {
  std::string sender;
  bool sender_barred = false;  // in badmailfrom; told at each RCPT
  std::vector<std::string> recipients{};
};

class Session {
 public:
  // What is referred to outlives the session.
  Session(const SmtpdConfig& config, const Environment& environment, const ControlDir& control,
          const OwnAddresses& own_addresses);

  std::string banner() const;
  // One reply for each command, whatever it is.
  Outcome handle(const Command& command);

  // Whether the next EHLO offers STARTTLS; never inside TLS.
  void offer_starttls(bool offer) { starttls_offered_ = offer; }
  // TLS is up: all that was said before it is forgotten (RFC 3207, 4.2).
  void tls_started(const tls::SessionFacts& facts, tls::ClientCertificate certificate);
  bool inside_tls() const { return certificate_.has_value(); }

  // The message's envelope, after After::receive_data; the session has none from then on.
  Envelope take_envelope();
  // The name of the last HELO or EHLO; without one, what tcpserver calls the client.
  const std::string& helo_name() const;
  // As the trace field shows it.
  std::string protocol() const;
  // Relaying was granted because of a certificate: the queue program is told.
  bool relays_by_certificate() const { return decision_ && decision_->granted_to; }

 private:
  Outcome helo(const Command& command);
  Outcome ehlo(const Command& command);
  Outcome mail(const Command& command);
  Outcome rcpt(const Command& command);
  Outcome data();
  Outcome starttls(const Command& command);
  void greeted(std::string_view name);
  std::optional<std::string> address_in(const Command& command) const;
  bool may_reach(std::string_view address);
  std::string refusal() const;

  const SmtpdConfig& config_;
  const Environment& environment_;
  const ControlDir& control_;
  const OwnAddresses& own_addresses_;

  std::optional<std::string> helo_name_;
  std::optional<Envelope> envelope_;  // from MAIL on
  bool starttls_offered_ = false;

  std::string cipher_;                                 // inside TLS
  std::optional<tls::ClientCertificate> certificate_;  // inside TLS
  std::optional<CertificateDecision> decision_;        // from the first RCPT that needs one
};

}  // namespace qmail::smtpd
