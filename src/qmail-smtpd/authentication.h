// Authentication: one AUTH command from its first answer to its last reply.
//
// What the client says is wiped from every buffer as soon as it was understood. Limits come first:
// whoever may not ask is not told whether a password is right.
#pragma once

#include <optional>
#include <string>

#include "qmail-smtpd/auth_settings.h"
#include "qmail-smtpd/command_reader.h"
#include "qmail-smtpd/log.h"
#include "qmail-smtpd/session.h"
#include "qmail/connection.h"

namespace qmail::smtpd {

class Authentication {
 public:
  // What is referred to outlives it.
  Authentication(const AuthSettings& settings, std::string challenge_host,
                 std::chrono::seconds timeout, Connection& connection, CommandReader& reader,
                 const Log& log)
      : settings_(settings),
        challenge_host_(std::move(challenge_host)),
        timeout_(timeout),
        connection_(connection),
        reader_(reader),
        log_(log) {}

  struct Result {
    std::string reply;
    std::optional<std::string> user{};  // who the client is, if it is good
    bool last = false;                  // it has been wrong too often: the connection ends here
  };
  Result run(const AuthRequest& request);

 private:
  Result converse(const AuthRequest& request);
  Result judge(const AuthRequest& request, const Credentials& credentials);
  Result refuse(const std::string& who);

  const AuthSettings& settings_;
  std::string challenge_host_;
  std::chrono::seconds timeout_;
  Connection& connection_;
  CommandReader& reader_;
  const Log& log_;
  int refusals_ = 0;
};

}  // namespace qmail::smtpd
