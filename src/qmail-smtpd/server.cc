#include "qmail-smtpd/server.h"

#include <cstdint>
#include <ctime>
#include <exception>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include "qmail-smtpd/command.h"
#include "qmail-smtpd/command_reader.h"
#include "qmail-smtpd/data_decoder.h"
#include "qmail-smtpd/hop_counter.h"
#include "qmail-smtpd/received.h"
#include "qmail-smtpd/replies.h"
#include "qmail-smtpd/starttls.h"
#include "qmail/confinement.h"
#include "qmail/ipme.h"
#include "qmail/transport.h"

namespace qmail::smtpd {

namespace {

// Our replies are whole packets; holding one back until the one before is acknowledged (Nagle) only
// costs the client's delayed ACK, 40 ms. On what is no TCP socket this does nothing.
void send_without_delay(int fd) {
  const int on = 1;
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
}

}  // namespace

Server::Server(Descriptors descriptors, const SmtpdConfig& config, const Environment& environment,
               const ControlDir& control, const Log& log)
    : descriptors_(descriptors),
      config_(config),
      environment_(environment),
      control_(control),
      log_(log),
      connection_(std::make_unique<FdTransport>(descriptors.in, descriptors.out), config.timeout) {
  send_without_delay(descriptors.out);
}

int Server::run() {
  try {
    return conversation();
  } catch (const std::bad_alloc&) {
    return 1;  // not even memory for the last words
  }
}

int Server::conversation() {
  int status = 1;
  try {
    converse();
    status = 0;
  } catch (const ConnectionLost& lost) {
    if (lost.cause() == ConnectionLost::Cause::read_timed_out) last_words(reply::timeout);
    if (lost.cause() == ConnectionLost::Cause::garbled) log_.line(tls_broken_line(lost.reason()));
  } catch (const EndSession& end) {
    if (!end.log_line.empty()) log_.line(end.log_line);
    last_words(end.reply);
  } catch (const std::bad_alloc&) {
    last_words(reply::out_of_memory);
  } catch (const std::exception& error) {
    log_.line(std::string("unforeseen trouble: ") + error.what());
    last_words(reply::unforeseen);
  }
  connection_.transport().say_goodbye();
  return status;
}

// The client may be gone: then there is nobody to tell.
void Server::last_words(std::string_view text) {
  try {
    reply(text);
  } catch (const ConnectionLost&) {
    return;
  }
}

void Server::reply(std::string_view text) {
  connection_.write(text);
  connection_.flush();
}

void Server::converse() {
  std::optional<TlsStarted> tls;
  if (environment_.tls_from_the_start) {
    auto started = start_tls({});
    if (!started) throw EndSession{tls_failure_reply(started.error())};
    tls = *std::move(started);
  }
  const auto own_addresses = OwnAddresses::learn();
  if (!own_addresses) {
    throw EndSession{std::string(reply::own_addresses_unknown),
                     "unable to learn this host's addresses: " + own_addresses.error().message()};
  }
  Session session(config_, environment_, control_, *own_addresses);
  if (tls) session.tls_started(tls->facts, std::move(tls->certificate));
  reply(session.banner());
  command_loop(session);
}

void Server::command_loop(Session& session) {
  CommandReader reader(connection_);
  for (;;) {
    const Command command = parse_command(reader.next());
    if (command.verb == Verb::ehlo && !session.inside_tls()) {
      session.offer_starttls(starttls_to_be_had());
    }
    const Outcome outcome = session.handle(command);
    // Whatever came of it, nothing that was sent along with STARTTLS is a command.
    if (command.verb == Verb::starttls) connection_.forget_input();

    switch (outcome.after) {
      case After::next_command:
        // Goes out before the next wait: the replies to commands sent in a row are one packet.
        connection_.write(outcome.reply);
        break;
      case After::receive_data:
        reply(receive_message(session, outcome.reply));
        break;
      case After::start_tls:
        if (auto started = start_tls(outcome.reply)) {
          session.tls_started(started->facts, std::move(started->certificate));
        } else {
          reply(tls_failure_reply(started.error()));
        }
        break;
      case After::hang_up:
        reply(outcome.reply);
        return;
    }
  }
}

// --- DATA ---

// `go_ahead` goes out once the queue program runs. The reply to the message, or to DATA.
std::string Server::receive_message(Session& session, std::string_view go_ahead) {
  const Envelope envelope = session.take_envelope();
  QueueProgram program{environment_.queue_program};
  if (session.relays_by_certificate()) program.variables = {"RELAYCLIENT="};
  auto queue = QueueClient::start(program);
  if (!queue) return std::string(reply::queue_not_started);

  reply(go_ahead);
  const std::string protocol = session.protocol();
  Trace trace{environment_.remote_host, session.helo_name(),     {},
              environment_.remote_ip,   environment_.local_name, protocol};
  if (environment_.remote_info) trace.remote_info = *environment_.remote_info;
  queue->write(received_field(trace, std::time(nullptr)));
  const MessageFaults faults = read_message(*queue);

  // Memory for the good news is had first: once the message is queued, lack of memory must not
  // make us refuse it.
  std::string room;
  room.reserve(reply::queued_size);
  const auto queued = queue->finish(envelope.sender, envelope.recipients);
  if (queued) return reply::queued(std::move(room), std::time(nullptr), *queued);
  if (faults.too_many_hops) return std::string(reply::too_many_hops);
  if (faults.too_large) return std::string(reply::too_large);
  return std::string(queued.error());
}

// Moves the message from the client to the queue, each byte once. After a fault it reads on to the
// end of the message.
Server::MessageFaults Server::read_message(QueueClient& queue) {
  constexpr std::size_t piece = QueueClient::largest_piece - DataDecoder::held_back;
  DataDecoder decoder;
  HopCounter hops;
  std::uint64_t size = 0;
  MessageFaults faults;
  for (;;) {
    if (connection_.input().empty()) connection_.receive();
    const std::string_view input = connection_.input().substr(0, piece);
    const DataDecoder::Progress progress = decoder.decode(input, queue.room());
    if (progress.status == DataDecoder::Status::bare_lf) {
      throw EndSession{std::string(reply::bare_lf)};
    }
    queue.put(progress.stored);
    hops.look_at(input.substr(0, progress.used));
    size += progress.stored;
    faults.too_many_hops = hops.too_many();
    faults.too_large = config_.databytes > 0 && size > config_.databytes;
    if (faults.too_many_hops || faults.too_large) queue.spoil();
    connection_.consume(progress.used);
    if (progress.status == DataDecoder::Status::end) return faults;
  }
}

// --- TLS ---

// EHLO offers STARTTLS when there is a certificate (whether it is any good shows later) and OpenSSL
// is there.
bool Server::starttls_to_be_had() {
  if (tls_failure_ && tls_failure_->step == tls::TlsError::Step::library) return false;
  const auto certificate = control_.has("servercert.pem");
  if (certificate && !*certificate) return false;
  auto missing = tls::missing();
  if (!missing) return true;
  log_.line(tls_failure_line(*missing));
  tls_failure_ = std::move(missing);
  return false;
}

// Sets TLS up, tells the client `go_ahead` (unless empty) and changes the connection to TLS. A
// failure before that is returned: the client has not been told. It is the session's: a client that
// asks again and again does not fill the log.
Result<Server::TlsStarted, tls::TlsError> Server::start_tls(std::string_view go_ahead) {
  if (tls_failure_) return Failure(*tls_failure_);
  hide_memory();  // the private key is about to be in it
  auto context = make_tls_context(control_, environment_);
  if (!context) {
    log_.line(tls_failure_line(context.error()));
    tls_failure_ = context.error();
    return Failure(context.error());
  }
  for (const tls::Warning& warning : context->warnings()) log_.line(warning_line(warning));
  if (!go_ahead.empty()) reply(go_ahead);
  try {
    return change_to_tls(*std::move(context));
  } catch (const std::exception&) {
    throw EndSession{};
  }
}

// Whatever goes wrong from here on, to the first word inside TLS, ends the session without another
// word in the clear: among the handshake, or behind an alert, it could only be misread.
Server::TlsStarted Server::change_to_tls(tls::ServerContext context) {
  auto started =
      context.accept(descriptors_.in, descriptors_.out, Deadline::after(config_.timeout));
  if (!started) {
    log_.line(tls_failure_line(started.error()));
    throw EndSession{};
  }
  log_.line(tls_start_line(*started));
  if (environment_.debug) log_.line(certificate_line(started->client));
  connection_.upgrade(std::move(started->transport));
  return TlsStarted{std::move(started->facts), std::move(started->client)};
}

}  // namespace qmail::smtpd
