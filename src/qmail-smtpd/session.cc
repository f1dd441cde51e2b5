#include "qmail-smtpd/session.h"

#include <utility>

#include "qmail-smtpd/address.h"
#include "qmail-smtpd/replies.h"

namespace qmail::smtpd {

namespace {

Outcome answer(std::string_view reply) { return {std::string(reply)}; }

}  // namespace

EndSession unreadable_controls(const ControlError& error) {
  return {std::string(reply::unreadable_controls),
          "unable to read " + error.file + ": " + error.reason};
}

Session::Session(const SmtpdConfig& config, const Environment& environment,
                 const ControlDir& control, const OwnAddresses& own_addresses)
    : config_(config),
      environment_(environment),
      control_(control),
      own_addresses_(own_addresses) {}

std::string Session::banner() const { return reply::banner(config_.greeting); }

Outcome Session::handle(const Command& command) {
  switch (command.verb) {
    case Verb::helo:
      return helo(command);
    case Verb::ehlo:
      return ehlo(command);
    case Verb::mail:
      return mail(command);
    case Verb::rcpt:
      return rcpt(command);
    case Verb::data:
      return data();
    case Verb::rset:
      envelope_.reset();
      return answer(reply::flushed);
    case Verb::noop:
      return answer(reply::ok);
    case Verb::vrfy:
      return answer(reply::vrfy);
    case Verb::help:
      return answer(reply::help);
    case Verb::quit:
      return {reply::quit(config_.greeting), After::hang_up};
    case Verb::starttls:
      return starttls(command);
    case Verb::unknown:
      break;
  }
  return answer(reply::unimplemented);
}

void Session::greeted(std::string_view name) {
  envelope_.reset();
  helo_name_ = name;
}

Outcome Session::helo(const Command& command) {
  greeted(command.argument);
  return {reply::helo(config_.greeting)};
}

Outcome Session::ehlo(const Command& command) {
  greeted(command.argument);
  return {reply::ehlo(config_.greeting, starttls_offered_ && !inside_tls()
                                            ? reply::extensions_with_starttls
                                            : reply::extensions)};
}

Outcome Session::mail(const Command& command) {
  auto sender = address_in(command);
  if (!sender) return answer(reply::syntax_error);
  const bool barred = config_.bad_senders.bars(*sender);
  envelope_ = Envelope{std::move(*sender), barred};
  return answer(reply::ok);
}

Outcome Session::rcpt(const Command& command) {
  if (!envelope_) return answer(reply::mail_first);
  auto address = address_in(command);
  if (!address) return answer(reply::syntax_error);
  if (envelope_->sender_barred) return answer(reply::sender_barred);
  if (environment_.relayclient) {
    address->append(*environment_.relayclient);
  } else if (!may_reach(*address)) {
    return {refusal()};
  }
  envelope_->recipients.push_back(std::move(*address));
  return answer(reply::ok);
}

Outcome Session::data() {
  if (!envelope_) return answer(reply::mail_first);
  if (envelope_->recipients.empty()) return answer(reply::rcpt_first);
  return {std::string(reply::go_ahead), After::receive_data};
}

Outcome Session::starttls(const Command& command) {
  if (inside_tls()) return answer(reply::unimplemented);
  if (!command.argument.empty()) return answer(reply::no_parameters);
  return {std::string(reply::ready_for_tls), After::start_tls};
}

std::optional<std::string> Session::address_in(const Command& command) const {
  if (command.cut_off) return std::nullopt;
  return parse_address(command.argument, config_.localhost, own_addresses_);
}

// Is the recipient's host ours, or may the client relay because of its certificate? The certificate
// is judged once, when it is first needed, for the rest of the session.
bool Session::may_reach(std::string_view address) {
  if (relays_by_certificate()) return true;
  const auto accepted = config_.recipient_hosts.accept(address);
  if (!accepted) throw unreadable_controls(accepted.error());
  if (*accepted) return true;
  if (inside_tls() && !decision_) {
    auto decision = decide_relaying(*certificate_, control_);
    if (!decision) throw unreadable_controls(decision.error());
    decision_ = *std::move(decision);
  }
  return relays_by_certificate();
}

std::string Session::refusal() const {
  if (!inside_tls()) return std::string(reply::not_relayed);
  return reply::not_relayed_by_certificate(decision_ ? decision_->reason : std::string());
}

void Session::tls_started(const tls::SessionFacts& facts, tls::ClientCertificate certificate) {
  envelope_.reset();
  helo_name_.reset();
  decision_.reset();
  cipher_ = facts.cipher;
  certificate_ = std::move(certificate);
}

Envelope Session::take_envelope() {
  return std::exchange(envelope_, std::nullopt).value_or(Envelope{});
}

const std::string& Session::helo_name() const {
  return helo_name_ ? *helo_name_ : environment_.remote_host;
}

std::string Session::protocol() const {
  if (!inside_tls()) return "SMTP";
  std::string text = "ESMTPS (" + cipher_ + " encrypted)";
  if (relays_by_certificate()) text.append("\n  (cert ").append(*decision_->granted_to).append(")");
  return text;
}

}  // namespace qmail::smtpd
