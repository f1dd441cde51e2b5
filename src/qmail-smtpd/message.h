// A message on its way from the client into the queue program: what happens between DATA and its
// last reply.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "qmail-smtpd/queue_client.h"
#include "qmail-smtpd/received.h"
#include "qmail-smtpd/session.h"
#include "qmail/connection.h"

namespace qmail::smtpd {

struct Submission {
  Envelope envelope;
  Trace trace;
  std::string headers{};  // behind the trace field, as plug-ins want them; whole lines
  QueueProgram program;
  std::uint64_t largest = 0;  // in bytes; 0: no limit
};

struct Received {
  std::string reply;  // to the message, or to DATA
  bool queued = false;
  std::uint64_t bytes = 0;  // as they were stored, without our trace field
};

// `go_ahead` goes out once the queue program runs; then the message is read to its end, whatever is
// wrong with it. Throws EndSession for a bare LF, and nothing is queued then.
Received receive_message(Connection& connection, const Submission& submission,
                         std::string_view go_ahead);

}  // namespace qmail::smtpd
