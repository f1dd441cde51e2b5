// Cipher lists, DH parameters and ticket keys: what the programs would complain of, and what has no
// effect.
#include <algorithm>
#include <sys/stat.h>

#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/smtpd_tls.h"

namespace qmail::tlscheck {

namespace {

void check_ciphers(const Site& site, std::string_view name, Owner owner, Findings& found) {
  const std::string file = site.control.file(name);
  const auto content = site.control.colon_list(name);
  if (!content) return found.fail(file, content.error().reason);
  if (*content || leads_nowhere(file)) check_access(site, file, owner, Secret::no, found);
  if (!*content) return;
  const std::string& list = **content;
  const auto parts = tls::meaningless_parts(list);
  for (const std::string& part : parts) {
    const bool misplaced = tls::meaningless_parts(part).empty();
    found.warn(file, "names no cipher this OpenSSL has: " + part +
                         (misplaced ? " (it counts only as the first word)" : ""));
  }
  tls::ClientSettings settings;
  settings.parameters.ciphers = {list.empty() ? "DEFAULT" : list, file};
  const auto context = tls::ClientContext::create(settings);
  if (!context) return;
  for (const auto& warning : context->warnings()) found.fail(file, warning.reason);
  if (context->warnings().empty() && parts.empty()) found.ok(file, list);
}

// TLS 1.3's suites, or versions: each name by itself, then all of them, as both sides judge them.
void check_names(const Site& site, std::string_view name, Owner owner,
                 tls::NameList tls::Parameters::*kind, Findings& found) {
  const std::string file = site.control.file(name);
  const auto content = site.control.colon_list(name);
  if (!content) return found.fail(file, content.error().reason);
  if (*content || leads_nowhere(file)) check_access(site, file, owner, Secret::no, found);
  if (!*content || (*content)->empty()) return;
  const auto context_for = [&](std::string list) {
    tls::ClientSettings alone;
    alone.parameters.*kind = {std::move(list), file};
    return tls::ClientContext::create(alone);
  };
  bool all_good = true;
  for (std::string_view rest = **content; !rest.empty();) {
    const std::string word(rest.substr(0, rest.find(':')));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (word.empty()) continue;
    const auto context = context_for(word);
    if (context && context->warnings().empty()) continue;
    all_good = false;
    found.warn(file, "names something that is not known, or no longer spoken: " + word);
  }
  const auto context = context_for(**content);
  if (!context) {
    // Of the server's context check_certificates tells.
    if (owner == Owner::remote) found.fail(file, "leaves nothing to speak: TLS fails");
    return;
  }
  for (const auto& warning : context->warnings()) found.fail(file, warning.reason);
  if (all_good) found.ok(file, **content);
}

bool complains_of(const std::string& file, const tls::ServerContext& context) {
  const auto& warnings = context.warnings();
  return std::any_of(warnings.begin(), warnings.end(),
                     [&](const tls::Warning& warning) { return warning.file == file; });
}

// The context is absent when servercert.pem cannot be used; then nothing can be said.
using Context = Result<tls::ServerContext, tls::TlsError>;

void check_dh(const Site& site, const std::string& file, const Context& context, Findings& found) {
  check_access(site, file, Owner::smtpd, Secret::no, found);
  if (context && !complains_of(file, *context)) found.ok(file, "2048 bits or more");
}

void check_ticket_keys(const Site& site, const std::string& file, const Context& context,
                       Findings& found) {
  check_access(site, file, Owner::smtpd, Secret::yes, found);
  struct stat status {};
  constexpr int days = 2;
  if (::stat(file.c_str(), &status) == 0 &&
      site.settings.now - status.st_mtime > days * seconds_a_day) {
    found.warn(file,
               "is unchanged since " + date(status.st_mtime) + ": run update_tmprsadh every day");
  }
  if (context && !complains_of(file, *context)) found.ok(file, "session tickets are issued");
}

}  // namespace

void check_parameters(const Site& site, Findings& found) {
  check_ciphers(site, "tlsserverciphers", Owner::smtpd, found);
  check_ciphers(site, "tlsclientciphers", Owner::remote, found);
  check_names(site, "serverciphersuite", Owner::smtpd, &tls::Parameters::suites, found);
  check_names(site, "clientciphersuite", Owner::remote, &tls::Parameters::suites, found);
  check_names(site, "tlsservermethod", Owner::smtpd, &tls::Parameters::versions, found);
  check_names(site, "tlsclientmethod", Owner::remote, &tls::Parameters::versions, found);

  tls::ServerSettings settings = certificate_settings(site, site.control.file("servercert.pem"));
  settings.dh_file = site.control.file("dh2048.pem");
  settings.ticket_keys_file = site.control.file("tlsticketkeys");
  const Context context = tls::ServerContext::create(settings);
  if (context) {
    for (const auto& warning : context->warnings()) {
      // Of the ciphers more has been said above.
      if (warning.file != settings.parameters.ciphers.origin)
        found.warn(warning.file, warning.reason);
    }
  }
  const bool offered = there(site, "servercert.pem", found);
  for (const auto& [name, check] :
       {std::pair("dh2048.pem", &check_dh), std::pair("tlsticketkeys", &check_ticket_keys)}) {
    if (!there(site, name, found)) continue;
    const std::string file = site.control.file(name);
    check(site, file, context, found);
    if (offered && !context) {
      found.warn(file, "not looked at before servercert.pem can be used");
    }
  }
  if (there(site, "rsa2048.pem", found)) {
    found.ok(site.control.file("rsa2048.pem"), "has no effect: no cipher of today uses it");
  }
}

}  // namespace qmail::tlscheck
