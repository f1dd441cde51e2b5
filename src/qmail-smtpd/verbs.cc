#include "qmail-smtpd/verbs.h"

#include <algorithm>
#include <array>

#include "qmail-smtpd/session.h"
#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

// The frequent ones first.
constexpr std::array verbs{
    //   name       handler             before_tls  before_mail  drops_input
    Verb{"rcpt", &Session::rcpt, true, false, false},
    Verb{"mail", &Session::mail, false, true, false},
    Verb{"data", &Session::data, true, false, false},
    Verb{"quit", &Session::quit, true, true, false},
    Verb{"helo", &Session::helo, true, true, false},
    Verb{"ehlo", &Session::ehlo, true, true, false},
    Verb{"rset", &Session::rset, true, true, false},
    Verb{"help", &Session::help, true, true, false},
    Verb{"noop", &Session::noop, true, true, false},
    Verb{"vrfy", &Session::vrfy, true, true, false},
    Verb{"auth", &Session::auth, true, true, false},
    Verb{"starttls", &Session::starttls, true, true, true},
};

}  // namespace

const Verb* find_verb(std::string_view name) {
  const auto* const found = std::find_if(verbs.begin(), verbs.end(), [name](const Verb& verb) {
    return equal_ignoring_case(name, verb.name);
  });
  return found != verbs.end() ? found : nullptr;
}

}  // namespace qmail::smtpd
