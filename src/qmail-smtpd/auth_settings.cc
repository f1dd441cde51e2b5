#include "qmail-smtpd/auth_settings.h"

#include <algorithm>
#include <string_view>

#include "qmail/ascii.h"
#include "qmail/environment.h"

namespace qmail::smtpd {

namespace {

const std::vector<Mechanism> passwords{Mechanism::login, Mechanism::plain};

// The values of SMTPAUTH, in lower case and without a '!' before them. False: it is not known, and
// means as much as an empty one.
bool choose(std::string_view value, std::vector<Mechanism>& mechanisms) {
  mechanisms = passwords;
  if (value.empty() || value == "tlsrequired") return true;
  if (value == "-" || value == "0") {
    mechanisms.clear();
  } else if (value.starts_with("cram")) {
    mechanisms = {Mechanism::cram_md5};
  } else if (value.starts_with("+cram")) {
    mechanisms.push_back(Mechanism::cram_md5);
  } else if (value == "external") {
    mechanisms = {Mechanism::external};
  } else if (value == "+external") {
    mechanisms.push_back(Mechanism::external);
  } else {
    return false;
  }
  return true;
}

bool names_host(std::string_view argument) {
  return argument.find('.') != std::string_view::npos &&
         argument.find('/') == std::string_view::npos;
}

}  // namespace

AuthSettings AuthSettings::of(const std::vector<std::string>& arguments,
                              const std::optional<std::string>& smtpauth) {
  AuthSettings found;
  found.program = arguments;
  if (arguments.size() >= 3 && names_host(arguments.front())) {
    found.host = arguments.front();
    found.program.erase(found.program.begin());
  }
  if (!smtpauth) {
    if (found.program.size() >= 2) found.mechanisms = passwords;
    found.known = found.program.size() >= 2;
    return found;
  }
  found.known = true;
  found.demanded = smtpauth->starts_with('!');
  if (!choose(to_lower(smtpauth->substr(found.demanded ? 1 : 0)), found.mechanisms)) {
    found.warning = "warning: SMTPAUTH: " + *smtpauth + " is not known";
  }
  const bool needs_program = std::any_of(found.mechanisms.begin(), found.mechanisms.end(),
                                         [](Mechanism m) { return m != Mechanism::external; });
  if (found.program.empty() && needs_program) {
    found.warning = "warning: SMTPAUTH is set, but no checkpassword program is given";
  }
  return found;
}

AuthSettings AuthSettings::of_environment(const std::vector<std::string>& arguments) {
  AuthSettings found = of(arguments, environment_variable("SMTPAUTH"));
  found.demanded = found.demanded || environment_switch("REQUIRE_AUTH") ||
                   environment_variable("REQUIREAUTH").has_value();
  found.in_the_clear =
      environment_variable("FORCETLS") == "0" || environment_switch("ALLOW_INSECURE_AUTH");
  found.sender_is_user = environment_switch("FORCEAUTHMAILFROM");
  return found;
}

bool AuthSettings::asks_for(Mechanism mechanism) const {
  return std::find(mechanisms.begin(), mechanisms.end(), mechanism) != mechanisms.end();
}

bool AuthSettings::can(Mechanism mechanism) const {
  return asks_for(mechanism) && (mechanism == Mechanism::external || !program.empty());
}

bool AuthSettings::can_any() const {
  return std::any_of(mechanisms.begin(), mechanisms.end(), [this](Mechanism m) { return can(m); });
}

}  // namespace qmail::smtpd
