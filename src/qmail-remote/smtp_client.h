// SmtpClient: commands and the message out, responses in, over a Connection. It knows lines, not
// what they mean.
//
// Throws ConnectionLost when the server is gone, but not before what it said last has been read:
// when a write fails, what has arrived until then is still answered from, in order; only when that
// is used up the loss is thrown. So a server that refuses and hangs up is heard, and an alert of
// TLS is named rather than the reset that follows it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "qmail-remote/response.h"
#include "qmail/connection.h"

namespace qmail::remote {

class SmtpClient {
 public:
  // `connection` reads from `socket`; one response takes at most `timeout` in all.
  SmtpClient(Connection& connection, int socket, std::chrono::seconds timeout)
      : connection_(connection), socket_(socket), timeout_(timeout) {}

  // Keeps a command, given without its line end, for the next flight: it goes out when a response
  // is waited for.
  void send(std::string_view command);
  // A command that nobody should find in our memory afterwards; it goes out at once.
  void send_secret(std::string_view command);
  // Bytes as they are.
  void write(std::string_view bytes);
  void flush();
  // A write has failed: nothing goes out any more.
  bool lost() const { return lost_.has_value(); }

  // The next response, in the order of the commands.
  Response response(const ResponseReader::Listener& listener = {});
  // One command and its response.
  Response ask(std::string_view command, const ResponseReader::Listener& listener = {});

  // What the server says unasked, as far as it is there: a refusal, or nothing, and then everything
  // else has been passed over. Waits for nothing.
  std::optional<Response> refusal();
  // The next response has begun before anything asked for it.
  bool response_begun() const { return reader_.begun(); }

 private:
  bool hear();
  void take_input(const ResponseReader::Listener& listener);

  Connection& connection_;
  int socket_;
  std::chrono::seconds timeout_;
  ResponseReader reader_;
  std::optional<ConnectionLost> lost_;
};

}  // namespace qmail::remote
