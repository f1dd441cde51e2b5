// How qmail-smtpd is started where AUTH is asked for: is there a program that can judge passwords,
// and TLS, without which none is taken? What the run script means is asked of qmail-smtpd's own
// reader of it.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "qmail-smtpd/auth_settings.h"
#include "qmail-tlscheck/checks.h"

namespace qmail::tlscheck {

namespace {

// Looked for as execvp(3) does.
bool there_is(const std::string& program, const Service& service) {
  if (program.find('/') != std::string::npos) return is_program(program);
  const char* ours = std::getenv("PATH");
  std::string path = service.variable("PATH").value_or(ours != nullptr ? ours : "/bin:/usr/bin");
  if (path.find('$') != std::string::npos) path += ":/bin:/usr/bin:/usr/local/bin";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    if (is_program(path.substr(begin, end - begin) + "/" + program)) return true;
    begin = end + 1;
  }
  return false;
}

bool wants_password(const smtpd::AuthSettings& auth) {
  return std::any_of(auth.mechanisms.begin(), auth.mechanisms.end(),
                     [](smtpd::Mechanism m) { return m != smtpd::Mechanism::external; });
}

void check_program(const Service& service, const smtpd::AuthSettings& auth, Findings& found) {
  constexpr std::string_view nobody = ": nobody can log in";
  if (auth.program.empty()) {
    found.fail(service.file,
               "asks for AUTH, and no checkpassword program stands behind "
               "qmail-smtpd" +
                   std::string(nobody));
    return;
  }
  const std::string& program = auth.program.front();
  const std::string name = program.substr(program.rfind('/') + 1);
  if (name == "true" || name == "false") {
    found.fail(service.file, program + " stands where a checkpassword program should" +
                                 std::string(nobody) + " (454): qmail-smtpd CHECKPASSWORD true");
  } else if (!there_is(program, service)) {
    found.fail(service.file, program +
                                 " stands where a checkpassword program should, and there "
                                 "is no such program" +
                                 std::string(nobody) + " (454)");
  }
}

void check_service(const Site& site, const Service& service, Findings& found) {
  if (!service.arguments_known) {
    found.ok(service.file,
             "what stands behind qmail-smtpd is worked out when it runs: not looked at");
    return;
  }
  const auto auth = smtpd::AuthSettings::of(service.arguments, service.variable("SMTPAUTH"));
  if (auth.warning && !auth.program.empty()) found.warn(service.file, *auth.warning);
  if (!auth.known || auth.mechanisms.empty()) {
    if (auth.demanded)
      found.fail(service.file, "demands a login and offers none: no mail is taken");
    return;
  }
  if (wants_password(auth)) check_program(service, auth, found);
  const bool in_the_clear =
      service.has_on("ALLOW_INSECURE_AUTH") || service.variable("FORCETLS") == "0";
  const auto certificate = site.control.has("servercert.pem");
  if (!in_the_clear && certificate && !*certificate) {
    found.fail(service.file, "asks for AUTH, which is inside TLS only, and there is no " +
                                 site.control.file("servercert.pem"));
  }
  if (auth.asks_for(smtpd::Mechanism::external)) {
    const auto clients = site.control.has("tlsclients");
    if (clients && !*clients) {
      found.fail(service.file, "asks for AUTH EXTERNAL, and there is no " +
                                   site.control.file("tlsclients") + ", which says who may");
    }
  }
}

}  // namespace

void check_services(const Site& site, Findings& found) {
  for (const std::string& place : site.settings.services) {
    if (const auto service = service_in(place)) check_service(site, *service, found);
  }
}

}  // namespace qmail::tlscheck
