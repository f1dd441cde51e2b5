// What the run script asks of SMTP AUTH: the arguments, SMTPAUTH and its like.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "qmail-smtpd/auth.h"

namespace qmail::smtpd {

struct AuthSettings {
  bool known = false;                    // AUTH is a command
  std::vector<Mechanism> mechanisms{};   // asked for, in EHLO's order
  bool demanded = false;                 // no MAIL without it
  bool in_the_clear = false;             // offered outside TLS, too
  bool sender_is_user = false;           // after it, no other sender
  std::vector<std::string> program{};    // and its arguments; empty: none is given
  std::string host{};                    // the first argument, if it names this host
  std::optional<std::string> warning{};  // for the log: what was asked for and cannot be meant

  // `arguments`: of the program, without its name.
  static AuthSettings of_environment(const std::vector<std::string>& arguments);
  // The same without the switches.
  static AuthSettings of(const std::vector<std::string>& arguments,
                         const std::optional<std::string>& smtpauth);

  bool asks_for(Mechanism mechanism) const;
  // Asked for, and nothing is missing that the run script must give.
  bool can(Mechanism mechanism) const;
  bool can_any() const;
};

}  // namespace qmail::smtpd
