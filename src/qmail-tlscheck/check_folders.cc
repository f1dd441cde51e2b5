// The folders on the way to a file, and control/me, without which neither program works.
#include "qmail-tlscheck/checks.h"

namespace qmail::tlscheck {

namespace {

void check_me(const Site& site, Findings& found) {
  const auto line = site.control.line("me");
  if (!line) {
    found.fail(line.error().file, line.error().reason);
  } else if (!*line) {
    found.fail(site.control.file("me"), "is not there: neither program works without it");
  }
}

}  // namespace

void check_folders(const Site& site, Findings& found) {
  constexpr std::string_view deferred = "all mail is deferred";
  std::string control = site.control.file("");
  control.pop_back();  // the slash
  check_search(site, control, Owner::smtpd, "no mail is accepted", found);
  check_search(site, control, Owner::remote, deferred, found);
  check_search(site, site.control.file("tlshosts"), Owner::remote, deferred, found);
  check_search(site, site.control.file("notlshosts"), Owner::remote, deferred, found);
  check_me(site, found);
}

}  // namespace qmail::tlscheck
