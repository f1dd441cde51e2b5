// Connection: a buffered conversation with one peer, over a Transport that may change once
// (STARTTLS).
//
// Output is kept until it is worth a packet; it is always flushed before waiting for input, so a
// peer never waits for something we hold. Memory is bounded by the two fixed buffers. Each single
// wait gets the whole timeout anew, up to the end of the conversation if it has one. When the peer
// is gone, whatever the depth, ConnectionLost is thrown, from here only.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "qmail/deadline.h"
#include "qmail/secret.h"
#include "qmail/transport.h"

namespace qmail {

class ConnectionLost : public std::exception {
 public:
  enum class Cause {
    end_of_input,
    read_timed_out,
    read_failed,
    write_timed_out,
    write_failed,
    garbled,  // TLS is broken, see IoError
  };
  ConnectionLost(Cause cause, std::string reason) : cause_(cause), reason_(std::move(reason)) {}

  Cause cause() const { return cause_; }
  // The system's or the TLS library's text; empty after a proper end.
  const std::string& reason() const { return reason_; }
  const char* what() const noexcept override { return "connection lost"; }

 private:
  Cause cause_;
  std::string reason_;
};

class Connection {
 public:
  Connection(std::unique_ptr<Transport> transport, std::chrono::seconds timeout);

  // --- input ---
  // What has arrived and was not consumed. Valid until the next call of receive().
  std::string_view input() const { return {in_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t count) { begin_ += count; }
  // What was consumed was a secret: it is overwritten.
  void wipe_consumed();
  // Flushes, waits, and adds at least one byte to input(). At least half of the buffer must have
  // been consumed by then, or there would be no room: callers take input() whole, or a line at a
  // time.
  void receive() { receive(deadline()); }
  // The same by a deadline that several waits share (flushing is not a part of them).
  void receive(Deadline until);
  // Adds what is there to be read at this moment, if anything: it waits for nothing and flushes
  // nothing. True: something came.
  bool receive_now();

  // --- output ---
  void write(std::string_view bytes);
  // Sends what is kept, waiting as long as it takes (each piece by the timeout).
  void flush();
  // What is written stays where it is: growing, the buffer would leave copies behind.
  void reserve_output();
  // Nothing of what was written is left in memory here. All of it has been flushed.
  void wipe_output() { wipe(out_); }

  // --- how long it may last ---
  // No wait that begins from now on, for input or output, goes beyond that moment, and nothing is
  // received once it has passed, be it there already; both are a timeout. Nothing: no such moment.
  void end_at(std::optional<Deadline> end) { end_of_all_ = end; }
  bool past_end() const { return end_of_all_ && end_of_all_->passed(); }
  // Of a wait that begins now.
  Deadline deadline() const {
    const Deadline usual = Deadline::after(timeout_);
    return end_of_all_ ? Deadline::earlier(usual, *end_of_all_) : usual;
  }

  // --- the change to TLS ---
  // Everything that was received in the clear and not consumed is forgotten: what a man in the
  // middle put behind STARTTLS must not be read as if it came through TLS (RFC 3207, section 4).
  // The caller has flushed before the handshake.
  void upgrade(std::unique_ptr<Transport> transport);
  void forget_input() { begin_ = end_ = 0; }
  Transport& transport() { return *transport_; }

 private:
  bool read(Deadline until, bool wait);
  void send(std::string_view bytes);

  std::unique_ptr<Transport> transport_;
  std::chrono::seconds timeout_;
  std::optional<Deadline> end_of_all_;
  std::unique_ptr<char[]> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string out_;
};

}  // namespace qmail
