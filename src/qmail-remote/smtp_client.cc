#include "qmail-remote/smtp_client.h"

#include <poll.h>

namespace qmail::remote {

namespace {

// How often hear() goes on with what makes no data: a record of TLS takes two reads, and session
// tickets and changes of keys are records of their own.
constexpr int most_attempts = 32;

}  // namespace

void SmtpClient::send(std::string_view command) {
  write(command);
  write("\r\n");
}

void SmtpClient::send_secret(std::string_view command) {
  connection_.reserve_output();
  send(command);
  flush();
  connection_.wipe_output();
}

void SmtpClient::write(std::string_view bytes) {
  if (lost_) return;
  try {
    connection_.write(bytes);
  } catch (const ConnectionLost& gone) {
    lost_ = gone;
  }
}

void SmtpClient::flush() {
  if (lost_) return;
  try {
    connection_.flush();
  } catch (const ConnectionLost& gone) {
    lost_ = gone;
  }
}

Response SmtpClient::response(const ResponseReader::Listener& listener) {
  std::optional<Deadline> deadline;
  for (;;) {
    take_input(listener);
    if (reader_.complete()) return reader_.take();
    if (!deadline) {
      flush();
      deadline = Deadline::after(timeout_);
    }
    if (!lost_) {
      connection_.receive(*deadline);
    } else if (!hear()) {
      throw ConnectionLost(*lost_);
    }
  }
}

Response SmtpClient::ask(std::string_view command, const ResponseReader::Listener& listener) {
  send(command);
  return response(listener);
}

std::optional<Response> SmtpClient::refusal() {
  for (;;) {
    take_input({});
    if (reader_.complete()) {
      Response said = reader_.take();
      if (said.is_refusal()) return said;
    } else if (!hear()) {
      if (lost_) throw ConnectionLost(*lost_);
      return std::nullopt;
    }
  }
}

void SmtpClient::take_input(const ResponseReader::Listener& listener) {
  connection_.consume(reader_.feed(connection_.input(), listener));
  if (reader_.too_long()) throw ConnectionLost(ConnectionLost::Cause::read_failed, "");
}

// Reads what is there at this moment; true: something was. Throws when the server has gone.
bool SmtpClient::hear() {
  const Deadline now = Deadline::after(std::chrono::seconds(0));
  try {
    for (int i = 0; i < most_attempts && wait_for(socket_, POLLIN, now); ++i) {
      if (connection_.receive_now()) return true;
    }
    return false;
  } catch (const ConnectionLost& ended) {
    // The end that follows a failed write says less than the write, unless it is an alert.
    if (lost_ && ended.reason().find(" alert ") == std::string::npos) throw ConnectionLost(*lost_);
    throw;
  }
}

}  // namespace qmail::remote
