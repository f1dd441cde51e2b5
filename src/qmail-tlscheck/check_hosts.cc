// tlshosts and notlshosts: which servers qmail-remote verifies, and which get no TLS.
#include <filesystem>
#include <system_error>

#include "qmail-tlscheck/checks.h"
#include "qmail/ascii.h"
#include "tls/tls.h"

namespace qmail::tlscheck {

namespace {

// Can any server be verified with the file? Asked of what qmail-remote would make of it.
void check_anchors(const Site& site, const std::string& file, const tls::ClientContext& context,
                   Findings& found) {
  const auto content = tls::read_certificates(file);
  const auto trust = tls::trusted_by(context, file);
  bool good = trust.empty();
  for (std::size_t i = 0; i < trust.size() && i < content.certificates.size(); ++i) {
    good = good || trust[i].issues || (trust[i].itself && !content.certificates[i].says_authority);
  }
  if (!good) {
    found.fail(file, "no server can be verified with it (" + trust.front().reason +
                         "): it must hold a root, or a certificate that signed itself");
  }
  for (const auto& certificate : content.certificates) {
    found.ok(file, certificate.subject + "; " + expiry(site, certificate));
    check_dates(site, file, certificate, found);
  }
}

void check_verified_hosts(const Site& site, Findings& found) {
  constexpr std::string_view suffix = ".pem";
  const bool exhaustive = there(site, "tlshosts/exhaustivelist", found);
  std::size_t hosts = 0;
  for (const std::string& name : entries_of(site.control.file("tlshosts"), found)) {
    const std::string file = site.control.file("tlshosts/" + name);
    if (name == "exhaustivelist") continue;
    if (name.size() <= suffix.size() || !name.ends_with(suffix)) {
      found.warn(file, "has no effect: the name must be that of a host, and end in .pem");
      continue;
    }
    ++hosts;
    check_access(site, file, Owner::remote, Secret::no, found);
    if (to_lower(name) != name) {
      found.warn(file, "capitals in its name: it is found only for a host that DNS spells just so");
    }
    tls::ClientSettings settings;
    settings.verification = tls::Anchors{file};
    const auto context = tls::ClientContext::create(settings);
    if (!context) {
      found.fail(file,
                 "cannot be used, all mail to this host is deferred: " + context.error().detail);
      continue;
    }
    check_anchors(site, file, *context, found);
  }
  if (exhaustive && hosts == 0) {
    found.warn(site.control.file("tlshosts/exhaustivelist"),
               "is there, but no host has a .pem: qmail-remote uses TLS with nobody");
  }
}

void check_excluded_hosts(const Site& site, Findings& found) {
  const std::string folder = site.control.file("notlshosts");
  std::error_code unknown;
  if (std::filesystem::is_regular_file(folder, unknown)) {
    return found.warn(folder,
                      "has no effect: a list of hosts is another qmail's; here it is a folder with "
                      "a file for each host (or control/tlspolicy with HOST:none)");
  }
  for (const std::string& name : entries_of(folder, found)) {
    const std::string file = site.control.file("notlshosts/" + name);
    if (there(site, "tlshosts/" + name + ".pem", found)) {
      found.warn(file, "has no effect: tlshosts/" + name + ".pem is there and demands TLS");
    } else if (name.ends_with(".pem")) {
      found.warn(file, "names a host that ends in .pem; if that is not meant, drop the ending");
    }
    if (to_lower(name) != name) {
      found.warn(file, "capitals in its name: it is found only for a host that DNS spells just so");
    }
  }
}

}  // namespace

void check_hosts(const Site& site, Findings& found) {
  check_verified_hosts(site, found);
  check_excluded_hosts(site, found);
}

}  // namespace qmail::tlscheck
