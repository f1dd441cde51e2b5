// tlshosts and notlshosts: which servers qmail-remote verifies, and which get no TLS.
#include <algorithm>
#include <dirent.h>
#include <memory>

#include "qmail-tlscheck/checks.h"
#include "qmail/ascii.h"
#include "tls/tls.h"

namespace qmail::tlscheck {

namespace {

// The entries of a directory, sorted, without those that begin with a dot. None if it cannot be
// read.
std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> names;
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(path.c_str()));
  if (!folder) return names;
  // cppcheck-suppress readdirCalled ; one thread, and readdir_r is deprecated
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void check_verified_hosts(const Site& site, Findings& found) {
  constexpr std::string_view suffix = ".pem";
  const bool exhaustive = there(site, "tlshosts/exhaustivelist", found);
  std::size_t hosts = 0;
  for (const std::string& name : entries_of(site.control.file("tlshosts"))) {
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
    settings.anchors_file = file;
    if (const auto context = tls::ClientContext::create(settings); !context) {
      found.fail(file,
                 "cannot be used, all mail to this host is deferred: " + context.error().detail);
      continue;
    }
    const auto content = tls::read_certificates(file);
    const bool root = std::any_of(content.certificates.begin(), content.certificates.end(),
                                  [](const auto& certificate) { return certificate.self_issued; });
    if (!root) {
      found.fail(
          file,
          "holds no root (a certificate issued by itself), so no server can be verified with it");
    }
    for (const auto& certificate : content.certificates) {
      found.ok(file, certificate.subject + "; " + expiry(site, certificate));
      check_dates(site, file, certificate, found);
    }
  }
  if (exhaustive && hosts == 0) {
    found.warn(site.control.file("tlshosts/exhaustivelist"),
               "is there, but no host has a .pem: qmail-remote uses TLS with nobody");
  }
}

void check_excluded_hosts(const Site& site, Findings& found) {
  for (const std::string& name : entries_of(site.control.file("notlshosts"))) {
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
