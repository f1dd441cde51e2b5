#include "qmail-smtpd/message.h"

#include <ctime>
#include <utility>

#include "qmail-smtpd/data_decoder.h"
#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/hop_counter.h"
#include "qmail-smtpd/replies.h"

namespace qmail::smtpd {

namespace {

struct Faults {
  bool too_many_hops = false;
  bool too_large = false;
};

// Moves the message from the client to the queue, each byte once. After a fault it reads on to the
// end of the message. `size`: of what was stored.
Faults move_message(Connection& connection, QueueClient& queue, std::uint64_t largest,
                    std::uint64_t& size) {
  constexpr std::size_t piece = QueueClient::largest_piece - DataDecoder::held_back;
  DataDecoder decoder;
  HopCounter hops;
  Faults faults;
  for (;;) {
    if (connection.input().empty()) connection.receive();
    const std::string_view input = connection.input().substr(0, piece);
    const DataDecoder::Progress progress = decoder.decode(input, queue.room());
    if (progress.status == DataDecoder::Status::bare_lf) {
      throw EndSession{std::string(reply::bare_lf)};
    }
    queue.put(progress.stored);
    hops.look_at(input.substr(0, progress.used));
    size += progress.stored;
    faults.too_many_hops = hops.too_many();
    faults.too_large = largest > 0 && size > largest;
    if (faults.too_many_hops || faults.too_large) queue.spoil();
    connection.consume(progress.used);
    if (progress.status == DataDecoder::Status::end) return faults;
  }
}

}  // namespace

Received receive_message(Connection& connection, const Submission& submission,
                         std::string_view go_ahead) {
  auto queue = QueueClient::start(submission.program);
  if (!queue) return {std::string(reply::queue_not_started)};

  connection.write(go_ahead);
  connection.flush();
  queue->write(received_field(submission.trace, std::time(nullptr)));
  queue->write(submission.headers);
  Received received;
  const Faults faults = move_message(connection, *queue, submission.largest, received.bytes);

  // Memory for the good news is had first: once the message is queued, lack of memory must not
  // make us refuse it.
  std::string room;
  room.reserve(reply::queued_size);
  const auto queued = queue->finish(submission.envelope.sender, submission.envelope.recipients);
  if (queued) {
    received.queued = true;
    received.reply = reply::queued(std::move(room), std::time(nullptr), *queued);
  } else if (faults.too_many_hops) {
    received.reply = reply::too_many_hops;
  } else if (faults.too_large) {
    received.reply = reply::too_large;
  } else {
    received.reply = queued.error();
  }
  return received;
}

}  // namespace qmail::smtpd
