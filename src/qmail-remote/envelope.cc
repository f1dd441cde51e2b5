#include "qmail-remote/envelope.h"

#include "qmail-remote/messages.h"

namespace qmail::remote {

namespace {

// How many bytes of commands may be waiting for their replies (RFC 2920, 3.1). The smallest send
// buffer of a socket holds them, so writing them never waits for a server that is itself waiting
// for us to read its replies.
constexpr std::size_t longest_flight = 8192;

constexpr std::string_view data_command = "DATA";

}  // namespace

Envelope::Answer Envelope::send(const Extensions& server, const std::string& parameters,
                                const Pipelining& together) {
  const std::vector<Recipient>& recipients = mail_.recipients;
  client_.send("MAIL FROM:<" + mail_.sender + ">" + parameters);
  in_flight_ = 1;
  std::size_t sent = server.pipelining ? send_recipients(0, true) : 0;
  if (server.pipelining && together.data && sent == recipients.size() &&
      bytes_ + data_command.size() + 2 <= longest_flight) {
    client_.send(data_command);
    data_sent_ = true;
    ++in_flight_;
  }
  Response sender = client_.response();
  if (!sender.is_success()) return {Verdict::sender_refused, std::move(sender)};
  bool any_accepted = false;
  for (std::size_t i = 0; i < recipients.size(); ++i) {
    if (recipients[i].has_line_break) {
      reports_.add(RecipientStatus::permanent, text_recipient_line_break);
      continue;
    }
    if (i >= sent) {
      in_flight_ = 0;
      sent = send_recipients(i, server.pipelining);
    }
    any_accepted = report_next() || any_accepted;
  }
  if (!data_sent_) in_flight_ = 0;
  return {any_accepted ? Verdict::accepted : Verdict::nobody_accepted, std::move(sender)};
}

Response Envelope::ask_for_message() {
  Response leave = data_sent_ ? client_.response() : client_.ask(data_command);
  data_sent_ = false;
  in_flight_ = 0;
  return leave;
}

bool Envelope::take_back() {
  if (!data_sent_) return true;
  try {
    for (; unanswered_ > 0; --unanswered_) client_.response();
    if (ask_for_message().kind() == Response::Class::go_ahead) client_.ask(".");
    return true;
  } catch (const ConnectionLost&) {
    return false;
  }
}

// Sends RCPT for recipient `from` and, with PIPELINING, for as many more as fit into the flight.
// Returns the first one not sent.
std::size_t Envelope::send_recipients(std::size_t from, bool pipelining) {
  bytes_ = 0;
  std::size_t i = from;
  for (; i < mail_.recipients.size(); ++i) {
    const Recipient& recipient = mail_.recipients[i];
    if (recipient.has_line_break) continue;
    const std::string command = "RCPT TO:<" + recipient.address + ">";
    const bool first = bytes_ == 0 && from == i;
    bytes_ += command.size() + 2;
    if (!first && (!pipelining || bytes_ > longest_flight)) break;
    client_.send(command);
    ++in_flight_;
    ++unanswered_;
  }
  return i;
}

// Reports the next recipient by its reply; true: accepted.
bool Envelope::report_next() {
  const Response response = client_.response();
  --unanswered_;
  if (response.is_success()) {
    reports_.add(RecipientStatus::accepted, {});
    return true;
  }
  reports_.add(response.kind() == Response::Class::permanent ? RecipientStatus::permanent
                                                             : RecipientStatus::temporary,
               recipient_rejected(ip_) + ".\n" + quoted_reply(response.text));
  return false;
}

}  // namespace qmail::remote
