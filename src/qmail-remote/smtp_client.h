// SmtpClient: commands out, responses in, over a Connection. It knows lines, not what they mean.
//
// Throws ConnectionLost, through Connection, when the server is gone.
#pragma once

#include <string_view>

#include "qmail-remote/response.h"
#include "qmail/connection.h"

namespace qmail::remote {

class SmtpClient {
 public:
  explicit SmtpClient(Connection& connection) : connection_(connection) {}

  // Keeps a command, given without its line end, for the next flight: it goes out when a response
  // is waited for.
  void send(std::string_view command);
  // The next response, in the order of the commands.
  Response response();
  // One command and its response.
  Response ask(std::string_view command);

 private:
  Connection& connection_;
};

}  // namespace qmail::remote
