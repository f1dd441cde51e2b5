// Envelope: MAIL and RCPT, and DATA with them where control/pipelining says so, in as few flights
// as the server takes (RFC 2920); and how to take it back.
//
// Replies come in the order of the commands, so the reports are the same however they went out.
// What throws ConnectionLost in the middle leaves in_flight() for whoever decides what follows.
#pragma once

#include <cstddef>
#include <string>

#include "qmail-remote/attempt.h"
#include "qmail-remote/report.h"
#include "qmail-remote/response.h"
#include "qmail-remote/smtp_client.h"

namespace qmail::remote {

class Envelope {
 public:
  enum class Verdict { accepted, sender_refused, nobody_accepted };
  struct Answer {
    Verdict verdict;
    Response sender;  // the reply to MAIL
  };

  // `ip`: the server, as reports name it. Everything stays the caller's.
  Envelope(SmtpClient& client, const Mail& mail, Reports& reports, const std::string& ip)
      : client_(client), mail_(mail), reports_(reports), ip_(ip) {}

  // `server`: what it offers; `parameters`: of MAIL, each with a space before it; `together`: what
  // may go out in one flight. Recipients are reported as their replies come.
  Answer send(const Extensions& server, const std::string& parameters, const Pipelining& together);
  // The reply to DATA, which is sent unless it has been.
  Response ask_for_message();
  // After an answer other than `accepted`: whatever is under way is read to its end, and a server
  // that waits for a message already gets an empty one, for nobody. False: it is in no state to
  // hear another command.
  bool take_back();

  // How many commands went out together and are not all answered.
  std::size_t in_flight() const { return in_flight_; }

 private:
  std::size_t send_recipients(std::size_t from, bool pipelining);
  bool report_next();

  SmtpClient& client_;
  const Mail& mail_;
  Reports& reports_;
  const std::string& ip_;
  std::size_t in_flight_ = 0;
  std::size_t bytes_ = 0;       // of RCPT, in the flight sent last
  std::size_t unanswered_ = 0;  // RCPTs
  bool data_sent_ = false;
};

}  // namespace qmail::remote
