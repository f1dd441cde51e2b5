#include "qmail/connection.h"

#include <stdexcept>
#include <string.h>  // explicit_bzero, memmove

#include "qmail/buffer.h"

namespace qmail {

namespace {

// Two full TLS records, half of a Linux pipe: larger buffers do not save system calls worth having.
constexpr std::size_t input_size = 32768;
constexpr std::size_t output_size = 16384;  // one full TLS record

using Cause = ConnectionLost::Cause;

Cause cause_of(const IoError& error, Cause timed_out, Cause failed) {
  switch (error.kind) {
    case IoError::Kind::timed_out:
      return timed_out;
    case IoError::Kind::garbled:
      return Cause::garbled;
    case IoError::Kind::failed:
      break;
  }
  return failed;
}

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, std::chrono::seconds timeout)
    : transport_(std::move(transport)), timeout_(timeout), in_(make_buffer<char>(input_size)) {}

void Connection::receive(Deadline until) {
  flush();
  // A peer that never stops sending would not be waited for, and never be late.
  if (past_end()) throw ConnectionLost(Cause::read_timed_out, "timed out");
  read(until, true);
}

bool Connection::receive_now() { return read(Deadline::after(std::chrono::seconds(0)), false); }

bool Connection::read(Deadline until, bool wait) {
  if (begin_ > 0) {
    ::memmove(in_.get(), in_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == input_size) throw std::logic_error("Connection::receive() without room");
  const auto got = transport_->read({in_.get() + end_, input_size - end_}, until);
  if (!got && !wait && got.error().kind == IoError::Kind::timed_out) return false;
  if (!got)
    throw ConnectionLost(cause_of(got.error(), Cause::read_timed_out, Cause::read_failed),
                         got.error().reason);
  if (*got == 0) throw ConnectionLost(ConnectionLost::Cause::end_of_input, "");
  end_ += *got;
  return true;
}

void Connection::wipe_consumed() {
  // Also behind the end: receive() moved what was there.
  ::explicit_bzero(in_.get(), begin_);
  ::explicit_bzero(in_.get() + end_, input_size - end_);
}

void Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    // Full blocks go out from where they are, at once; only the rest is copied.
    if (out_.empty() && bytes.size() >= output_size) {
      const std::size_t whole = bytes.size() - bytes.size() % output_size;
      send(bytes.substr(0, whole));
      bytes.remove_prefix(whole);
      continue;
    }
    const std::string_view part = bytes.substr(0, output_size - out_.size());
    out_.append(part);
    bytes.remove_prefix(part.size());
    if (out_.size() == output_size) flush();
  }
}

void Connection::reserve_output() { out_.reserve(output_size); }

void Connection::flush() {
  if (out_.empty()) return;
  send(out_);
  out_.clear();
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = transport_->write(bytes, deadline());
    if (!put) {
      out_.clear();  // nobody is there to read it; a later flush must not try again
      throw ConnectionLost(cause_of(put.error(), Cause::write_timed_out, Cause::write_failed),
                           put.error().reason);
    }
    bytes.remove_prefix(*put);
  }
}

void Connection::upgrade(std::unique_ptr<Transport> transport) {
  forget_input();
  transport_ = std::move(transport);
}

}  // namespace qmail
