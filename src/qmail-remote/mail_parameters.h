// What goes behind MAIL's address where control/mailparams asks for it and the server offers it:
// SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), in this order.
//
// A message that the server has said it will not take is not offered to it: that is for good. What
// is not on offer is otherwise left out, and the message goes as it is; nothing is converted.
#pragma once

#include <string>

#include "qmail-remote/attempt.h"
#include "qmail-remote/report.h"
#include "qmail-remote/response.h"
#include "qmail/result.h"

namespace qmail::remote {

// Each parameter with a space before it; or the report with which the delivery ends. `ip`: the
// server, as reports name it. The message's descriptor stays where it is.
Result<std::string, MessageReport> mail_parameters(const Mail& mail, const WantedParameters& wanted,
                                                   const Extensions& server, const std::string& ip);

}  // namespace qmail::remote
