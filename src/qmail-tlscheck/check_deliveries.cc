// What qmail-remote reads before every delivery, read with its own reader: a file or a line that
// cannot be used there defers all mail, or that of one destination.
#include <algorithm>
#include <array>
#include <variant>

#include "qmail-remote/config.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/retired_names.h"

namespace qmail::tlscheck {

namespace {

constexpr std::array read_at_the_start{
    "addresspreference", "authsenders", "helohost",     "helohostbyip", "mailparams",
    "outgoingip",        "outgoingip6", "pipelining",   "smtproutes",   "timeoutconnect",
    "timeoutremote",     "tlspolicy",   "tlspolicymap", "tlsreport",
};

// Of other families, about policies, routes and source addresses: what they ask is not done.
constexpr std::array<std::string_view, 9> of_others{
    "bindroutes",   "domainbindings", "domaincerts", "domainips",       "notlshosts_auto",
    "smtproutes.d", "tlsa.white",     "tlsadomains", "tlsdestinations",
};

void check_other_families(const Site& site, Findings& found) {
  for (const RetiredName& retired : retired_files()) {
    if (std::find(of_others.begin(), of_others.end(), retired.name) == of_others.end()) continue;
    if (!there(site, retired.name, found)) continue;
    found.warn(site.control.file(retired.name),
               "another qmail's: it has no effect here; lost is: " + std::string(retired.effect));
  }
}

}  // namespace

void check_deliveries(const Site& site, Findings& found) {
  for (const char* name : read_at_the_start) {
    if (!there(site, name, found)) continue;
    check_access(site, site.control.file(name), Owner::remote, Secret::no, found);
  }
  check_other_families(site, found);
  const auto config = remote::read_config(site.control);
  if (config) return;
  const std::string consequence = ": qmail-remote defers all mail";
  if (const auto* bad = std::get_if<remote::BadLine>(&config.error())) {
    found.fail(site.control.file(bad->file),
               "line " + std::to_string(bad->line) + ": " + bad->reason + consequence);
  } else if (const auto* source = std::get_if<remote::BadSource>(&config.error())) {
    found.fail(site.control.file(source->file), "is no address of its family" + consequence);
  } else if (const auto& error = std::get<ControlError>(config.error());
             error.file != site.control.file("me")) {  // of which check_folders tells
    found.fail(error.file, error.reason + consequence);
  }
}

}  // namespace qmail::tlscheck
