// Lookups: what a session asks of the world outside while it goes on, since it must be known at a
// certain command and not before. The only way from a Session to a file.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-smtpd/client_certificate.h"
#include "qmail-smtpd/plugins.h"
#include "qmail/control.h"
#include "qmail/result.h"
#include "tls/tls.h"

namespace qmail::smtpd {

struct Lookups {
  // Is there a certificate, and OpenSSL?
  std::function<bool()> tls_to_be_had;
  // Does this host take mail for the address from everybody (rcpthosts, morercpthosts.cdb)?
  std::function<Result<bool, ControlError>(std::string_view)> takes_mail_for;
  // How many recipients a message may have, how many refused ones a session; 0: any number.
  std::function<Result<std::uint32_t, ControlError>()> most_recipients;
  std::function<Result<std::uint32_t, ControlError>()> most_refusals;
  // May whoever showed this certificate relay (tlsclients)?
  std::function<Result<CertificateDecision, ControlError>(const tls::ClientCertificate&)> judge;
  // What the programs say, run with these variables (NAME=VALUE); asked only where there are some.
  std::function<PluginAnswer(const std::vector<std::string>& programs,
                             const std::vector<std::string>& variables)>
      ask_plugins{};
  // The reply with which RCPTCHECK refuses; asked only where there is one.
  std::function<std::optional<std::string>(const std::vector<std::string>& variables)>
      check_recipient{};
};

}  // namespace qmail::smtpd
