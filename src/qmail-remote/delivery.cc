#include "qmail-remote/delivery.h"

#include <memory>
#include <utility>

#include "qmail-remote/login.h"
#include "qmail-remote/mail_parameters.h"
#include "qmail-remote/message_writer.h"
#include "qmail-remote/messages.h"
#include "qmail-remote/smtp_routes.h"

namespace qmail::remote {

namespace {

constexpr int ready = 220;      // greeting, STARTTLS
constexpr int goodbye = 221;    // QUIT
constexpr int completed = 250;  // EHLO, HELO
constexpr int closing = 421;    // whatever was asked: the server hangs up

}  // namespace

Delivery::Delivery(int socket, const Server& server, const TlsPolicy& policy, const Manner& manner,
                   const Mail& mail, Reports& reports, Flights flights)
    : socket_(socket),
      server_(server),
      manner_(manner),
      mail_(mail),
      ip_(server.address.text()),
      connection_(std::make_unique<FdTransport>(socket, socket), manner.timeout),
      client_(connection_, socket, manner.timeout),
      envelope_(client_, mail, reports, ip_),
      flights_(flights),
      tls_(server, policy, manner) {}

Ending Delivery::run() {
  try {
    for (const auto phase : {&Delivery::open, &Delivery::hello, &Delivery::secure,
                             &Delivery::be_accepted, &Delivery::log_in, &Delivery::send_envelope}) {
      if (auto ending = (this->*phase)()) {
        quit();
        return std::move(*ending);
      }
    }
    Ending ending = send_message();
    quit();
    return ending;
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

// On port 465 TLS, then the greeting.
Delivery::Phase Delivery::open() {
  if (implicit_tls()) {
    if (auto ending = tls_.prepare()) return ending;
    if (auto ending = start_tls()) return ending;
  }
  const Response greeting = client_.response();
  may_speak_ = true;
  if (greeting.code == ready) return std::nullopt;
  return end(MessageStatus::temporary,
             tls_.active() ? tls_greeting_failed(ip_) : greeting_failed(ip_), greeting.text,
             Then::try_next);
}

Delivery::Phase Delivery::hello() {
  say_ehlo();
  return std::nullopt;
}

// STARTTLS, if the policy and the server are for it (RFC 3207).
Delivery::Phase Delivery::secure() {
  const TlsPolicy& policy = tls_.policy();
  if (tls_.active() || policy.level == TlsPolicy::Level::never) return std::nullopt;
  if (!extensions_.starttls) {
    if (!policy.demands_tls()) return std::nullopt;
    if (ehlo_.code == closing) return name_refused(ehlo_);
    return tls_.unmet(tls_not_offered(policy.why));
  }
  if (auto ending = tls_.prepare()) return ending;
  if (!tls_.can_start()) return std::nullopt;
  const Response response = client_.ask("STARTTLS");
  if (response.code == closing) {
    return tls_.before(
        policy.demands_tls() ? starttls_rejected(policy.why) : std::string(text_starttls_rejected),
        response.text, Then::try_next);
  }
  if (response.code != ready) {
    if (!policy.demands_tls()) return std::nullopt;  // in the clear then, on the same connection
    return tls_.unmet(starttls_rejected(policy.why), response.text);
  }
  if (auto ending = start_tls()) return ending;
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

// AUTH, where the relay's line has a user and a password. That it is refused is never the message's
// fault: deferred, and called again elsewhere only if the refusal is not for good (more tries lock
// accounts).
Delivery::Phase Delivery::log_in() {
  if (manner_.login == nullptr) return std::nullopt;
  const LoginOutcome outcome =
      authenticate(client_, manner_.login->credentials, extensions_.auth,
                   !tls_.active()               ? Channel::clear
                   : tls_.has_own_certificate() ? Channel::tls_with_certificate
                                                : Channel::tls);
  if (outcome.succeeded) return std::nullopt;
  if (!outcome.mechanism) {
    return end(MessageStatus::temporary, no_mechanism(ip_), {}, Then::try_next);
  }
  return end(MessageStatus::temporary, authentication_rejected(ip_, name_of(*outcome.mechanism)),
             outcome.reply.text, outcome.for_good ? Then::give_up : Then::try_next);
}

// MAIL, RCPT, perhaps DATA. Whatever the server answers is final: no other one is called.
Delivery::Phase Delivery::send_envelope() {
  auto parameters = mail_parameters(mail_, manner_.parameters, extensions_, ip_);
  if (!parameters) {
    return Ending{{parameters.error().status, parameters.error().text + tls_.facts()}};
  }
  envelope_begun_ = true;
  const Envelope::Answer answer = envelope_.send(extensions_, *parameters, manner_.pipelining);
  if (answer.verdict == Envelope::Verdict::accepted) return std::nullopt;
  may_speak_ = envelope_.take_back();
  if (answer.verdict == Envelope::Verdict::sender_refused) {
    return refused(sender_rejected(ip_), answer.sender);
  }
  return end(MessageStatus::permanent, giving_up(ip_), {}, Then::give_up);
}

Ending Delivery::send_message() {
  const Response leave = envelope_.ask_for_message();
  if (leave.kind() != Response::Class::go_ahead) return refused(data_rejected(ip_), leave);
  // Whatever we said now would be taken for the message: a failure just drops the connection.
  may_speak_ = false;
  unanswered_ = text_out_of_memory_after_dot;
  if (auto unsent = write_message(client_, mail_.message)) {
    if (auto* report = std::get_if<MessageReport>(&*unsent)) return {std::move(*report)};
    return refused(message_rejected(ip_), std::get<Response>(*unsent));
  }
  quit_said_ = manner_.pipelining.quit && extensions_.pipelining;
  message_sent_ = quit_said_;  // if QUIT fails the dot may be out
  if (auto refusal = write_final_dot(client_, quit_said_ ? "QUIT\r\n" : "")) {
    return refused(message_rejected(ip_), *refusal);
  }
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
  // What answers QUIT is no verdict: there has been none.
  if (quit_said_ && said.code == goodbye) {
    throw ConnectionLost(ConnectionLost::Cause::end_of_input, "");
  }
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

Delivery::Phase Delivery::start_tls() {
  may_speak_ = false;
  if (auto ending = tls_.handshake(connection_, socket_)) return ending;
  may_speak_ = true;
  return tls_.verify();
}

// --- endings ---

// A reply that is no success: for good if the server says so, else for now.
Ending Delivery::refused(const std::string& sentence, const Response& response) const {
  return end(response.kind() == Response::Class::permanent ? MessageStatus::permanent
                                                           : MessageStatus::temporary,
             sentence, response.text, Then::give_up);
}

Ending Delivery::name_refused(const Response& response) const {
  return end(MessageStatus::temporary, name_rejected(ip_), response.text, Then::try_next);
}

Ending Delivery::end(MessageStatus status, const std::string& sentence, std::string_view reply,
                     Then then) const {
  const std::string words = status == MessageStatus::accepted ? tls_.words() : std::string();
  return {{status, sentence + ".\n" + words + tls_.facts() + quoted_reply(reply)}, then};
}

Ending Delivery::died(const ConnectionLost& lost) const {
  const std::string_view duplicate = message_sent_ ? "Possible duplicate! " : "";
  const std::string reason = tls_.active() ? lost.reason() : std::string();
  const Then then = !envelope_begun_            ? Then::try_next
                    : envelope_.in_flight() > 1 ? Then::without_flights
                                                : Then::give_up;
  return {{MessageStatus::temporary, connection_died(ip_, duplicate, reason)}, then};
}

// A farewell, if the server is in a state to hear it; no reply is waited for.
void Delivery::quit() {
  if (!may_speak_) return;
  try {
    if (!quit_said_) client_.send("QUIT");
    client_.flush();
    if (client_.lost()) return;
    connection_.transport().say_goodbye();
  } catch (const ConnectionLost&) {
    // What was to be reported stands.
  }
}

bool Delivery::implicit_tls() const { return server_.port == smtps_port; }

}  // namespace qmail::remote
