// The login at a relay (RFC 4954): the dialogue, from choosing a mechanism to the verdict. One
// mechanism is tried, once. What is said goes out by itself and is wiped behind it.
#pragma once

#include <optional>

#include "qmail-remote/credentials.h"
#include "qmail-remote/response.h"
#include "qmail-remote/sasl.h"
#include "qmail-remote/smtp_client.h"

namespace qmail::remote {

struct LoginOutcome {
  bool succeeded = false;
  std::optional<Mechanism> mechanism{};  // nothing: none on offer that we can use
  Response reply{};                      // the last one
  bool for_good = false;                 // a refusal that another try would only repeat
};

LoginOutcome authenticate(SmtpClient& client, const Credentials& credentials,
                          const Mechanisms& offered, Channel channel);

}  // namespace qmail::remote
