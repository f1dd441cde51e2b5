// The loop and what an Outcome may ask for, with all the ways to the last word; a few lines over
// 300, since a way that stood in another file would be overlooked.
#include "qmail-smtpd/server.h"

#include <exception>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <utility>

#include "qmail-smtpd/command.h"
#include "qmail-smtpd/command_reader.h"
#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/message.h"
#include "qmail-smtpd/record.h"
#include "qmail-smtpd/replies.h"
#include "qmail-smtpd/run_plugins.h"
#include "qmail-smtpd/starttls.h"
#include "qmail-smtpd/verbs.h"
#include "qmail/ascii.h"
#include "qmail/deadline.h"
#include "qmail/transport.h"

namespace qmail::smtpd {

namespace {

// Our replies are whole packets; holding one back until the one before is acknowledged (Nagle) only
// costs the client's delayed ACK, 40 ms. On what is no TCP socket this does nothing.
void send_without_delay(int fd) {
  const int on = 1;
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

bool timed_out(ConnectionLost::Cause cause) {
  return cause == ConnectionLost::Cause::read_timed_out ||
         cause == ConnectionLost::Cause::write_timed_out;
}

// Of several lines the last one counts: a plug-in may have put some before the reply.
bool is_error(std::string_view reply) {
  const std::size_t end = reply.find_last_not_of("\r\n");
  if (end == std::string_view::npos) return false;
  const std::size_t line = reply.rfind('\n', end) + 1;  // npos + 1: the first
  return reply[line] == '4' || reply[line] == '5';
}

EndSession lasts_too_long() {
  return {std::string(reply::lasts_too_long), "the session has lasted too long"};
}

// 0, or no number: there is none.
Result<std::uint32_t, ControlError> limit(const ControlDir& control, std::string_view name,
                                          const std::optional<std::string>& variable) {
  if (variable) return leading_number(*variable).value_or(0);
  const auto number = control.number(name);
  if (!number) return Failure(number.error());
  return number->value_or(0);
}

}  // namespace

Server::Server(Descriptors descriptors, const SmtpdConfig& config, const Peer& peer,
               const Switches& switches, const ControlDir& control, const Log& log)
    : config_(config),
      peer_(peer),
      switches_(switches),
      control_(control),
      log_(log),
      descriptors_(descriptors),
      connection_(std::make_unique<FdTransport>(descriptors.in, descriptors.out), config.timeout),
      upgrade_(descriptors, switches, control, log),
      reader_(connection_),
      authentication_(switches.auth,
                      switches.auth.host.empty() ? peer.local_name : switches.auth.host,
                      config.timeout, connection_, reader_, log),
      lookups_{
          .tls_to_be_had = [this] { return upgrade_.to_be_had(); },
          .takes_mail_for =
              [this](std::string_view address) { return config_.recipient_hosts.accept(address); },
          .most_recipients =
              [this] { return limit(control_, "maxrcpt", switches_.most_recipients); },
          .most_refusals = [this] { return limit(control_, "brtlimit", switches_.most_refusals); },
          .judge = [this](const tls::ClientCertificate& certificate) { return judge(certificate); },
          .ask_plugins =
              [this](const std::vector<std::string>& programs,
                     const std::vector<std::string>& variables) {
                connection_.flush();  // what was answered before need not wait for them
                return run_plugins(programs, variables, config_.timeout, log_);
              },
          .check_recipient =
              [this](const std::vector<std::string>& variables) {
                connection_.flush();
                return smtpd::check_recipient(*switches_.recipient_check, variables,
                                              config_.timeout);
              },
      },
      start_(std::chrono::steady_clock::now()) {
  send_without_delay(descriptors.out);
  if (switches.longest_session.count() > 0) {
    end_ = Deadline::after(switches.longest_session);
    connection_.end_at(end_);
  }
}

int Server::run() {
  try {
    return conversation();
  } catch (const std::bad_alloc&) {
    return 1;  // not even memory for the last words
  }
}

int Server::conversation() {
  try {
    converse();
    record_.end = Record::End::quit;
    exit_status_ = 0;
  } catch (const ConnectionLost& lost) {
    connection_lost(lost);
  } catch (const HandshakeFailed&) {
    record_.end = Record::End::tls;
  } catch (const EndSession& end) {
    if (!end.log_line.empty()) log_.line(end.log_line);
    exit_status_ = end.exit_status;
    last_words(end.reply);
  } catch (const std::bad_alloc&) {
    last_words(reply::out_of_memory);
  } catch (const std::exception& error) {
    log_.line(std::string("unforeseen trouble: ") + error.what());
    last_words(reply::unforeseen);
  }
  connection_.transport().say_goodbye();
  close_record();
  return exit_status_;
}

void Server::connection_lost(const ConnectionLost& lost) {
  const bool told = lost.cause() == ConnectionLost::Cause::read_timed_out;
  if (timed_out(lost.cause()) && connection_.past_end()) {
    const EndSession end = lasts_too_long();  // it is us who go
    log_.line(end.log_line);
    if (told) last_words(end.reply);
    return;
  }
  record_.end = timed_out(lost.cause()) ? Record::End::timed_out : Record::End::lost;
  if (told) last_words(reply::timeout);
  if (lost.cause() == ConnectionLost::Cause::garbled) log_.line(tls_broken_line(lost.reason()));
}

// The client may be gone: then there is nobody to tell.
void Server::last_words(std::string_view text) {
  try {
    say(text);
  } catch (const ConnectionLost&) {
    return;
  }
}

void Server::say(std::string_view text) {
  connection_.write(text);
  connection_.flush();
}

// What is said to what the client does; the last error that it may make is answered with 421.
void Server::answer(std::string_view reply) {
  count(reply);
  connection_.write(reply);
}

void Server::count(std::string_view reply) {
  if (switches_.most_errors == 0 || !is_error(reply)) return;
  if (++errors_ < switches_.most_errors) return;
  throw EndSession{std::string(reply::too_many_errors), "too many errors"};
}

void Server::converse() {
  std::optional<TlsUpgrade::Started> tls;
  if (switches_.tls_from_the_start) {
    auto started = upgrade_.start(connection_, {});
    if (!started) throw EndSession{tls_failure_reply(started.error())};
    tls = *std::move(started);
  }
  auto own_addresses = OwnAddresses::learn_v4();  // they are looked for in no other literals
  if (!own_addresses) {
    throw EndSession{std::string(reply::own_addresses_unknown),
                     "unable to learn this host's addresses: " + own_addresses.error().message()};
  }
  own_addresses_ = *std::move(own_addresses);
  warn();
  greet();
  session_.emplace(config_, peer_, switches_, lookups_, *own_addresses_);
  if (tls) session_->tls_started(tls->facts, std::move(tls->certificate));
  answer(session_->banner().reply);
  connection_.flush();
  command_loop(*session_);
}

Result<CertificateDecision, ControlError> Server::judge(const tls::ClientCertificate& certificate) {
  auto decision = decide_relaying(certificate, control_);
  if (!decision) return decision;
  for (const std::string& entry : decision->no_digests) {
    log_.line(warning_line({control_.file("tlsclients"), entry + " is no fingerprint"}));
  }
  return decision;
}

// Of what the environment asks for and cannot have.
void Server::warn() {
  if (switches_.auth.warning) log_.line(*switches_.auth.warning);
  if (switches_.tls_demanded && !switches_.tls_from_the_start &&
      (switches_.tls_forbidden || !upgrade_.to_be_had())) {
    log_.line(std::string("FORCETLS: no TLS to be had"));
  }
}

// A client that speaks before it was greeted is a spammer's program, more often than not.
void Server::greet() {
  if (switches_.relayclient || switches_.tls_from_the_start) return;
  if (switches_.greeting_delay.count() == 0) return;
  const auto deadline = Deadline::after(switches_.greeting_delay);
  // Descriptor -1 is never ready: what comes is kept, and answered then.
  const int talker = switches_.drops_early_talkers ? descriptors_.in : -1;
  if (wait_for(talker, POLLIN, deadline)) throw EndSession{std::string(reply::talks_too_early)};
}

// Nothing to tell of a session that was never greeted.
void Server::close_record() {
  if (!switches_.session_line || !session_) return;
  const auto lasted = std::chrono::steady_clock::now() - start_;
  record_.seconds = std::chrono::duration_cast<std::chrono::seconds>(lasted).count();
  record_.helo = session_->helo_name();
  record_.tls = session_->tls_version();
  if (const auto* login = std::get_if<ByLogin>(&session_->right())) record_.user = login->user;
  record_.refused = session_->refused_recipients();
  log_.line(session_line(record_));
}

void Server::command_loop(Session& session) {
  for (;;) {
    const Command command = parse_command(reader_.next());
    if (connection_.past_end()) throw lasts_too_long();
    if (switches_.most_errors > 0 && find_verb(command.verb) == nullptr && speaks_http(command)) {
      throw EndSession{"", "HTTP is spoken"};  // somebody's browser was sent here: nothing to tell
    }
    const Outcome outcome = session.handle(command);
    if (outcome.drops_input) connection_.forget_input();
    switch (outcome.after) {
      case After::next_command:
        if (outcome.secret) reader_.wipe();  // of what was refused, too
        // Goes out before the next wait: the replies to commands sent in a row are one packet.
        answer(outcome.reply);
        break;
      case After::receive_data:
        receive(session, outcome.reply);
        break;
      case After::start_tls:
        start_tls(session, outcome.reply);
        break;
      case After::authenticate:
        authenticate(session, outcome.auth);
        break;
      case After::hang_up:
        say(outcome.reply);
        return;
    }
  }
}

void Server::start_tls(Session& session, std::string_view go_ahead) {
  auto started = upgrade_.start(connection_, go_ahead);
  if (started) {
    session.tls_started(started->facts, std::move(started->certificate));
  } else {
    answer(tls_failure_reply(started.error()));
    connection_.flush();
  }
}

void Server::authenticate(Session& session, const AuthRequest& request) {
  const Authentication::Result result = authentication_.run(request);
  if (result.last) throw EndSession{result.reply};
  if (result.user) {
    const Session::LoginAnswer asked = session.ask_about_login(*result.user, request.mechanism);
    if (!asked.refusal) session.authenticated(*result.user, request.mechanism);
    answer(asked.said + asked.refusal.value_or(result.reply));
  } else {
    answer(result.reply);
  }
  connection_.flush();
}

void Server::receive(Session& session, std::string_view go_ahead) {
  const Submission submission{
      .envelope = session.take_envelope(),
      .trace = session.trace(),
      .headers = session.take_headers(),
      .program = {switches_.queue_program, queue_variables(session.right())},
      .largest = config_.databytes};
  connection_.end_at(std::nullopt);  // a message is received to its end
  const Received received = receive_message(connection_, submission, go_ahead);
  if (received.queued) {
    ++record_.messages;
    record_.recipients += submission.envelope.recipients.size();
    record_.bytes += received.bytes;
  }
  say(received.reply);
  connection_.end_at(end_);
  count(received.reply);  // what became of the message is told in any case
}

}  // namespace qmail::smtpd
