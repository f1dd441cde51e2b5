#include "qmail-tlscheck/smtpd_tls.h"

namespace qmail::tlscheck {

tls::ServerSettings certificate_settings(const Site& site, const std::string& certificate_file) {
  tls::ServerSettings settings;
  settings.certificate_file = certificate_file;
  const auto parameters = tls::read_parameters(
      site.control, {"tlsserverciphers", "serverciphersuite", "tlsservermethod"});
  if (parameters) settings.parameters = *parameters;
  return settings;
}

}  // namespace qmail::tlscheck
