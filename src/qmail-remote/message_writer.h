// The message on its way out: read, encoded, written, with an eye on what the server says
// meanwhile.
#pragma once

#include <optional>
#include <variant>

#include "qmail-remote/report.h"
#include "qmail-remote/response.h"
#include "qmail-remote/smtp_client.h"

namespace qmail::remote {

// Why the final dot was not sent: a fault of ours or of the message; or the server has refused
// before it had all of it.
using Unsent = std::variant<MessageReport, Response>;

// Reads `message` to its end and hands all of it, and the final dot, to the system. Throws
// ConnectionLost when the server has gone without a refusal; then the dot has not been sent either.
std::optional<Unsent> write_message(SmtpClient& client, int message);

}  // namespace qmail::remote
