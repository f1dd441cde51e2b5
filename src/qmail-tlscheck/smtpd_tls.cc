#include "qmail-tlscheck/smtpd_tls.h"

#include "qmail/text.h"

namespace qmail::tlscheck {

tls::ServerSettings certificate_settings(const Site& site, const std::string& certificate_file) {
  tls::ServerSettings settings;
  settings.certificate_file = certificate_file;
  settings.ciphers.origin = site.control.file("tlsserverciphers");
  const auto lines = site.control.list("tlsserverciphers");
  if (lines && *lines && !(*lines)->empty()) settings.ciphers.list = joined(**lines, ":");
  return settings;
}

}  // namespace qmail::tlscheck
