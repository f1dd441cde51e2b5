#include "qmail-remote/delivery.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <unistd.h>
#include <utility>

#include "qmail-remote/data_encoder.h"
#include "qmail-remote/smtp_routes.h"
#include "qmail/buffer.h"

namespace qmail::remote {

namespace {

constexpr int ready = 220;      // greeting, STARTTLS
constexpr int completed = 250;  // EHLO, HELO
constexpr int closing = 421;    // whatever was asked: the server hangs up

// How many bytes of commands may be waiting for their replies (RFC 2920, 3.1). The smallest send
// buffer of a socket holds them, so writing them never waits for a server that is itself waiting
// for us to read its replies.
constexpr std::size_t longest_flight = 8192;

constexpr std::size_t message_block = 65536;
constexpr std::size_t full_record = 16384;  // of TLS
// How much of the message goes out between two looks at what the server says meanwhile.
constexpr int blocks_between_looks = 16;

std::string joined(const std::vector<std::string>& lines) {
  std::string result;
  for (const std::string& line : lines) {
    if (!result.empty()) result.push_back(':');
    result.append(line);
  }
  return result;
}

// " (control/tlsclientciphers: names no cipher)": what may have kept a handshake from succeeding.
std::string remarks(const std::vector<tls::Warning>& warnings) {
  std::string text;
  for (const tls::Warning& warning : warnings) {
    text.append(" (").append(warning.file).append(": ").append(warning.reason).append(")");
  }
  return text;
}

// RFC 6066 knows no final dot in a server's name, and certificates carry none.
std::string without_final_dot(std::string name) {
  if (!name.empty() && name.back() == '.') name.pop_back();
  return name;
}

}  // namespace

Delivery::Delivery(int socket, const Server& server, const Manner& manner, const Mail& mail,
                   Reports& reports, Flights flights)
    : socket_(socket),
      server_(server),
      manner_(manner),
      mail_(mail),
      reports_(reports),
      ip_(server.address.text()),
      connection_(std::make_unique<FdTransport>(socket, socket), manner.timeout),
      client_(connection_, socket, manner.timeout),
      flights_(flights) {}

Ending Delivery::run() {
  try {
    for (const auto phase : {&Delivery::look_up_policy, &Delivery::open, &Delivery::hello,
                             &Delivery::secure, &Delivery::be_accepted, &Delivery::send_envelope}) {
      if (auto ending = (this->*phase)()) return std::move(*ending);
    }
    return send_message();
  } catch (const ConnectionLost& lost) {
    return died(lost);
  } catch (...) {  // want of memory, most likely
    // The server has the message: for want of memory for the report's text it is not sent again.
    if (message_accepted_) return {{MessageStatus::accepted, {}}};
    // It may have it.
    if (message_sent_) return {{MessageStatus::temporary, std::move(unanswered_)}};
    throw;
  }
}

// --- the phases ---

Delivery::Phase Delivery::look_up_policy() {
  auto policy = tls_policy(manner_.control, server_.name, server_.address);
  if (!policy) {
    return end_before_tls(tls_policy_unknown(policy.error().file, policy.error().reason), {});
  }
  policy_ = *std::move(policy);
  return std::nullopt;
}

// On port 465 TLS, then the greeting.
Delivery::Phase Delivery::open() {
  if (implicit_tls()) {
    if (policy_.level == TlsPolicy::Level::never) {
      return end_before_tls(tls_forbidden(server_.name.empty() ? ip_ : server_.name), {});
    }
    if (auto ending = prepare_tls()) return ending;
    if (auto ending = handshake()) return ending;
  }
  const Response greeting = client_.response();
  may_speak_ = true;
  if (greeting.code == ready) return std::nullopt;
  return end(MessageStatus::temporary, in_tls_ ? tls_greeting_failed(ip_) : greeting_failed(ip_),
             greeting.text, Then::try_next);
}

Delivery::Phase Delivery::hello() {
  say_ehlo();
  return std::nullopt;
}

// STARTTLS, if the policy and the server are for it (RFC 3207).
Delivery::Phase Delivery::secure() {
  if (in_tls_ || policy_.level == TlsPolicy::Level::never) return std::nullopt;
  if (!extensions_.starttls) {
    if (!demands_tls()) return std::nullopt;
    if (ehlo_.code == closing) return name_refused(ehlo_);
    return end_before_tls(tls_not_offered(policy_.pem), {});
  }
  if (auto ending = prepare_tls()) return ending;
  if (!tls_context_) return std::nullopt;
  const Response response = client_.ask("STARTTLS");
  if (response.code == closing) {
    const std::string sentence =
        demands_tls() ? starttls_rejected(policy_.pem) : std::string(text_starttls_rejected);
    return end(MessageStatus::temporary, sentence + "; connecting to " + ip_, response.text,
               Then::try_next);
  }
  if (response.code != ready) {
    if (!demands_tls()) return std::nullopt;  // in the clear then, on the same connection
    return end_before_tls(starttls_rejected(policy_.pem), response.text);
  }
  if (auto ending = handshake()) return ending;
  say_ehlo();
  return std::nullopt;
}

// A server that refused EHLO is greeted in the old way.
Delivery::Phase Delivery::be_accepted() {
  if (ehlo_.code == completed) return std::nullopt;
  try {
    const Response response = client_.ask("HELO " + manner_.helohost);
    if (response.code == completed) return std::nullopt;
    return name_refused(response);
  } catch (const ConnectionLost&) {
    if (ehlo_.code != closing) throw;
    return name_refused(ehlo_);  // it has said that it would hang up, and why
  }
}

// MAIL and RCPT, in one flight as far as the server offers PIPELINING. Replies come in the order of
// the commands, so the reports are the same either way.
Delivery::Phase Delivery::send_envelope() {
  envelope_begun_ = true;
  client_.send("MAIL FROM:<" + mail_.sender + ">");
  in_flight_ = 1;
  std::size_t sent = extensions_.pipelining ? send_recipients(0) : 0;
  const Response sender = client_.response();
  if (sender.kind() != Response::Class::success) return refused(sender_rejected(ip_), sender);
  bool any_accepted = false;
  for (std::size_t i = 0; i < mail_.recipients.size(); ++i) {
    if (mail_.recipients[i].has_line_break) {
      reports_.add(RecipientStatus::permanent, text_recipient_line_break);
      continue;
    }
    if (i >= sent) {
      in_flight_ = 0;
      sent = send_recipients(i);
    }
    const Response response = client_.response();
    report_recipient(response);
    any_accepted = any_accepted || response.kind() == Response::Class::success;
  }
  in_flight_ = 0;
  if (any_accepted) return std::nullopt;
  return end(MessageStatus::permanent, giving_up(ip_), {}, Then::give_up);
}

Ending Delivery::send_message() {
  const Response leave = client_.ask("DATA");
  if (leave.kind() != Response::Class::go_ahead) return refused(data_rejected(ip_), leave);
  // Whatever we said now would be taken for the message: a failure just drops the connection.
  may_speak_ = false;
  if (auto failure = write_message()) return std::move(*failure);
  may_speak_ = true;
  const Response said = verdict();
  if (!said.is_success()) return refused(message_rejected(ip_), said);
  message_accepted_ = true;
  return end(MessageStatus::accepted, message_accepted(ip_), said.text, Then::give_up);
}

// The reply to the message: success counts only if it came after the final dot went out. One that
// had begun before is of something else, unless it is a refusal: servers do refuse early.
Response Delivery::verdict() {
  const bool begun_before = client_.response_begun();
  message_sent_ = true;
  Response said = client_.response();
  if (begun_before && !said.is_refusal()) said = client_.response();
  message_sent_ = false;
  return said;
}

// --- parts of the phases ---

void Delivery::say_ehlo() {
  ExtensionsReader reader;
  ehlo_ = client_.ask("EHLO " + manner_.helohost,
                      [&reader](std::string_view line) { reader.add(line); });
  extensions_ = ehlo_.code == completed ? reader.found() : Extensions();
  if (flights_ == Flights::never) extensions_.pipelining = false;
}

// Sends RCPT for recipient `from` and, with PIPELINING, for as many more as fit into the flight.
// Returns the first one not sent.
std::size_t Delivery::send_recipients(std::size_t from) {
  std::size_t bytes = 0;
  std::size_t i = from;
  for (; i < mail_.recipients.size(); ++i) {
    const Recipient& recipient = mail_.recipients[i];
    if (recipient.has_line_break) continue;
    const std::string command = "RCPT TO:<" + recipient.address + ">";
    const bool first = bytes == 0 && from == i;
    bytes += command.size() + 2;
    if (!first && (!extensions_.pipelining || bytes > longest_flight)) break;
    client_.send(command);
    ++in_flight_;
  }
  return i;
}

void Delivery::report_recipient(const Response& response) {
  if (response.kind() == Response::Class::success) {
    reports_.add(RecipientStatus::accepted, {});
    return;
  }
  reports_.add(response.kind() == Response::Class::permanent ? RecipientStatus::permanent
                                                             : RecipientStatus::temporary,
               recipient_rejected(ip_) + ".\n" + quoted_reply(response.text));
}

// The message and the final dot, all of it handed to the system. An ending: it could not be done,
// or the server has refused before, and the final dot has not been sent.
std::optional<Ending> Delivery::write_message() {
  DataEncoder encoder;
  constexpr std::size_t room = DataEncoder::room_for(message_block);
  const auto block = make_buffer<char>(message_block);
  const auto encoded = make_buffer<char>(full_record + room);
  std::size_t kept = 0;  // less than a record, waiting for more: whole records go out uncopied
  for (int blocks = 1;; ++blocks) {
    const ssize_t got = ::read(mail_.message, block.get(), message_block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Ending{deferred(text_message_unreadable)};
    if (got == 0) break;
    const std::size_t length = kept + encoder.encode({block.get(), static_cast<std::size_t>(got)},
                                                     {encoded.get() + kept, room});
    kept = length % full_record;
    client_.write({encoded.get(), length - kept});
    if (client_.lost() || blocks % blocks_between_looks == 0) {
      if (auto ending = refused_early()) return ending;
    }
    std::memmove(encoded.get(), encoded.get() + length - kept, kept);
  }
  client_.write({encoded.get(), kept});
  if (!encoder.at_line_start()) return Ending{failed(text_partial_final_line)};
  if (auto ending = refused_early()) return ending;
  unanswered_ = text_out_of_memory_after_dot;
  client_.write(".\r\n");
  client_.flush();
  return client_.lost() ? refused_early() : std::nullopt;
}

// What the server says before it has the whole message, if that is a refusal: it is the verdict,
// and the rest is not sent. Throws ConnectionLost when the server has gone without one.
std::optional<Ending> Delivery::refused_early() {
  const auto refusal = client_.refusal();
  if (!refusal) return std::nullopt;
  return refused(message_rejected(ip_), *refusal);
}

// Everything about TLS that can fail before the server hears of it. Without tls_context_ afterwards
// there is no TLS to be had, and none is demanded.
Delivery::Phase Delivery::prepare_tls() {
  if (const auto error = tls::load()) return tls_unavailable(*error);
  tls::ClientSettings settings;
  settings.server_name = without_final_dot(server_.name);
  if (demands_tls()) settings.anchors_file = policy_.pem;
  settings.certificate_file = manner_.control.file("clientcert.pem");
  auto context = tls::ClientContext::create(settings);
  if (!context) return tls_unavailable(context.error());
  const auto ciphers = manner_.control.list("tlsclientciphers");
  if (!ciphers) return hang_up(deferred(text_control_unreadable));
  if (*ciphers && !(*ciphers)->empty()) {
    context->set_ciphers({joined(**ciphers), "control/tlsclientciphers"});
  }
  tls_context_ = std::move(*context);
  return std::nullopt;
}

Delivery::Phase Delivery::tls_unavailable(const tls::TlsError& error) {
  if (error.step == tls::TlsError::Step::trust) {
    return end_before_tls(tls_pem_unusable(policy_.pem, error.detail), {});
  }
  if (!demands_tls() && !implicit_tls()) return std::nullopt;
  if (error.step == tls::TlsError::Step::library) {
    return end_before_tls(tls_library_missing(error.detail), {});
  }
  return end_before_tls(tls_context_failed(error.detail), {});
}

// The server has agreed to TLS: from here on nothing is said in the clear.
Delivery::Phase Delivery::handshake() {
  may_speak_ = false;
  const Then then = demands_tls() ? Then::give_up : Then::try_next;
  const std::string connected = "; connected to " + ip_;
  if (!connection_.input().empty()) {
    // Put there by somebody in between, to be read as if it came through TLS.
    return end(MessageStatus::temporary,
               tls_connect_failed(text_plaintext_behind_starttls) + connected, {}, then);
  }
  auto session = tls_context_->connect(socket_, socket_, Deadline::after(manner_.timeout));
  if (!session) {
    const tls::TlsError& error = session.error();
    const std::string reason = error.detail + remarks(tls_context_->warnings());
    const bool begun = error.step == tls::TlsError::Step::handshake;
    return end(MessageStatus::temporary,
               (begun ? tls_connect_failed(reason) : tls_connection_failed(reason)) + connected, {},
               begun ? then : Then::give_up);
  }
  connection_.upgrade(std::move(session->transport));
  in_tls_ = true;
  may_speak_ = true;
  if (manner_.with_tls_facts) {
    tls_facts_ = tls_facts(session->facts.version, session->facts.cipher, session->server.subject,
                           session->server.issuer);
  }
  if (!demands_tls()) return std::nullopt;
  if (const auto failure = verification_failure(session->server)) {
    return end(MessageStatus::temporary, *failure + connected, {}, Then::give_up);
  }
  return std::nullopt;
}

std::optional<std::string> Delivery::verification_failure(
    const tls::ServerCertificate& certificate) const {
  using State = tls::ServerCertificate::State;
  switch (certificate.state) {
    case State::verified:
      return std::nullopt;
    case State::none:
      return name_not_verified(server_.name, text_no_certificate);
    case State::no_matching_dns_name:
      return name_not_verified(server_.name, text_no_matching_dns_name);
    case State::no_common_name:
      return name_not_verified(server_.name, text_no_common_name);
    case State::other_common_name:
      return name_not_verified(server_.name, received_certificate_for(certificate.common_name));
    case State::chain_not_verified:
    case State::unverified:
      break;
  }
  return chain_not_verified(policy_.pem, certificate.reason);
}

// --- endings ---

Ending Delivery::name_refused(const Response& response) {
  return end(MessageStatus::temporary, name_rejected(ip_), response.text, Then::try_next);
}

// A reply that is no success: for good if the server says so, else for now.
Ending Delivery::refused(const std::string& sentence, const Response& response) {
  return end(response.kind() == Response::Class::permanent ? MessageStatus::permanent
                                                           : MessageStatus::temporary,
             sentence, response.text, Then::give_up);
}

Ending Delivery::end(MessageStatus status, const std::string& sentence, std::string_view reply,
                     Then then) {
  Ending ending{{status, sentence + ".\n" + tls_facts_ + quoted_reply(reply)}, then};
  quit();
  return ending;
}

Ending Delivery::end_before_tls(const std::string& sentence, std::string_view reply) {
  return end(MessageStatus::temporary, sentence + "; connecting to " + ip_, reply, Then::give_up);
}

Ending Delivery::hang_up(MessageReport report) {
  quit();
  return {std::move(report)};
}

Ending Delivery::died(const ConnectionLost& lost) const {
  const std::string_view duplicate = message_sent_ ? "Possible duplicate! " : "";
  const std::string reason = in_tls_ ? lost.reason() : std::string();
  const Then then = !envelope_begun_ ? Then::try_next
                    : in_flight_ > 1 ? Then::without_flights
                                     : Then::give_up;
  return {{MessageStatus::temporary, connection_died(ip_, duplicate, reason)}, then};
}

// A farewell, if the server is in a state to hear it; no reply is waited for.
void Delivery::quit() {
  if (!may_speak_) return;
  try {
    client_.send("QUIT");
    client_.flush();
    if (client_.lost()) return;
    connection_.transport().say_goodbye();
  } catch (const ConnectionLost&) {
    // What was to be reported stands.
  }
}

bool Delivery::implicit_tls() const { return server_.port == smtps_port; }

}  // namespace qmail::remote
