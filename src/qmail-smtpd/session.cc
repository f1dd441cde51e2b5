#include "qmail-smtpd/session.h"

#include <utility>

#include "qmail-smtpd/address.h"
#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/extensions.h"
#include "qmail-smtpd/replies.h"
#include "qmail-smtpd/verbs.h"

namespace qmail::smtpd {

namespace {

Outcome answer(std::string_view reply) { return {std::string(reply)}; }

}  // namespace

Session::Session(const SmtpdConfig& config, const Peer& peer, const Switches& switches,
                 const Lookups& lookups, const OwnAddresses& own_addresses)
    : config_(config),
      peer_(peer),
      switches_(switches),
      lookups_(lookups),
      own_addresses_(own_addresses),
      right_(right_at_start()) {}

Right Session::right_at_start() const {
  if (switches_.relayclient) return ByEnvironment{*switches_.relayclient};
  return ByNobody{};
}

std::string Session::banner() const { return reply::banner(config_.greeting); }

Outcome Session::handle(const Command& command) {
  const Verb* const verb = find_verb(command.verb);
  if (verb == nullptr) return answer(reply::unimplemented);
  if (!verb->before_mail && !envelope_) return answer(reply::mail_first);
  Outcome outcome = (this->*verb->handle)(command);
  outcome.drops_input = verb->drops_input;
  return outcome;
}

// --- the beginning ---

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
  const Offer offer{.starttls = !inside_tls() && lookups_.tls_to_be_had()};
  return {reply::ehlo(config_.greeting, extension_lines(offer))};
}

Outcome Session::starttls(const Command& command) {
  if (inside_tls()) return answer(reply::unimplemented);
  if (!command.argument.empty()) return answer(reply::no_parameters);
  return {std::string(reply::ready_for_tls), After::start_tls};
}

void Session::tls_started(const tls::SessionFacts& facts, tls::ClientCertificate certificate) {
  envelope_.reset();
  helo_name_.reset();
  right_ = right_at_start();
  tls_ = Tls{facts.cipher, std::move(certificate)};
}

// --- a message ---

Outcome Session::mail(const Command& command) {
  auto sender = address_in(command);
  if (!sender) return answer(reply::syntax_error);
  const bool barred = config_.bad_senders.bars(*sender);
  envelope_ = Envelope{std::move(*sender), barred};
  return answer(reply::ok);
}

Outcome Session::rcpt(const Command& command) {
  auto address = address_in(command);
  if (!address) return answer(reply::syntax_error);
  if (envelope_->sender_barred) return answer(reply::sender_barred);
  if (!may_reach(*address)) return {refusal()};
  address->append(suffix(right_));
  envelope_->recipients.push_back(std::move(*address));
  return answer(reply::ok);
}

Outcome Session::data(const Command&) {
  if (envelope_->recipients.empty()) return answer(reply::rcpt_first);
  return {std::string(reply::go_ahead), After::receive_data};
}

std::optional<std::string> Session::address_in(const Command& command) const {
  if (command.cut_off) return std::nullopt;
  return parse_address(command.argument, config_.localhost, own_addresses_);
}

// Is the recipient's host ours, or may the client relay? A certificate is judged once, when it is
// first needed, for the rest of the session.
bool Session::may_reach(std::string_view address) {
  if (may_relay(right_)) return true;
  const auto taken = lookups_.takes_mail_for(address);
  if (!taken) throw unreadable_controls(taken.error());
  if (*taken) return true;
  if (tls_ && !tls_->judged) {
    auto decision = lookups_.judge(tls_->certificate);
    if (!decision) throw unreadable_controls(decision.error());
    tls_->judged = true;
    if (decision->granted_to) {
      right_ = ByCertificate{*std::move(decision->granted_to)};
    } else {
      right_ = ByNobody{std::move(decision->reason)};
    }
  }
  return may_relay(right_);
}

std::string Session::refusal() const {
  if (!inside_tls()) return std::string(reply::not_relayed);
  return reply::not_relayed_by_certificate(std::get<ByNobody>(right_).reason);
}

Envelope Session::take_envelope() {
  return std::exchange(envelope_, std::nullopt).value_or(Envelope{});
}

Trace Session::trace() const {
  Trace trace{.remote_host = peer_.remote_host,
              .helo = helo_name_ ? *helo_name_ : peer_.remote_host,
              .remote_ip = peer_.remote_ip,
              .local_name = peer_.local_name,
              .protocol = protocol()};
  if (peer_.remote_info) trace.remote_info = *peer_.remote_info;
  return trace;
}

std::string Session::protocol() const {
  if (!tls_) return "SMTP";
  return "ESMTPS (" + tls_->cipher + " encrypted)" + trace_note(right_);
}

// --- the rest ---

Outcome Session::rset(const Command&) {
  envelope_.reset();
  return answer(reply::flushed);
}

Outcome Session::noop(const Command&) { return answer(reply::ok); }
Outcome Session::vrfy(const Command&) { return answer(reply::vrfy); }
Outcome Session::help(const Command&) { return answer(reply::help); }
Outcome Session::quit(const Command&) { return {reply::quit(config_.greeting), After::hang_up}; }

}  // namespace qmail::smtpd
