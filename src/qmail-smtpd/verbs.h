// The verbs that qmail-smtpd knows: one row each, and everything that is particular to a verb
// stands in its row.
#pragma once

#include <string_view>

namespace qmail::smtpd {

class Session;
struct Command;
struct Outcome;

struct Verb {
  std::string_view name;
  Outcome (Session::*handle)(const Command&);
  bool before_tls;   // may be said in the clear where TLS is demanded
  bool before_mail;  // makes sense without an envelope; otherwise: 503 MAIL first
  bool drops_input;  // whatever comes of it, nothing that was sent along with it is a command
};

// By its name, in any letter case; nullptr: there is no such verb.
const Verb* find_verb(std::string_view name);

}  // namespace qmail::smtpd
