// What one attempt to deliver is given, and how it ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "qmail-remote/credentials.h"
#include "qmail-remote/report.h"
#include "qmail/control.h"
#include "qmail/ip_address.h"

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

// What else goes out without waiting for replies, where the server offers PIPELINING
// (control/pipelining).
struct Pipelining {
  bool data = false;  // DATA, behind the last RCPT
  bool quit = false;  // QUIT, behind the final dot
};

// Parameters of MAIL that are sent where the server offers them (control/mailparams).
struct WantedParameters {
  bool size = false;
  bool eight_bit = false;  // BODY=8BITMIME
  bool smtputf8 = false;
};

// How we speak, whoever the server is.
struct Manner {
  std::string helohost;
  std::chrono::seconds timeout;  // for each wait
  ControlDir control;
  bool with_tls_facts = false;       // DEBUG: say what TLS was like in the report
  const Login* login = nullptr;      // whom to log in as, if at all
  bool allow_insecure_auth = false;  // in the clear, too (ALLOW_INSECURE_AUTH)
  Pipelining pipelining{};
  WantedParameters parameters{};
  bool with_tls_words = false;  // control/tlsreport: say what TLS was like when mail was taken
};

struct Server {
  IpAddress address;
  std::uint16_t port;
  std::string name;  // what its certificate must name; empty if it was given as an address
};

// Whether MAIL and RCPT go out in one flight where the server offers PIPELINING.
enum class Flights { as_offered, never };

// What is to be done after a conversation.
enum class Then {
  give_up,          // the report is final
  try_next,         // nothing of the envelope has gone out: another exchanger may do better
  without_flights,  // commands in one flight were not answered: the same server, one by one
  in_the_clear,     // TLS failed, and need not be: the same server, without
};

struct Ending {
  MessageReport report;
  Then then = Then::give_up;
};

}  // namespace qmail::remote
