// One handler a verb, all in one file, though it is over 300 lines: they read and set the same few
// facts of the session, and who reads one wants to see which other may have set them.
#include "qmail-smtpd/session.h"

#include <algorithm>
#include <utility>

#include "qmail-smtpd/address.h"
#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/extensions.h"
#include "qmail-smtpd/parameters.h"
#include "qmail-smtpd/replies.h"
#include "qmail-smtpd/verbs.h"
#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

Outcome answer(std::string_view reply) { return {std::string(reply)}; }

// `reply`: unless the plug-ins have another.
Outcome answer(const PluginAnswer& asked, std::string_view reply) {
  return {asked.said + (asked.refusal ? *asked.refusal : std::string(reply))};
}

constexpr std::size_t longest_headers = 65536;

// NAME=VALUE. A NUL would end the value early: what is judged would not be what is used.
std::string variable(std::string_view name, std::string_view value) {
  std::string text(name);
  text.append("=").append(value);
  std::replace(text.begin(), text.end(), '\0', '?');
  return text;
}

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

Outcome Session::banner() {
  const PluginAnswer asked = ask_plugins(Section::connection, {});
  return answer(asked, reply::banner(config_.greeting));
}

Outcome Session::handle(const Command& command) {
  const Verb* const verb = find_verb(command.verb);
  if (verb == nullptr) return answer(reply::unimplemented);
  if (!verb->before_mail && !envelope_) return answer(reply::mail_first);
  if (!verb->before_tls && switches_.tls_demanded && !inside_tls()) {
    return answer(reply::tls_demanded);
  }
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
  const PluginAnswer asked = ask_plugins(Section::helo, {{"SMTPHELOHOST", command.argument}});
  if (!asked.refusal) greeted(command.argument);
  return answer(asked, reply::helo(config_.greeting));
}

Outcome Session::ehlo(const Command& command) {
  const PluginAnswer asked = ask_plugins(Section::helo, {{"SMTPHELOHOST", command.argument}});
  if (asked.refusal) return answer(asked, "");
  greeted(command.argument);
  const Offer offer{
      .starttls = !inside_tls() && !switches_.tls_forbidden && lookups_.tls_to_be_had(),
      .auth = auth_offer(),
      .size = switches_.offers_size ? std::optional(config_.databytes) : std::nullopt};
  return answer(asked, reply::ehlo(config_.greeting, extension_lines(offer)));
}

Outcome Session::starttls(const Command& command) {
  if (inside_tls() || switches_.tls_forbidden) return answer(reply::unimplemented);
  if (!command.argument.empty()) return answer(reply::no_parameters);
  return {std::string(reply::ready_for_tls), After::start_tls};
}

void Session::tls_started(const tls::SessionFacts& facts, tls::ClientCertificate certificate) {
  envelope_.reset();
  helo_name_.reset();
  right_ = right_at_start();
  tls_ = Tls{facts.version, facts.cipher, std::move(certificate)};
}

// --- a message ---

Outcome Session::mail(const Command& command) {
  if (switches_.auth.demanded && !authenticated()) return answer(reply::auth_demanded);
  auto sender = address_in(command);
  if (!sender) return answer(reply::syntax_error);
  const auto* const login = std::get_if<ByLogin>(&right_);
  if (login != nullptr && switches_.auth.sender_is_user &&
      !equal_ignoring_case(*sender, login->user)) {
    return answer(reply::sender_is_not_user);
  }
  if (switches_.offers_size && config_.databytes > 0 &&
      announces_more(behind_address(command.argument), config_.databytes)) {
    return answer(reply::too_large);
  }
  PluginAnswer asked = ask_plugins(Section::mail, {{"SMTPMAILFROM", *sender}});
  if (asked.refusal) return answer(asked, "");
  if (asked.address) sender = std::move(asked.address);
  const bool barred = !asked.overrides && config_.bad_senders.bars(*sender);
  envelope_ = Envelope{std::move(*sender), barred};
  return answer(asked, reply::ok);
}

Outcome Session::rcpt(const Command& command) {
  auto address = address_in(command);
  if (!address) return answer(reply::syntax_error);
  ++envelope_->asked;
  if (envelope_->sender_barred) return refuse({}, reply::sender_barred);
  const bool reachable = may_reach(*address);
  PluginAnswer asked = ask_plugins(
      Section::rcpt, {{"SMTPRCPTTO", *address}, {"SMTPRCPTHOSTSOK", reachable ? "1" : "0"}});
  if (asked.refusal) return refuse(asked.said, *asked.refusal);
  if (!reachable && !asked.overrides) return refuse(asked.said, refusal());
  if (asked.address) address = std::move(asked.address);
  if (!envelope_->recipients.empty()) {  // a limit is at least one
    const auto most = lookups_.most_recipients();
    if (!most) throw unreadable_controls(most.error());
    if (*most > 0 && envelope_->recipients.size() >= *most) {
      return answer(asked, reply::too_many_recipients);
    }
  }
  if (const auto no = check_recipient(*address)) return refuse(asked.said, *no);
  address->append(suffix(right_));
  envelope_->recipients.push_back(std::move(*address));
  return answer(asked, reply::ok);
}

// A refusal for now does not say that the address is wrong, and is not counted.
Outcome Session::refuse(std::string_view said, std::string_view reply) {
  if (reply.starts_with('5')) {
    ++refused_;
    const auto most = lookups_.most_refusals();
    if (!most) throw unreadable_controls(most.error());
    if (*most > 0 && refused_ >= *most) throw EndSession{std::string(reply::too_many_refusals)};
  }
  return {std::string(said).append(reply)};
}

// What RCPTCHECK says of a recipient that would be taken.
std::optional<std::string> Session::check_recipient(std::string_view address) const {
  if (!switches_.recipient_check) return std::nullopt;
  if (may_relay(right_) && !switches_.checks_relayed_recipients) return std::nullopt;
  return lookups_.check_recipient({variable("SENDER", envelope_->sender),
                                   variable("RECIPIENT", address), variable("HELO", helo_name()),
                                   "USE_FD4=1"});
}

Outcome Session::data(const Command&) {
  if (envelope_->recipients.empty()) return answer(reply::rcpt_first);
  const PluginAnswer asked = ask_plugins(Section::data, {});
  if (asked.refusal) return answer(asked, "");
  return {asked.said + std::string(reply::go_ahead), After::receive_data};
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
  if (!tls_) return false;
  const CertificateDecision& decision = judged_certificate();
  if (decision.granted_to) {
    right_ = ByCertificate{*decision.granted_to};
  } else {
    right_ = ByNobody{decision.reason};
  }
  return may_relay(right_);
}

const CertificateDecision& Session::judged_certificate() {
  if (!tls_->decision) {
    auto decision = lookups_.judge(tls_->certificate);
    if (!decision) throw unreadable_controls(decision.error());
    tls_->decision = *std::move(decision);
  }
  return *tls_->decision;
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
              .protocol = protocol(right_, tls_ ? std::optional(tls_->cipher) : std::nullopt)};
  if (peer_.remote_info) trace.remote_info = *peer_.remote_info;
  if (const auto* login = std::get_if<ByLogin>(&right_)) trace.remote_info = login->user;
  return trace;
}

// --- AUTH ---

bool Session::may_say_external() {
  return tls_ && switches_.auth.can(Mechanism::external) && judged_certificate().granted_to;
}

std::string Session::auth_offer() {
  if (authenticated() || (!inside_tls() && !switches_.auth.in_the_clear)) return {};
  std::string offer;
  for (const Mechanism mechanism : switches_.auth.mechanisms) {
    if (!switches_.auth.can(mechanism)) continue;
    if (mechanism == Mechanism::external && !may_say_external()) continue;
    offer.append(offer.empty() ? "" : " ").append(keyword(mechanism));
  }
  return offer;
}

Outcome Session::auth(const Command& command) {
  Outcome outcome = judged_auth(command);
  outcome.secret = true;
  return outcome;
}

Outcome Session::judged_auth(const Command& command) {
  const AuthSettings& settings = switches_.auth;
  if (!settings.known) return answer(reply::unimplemented);
  if (!settings.can_any()) return answer(reply::auth_not_available);
  if (authenticated()) return answer(reply::auth_already);
  if (envelope_) return answer(reply::auth_in_transaction);
  if (!inside_tls() && !settings.in_the_clear) return answer(reply::auth_needs_tls);

  const std::size_t space = std::min(command.argument.find(' '), command.argument.size());
  const auto mechanism = find_mechanism(command.argument.substr(0, space));
  if (!mechanism || !settings.asks_for(*mechanism)) return answer(reply::auth_no_mechanism);
  if (!settings.can(*mechanism)) return answer(reply::auth_not_available);
  if (*mechanism == Mechanism::external && !may_say_external()) {
    return answer(reply::auth_no_mechanism);
  }
  Outcome outcome{{}, After::authenticate};
  outcome.auth.mechanism = *mechanism;
  outcome.auth.malformed = command.cut_off || command.holds_nul;
  const std::size_t response = command.argument.find_first_not_of(' ', space);
  if (response != std::string_view::npos) {
    outcome.auth.initial_response = command.argument.substr(response);
  }
  if (*mechanism == Mechanism::external) outcome.auth.identity = *judged_certificate().granted_to;
  return outcome;
}

void Session::authenticated(const std::string& user, Mechanism mechanism) {
  right_ = ByLogin{user, method(mechanism)};
}

Session::LoginAnswer Session::ask_about_login(const std::string& user, Mechanism mechanism) {
  const std::string name = method(mechanism);
  PluginAnswer asked =
      ask_plugins(Section::auth, {{"SMTPAUTHUSER", user}, {"SMTPAUTHMETHOD", name}});
  return {std::move(asked.said), std::move(asked.refusal)};
}

// --- plug-ins ---

PluginAnswer Session::ask_plugins(Section section, Variables more) {
  const auto at = static_cast<std::size_t>(section);
  if (later_refusals_.at(at)) {
    PluginAnswer answer;
    answer.refusal = *later_refusals_.at(at);
    return answer;
  }
  const std::vector<std::string>& programs = config_.plugins.of(section);
  if (programs.empty() || plugins_done_) return {};

  std::vector<std::string> variables = queue_variables(right_);
  for (const auto& [name, value] : more) variables.push_back(variable(name, value));
  if (helo_name_ && section != Section::helo) {
    variables.push_back(variable("SMTPHELOHOST", *helo_name_));
  }
  if (section == Section::rcpt || section == Section::data) {
    variables.push_back(variable("SMTPMAILFROM", envelope_->sender));
    variables.push_back("SMTPRCPTCOUNT=" + std::to_string(envelope_->recipients.size()));
    variables.push_back("SMTPRCPTCOUNTALL=" + std::to_string(envelope_->asked));
  }
  PluginAnswer answer = lookups_.ask_plugins(programs, variables);
  plugins_done_ = answer.ends_all;
  for (auto& [where, text] : answer.later_refusals) {
    later_refusals_.at(static_cast<std::size_t>(where)) = std::move(text);
  }
  for (const std::string& header : answer.headers) {
    // A client that repeats a command must not fill our memory with what a plug-in says each time.
    if (headers_.size() + header.size() <= longest_headers) headers_.append(header);
  }
  if (answer.last_words) {
    const bool wordless = answer.last_words->empty();
    throw EndSession{wordless ? std::string() : answer.said + *answer.last_words, {}, 0};
  }
  return answer;
}

// --- the rest ---

Outcome Session::rset(const Command&) {
  envelope_.reset();
  later_refusals_ = {};
  return answer(reply::flushed);
}

Outcome Session::noop(const Command&) { return answer(reply::ok); }
Outcome Session::vrfy(const Command&) { return answer(reply::vrfy); }
Outcome Session::help(const Command&) { return answer(reply::help); }
Outcome Session::quit(const Command&) { return {reply::quit(config_.greeting), After::hang_up}; }

}  // namespace qmail::smtpd
