// The message on its way out: read, encoded, written, with an eye on what the server says
// meanwhile.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "qmail-remote/report.h"
#include "qmail-remote/response.h"
#include "qmail-remote/smtp_client.h"

namespace qmail::remote {

// Why the final dot must not be sent: a fault of ours or of the message; or the server has refused
// before it had all of it.
using Unsent = std::variant<MessageReport, Response>;

// Reads `message` to its end and sends all of it. Throws ConnectionLost when the server has gone
// without a refusal.
std::optional<Unsent> write_message(SmtpClient& client, int message);

// Hands the final dot, and what stands `behind` it in the same write, to the system. The server may
// have gone before that: then its refusal is returned, if it said one, or ConnectionLost thrown.
// The dot has not gone out then, unless there was something behind it: nobody can tell.
std::optional<Response> write_final_dot(SmtpClient& client, std::string_view behind);

}  // namespace qmail::remote
