#include "qmail-remote/smtp_client.h"

namespace qmail::remote {

void SmtpClient::send(std::string_view command) {
  connection_.write(command);
  connection_.write("\r\n");
}

Response SmtpClient::response() {
  ResponseReader reader;
  for (;;) {
    if (connection_.input().empty()) connection_.receive();
    connection_.consume(reader.feed(connection_.input()));
    if (reader.complete()) return reader.take();
  }
}

Response SmtpClient::ask(std::string_view command) {
  send(command);
  return response();
}

}  // namespace qmail::remote
