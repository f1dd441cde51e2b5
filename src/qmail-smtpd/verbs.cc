#include "qmail-smtpd/verbs.h"

#include <algorithm>
#include <array>

#include "qmail-smtpd/session.h"
#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

// The frequent ones first.
constexpr std::array verbs{
    //   name       handler             before_mail  drops_input
    Verb{"rcpt", &Session::rcpt, false, false},       Verb{"mail", &Session::mail, true, false},
    Verb{"data", &Session::data, false, false},       Verb{"quit", &Session::quit, true, false},
    Verb{"helo", &Session::helo, true, false},        Verb{"ehlo", &Session::ehlo, true, false},
    Verb{"rset", &Session::rset, true, false},        Verb{"help", &Session::help, true, false},
    Verb{"noop", &Session::noop, true, false},        Verb{"vrfy", &Session::vrfy, true, false},
    Verb{"starttls", &Session::starttls, true, true},
};

}  // namespace

const Verb* find_verb(std::string_view name) {
  const auto* const found = std::find_if(verbs.begin(), verbs.end(), [name](const Verb& verb) {
    return equal_ignoring_case(name, verb.name);
  });
  return found != verbs.end() ? found : nullptr;
}

}  // namespace qmail::smtpd
