// What qmail-remote reads before every delivery, read with its own reader: a file or a line that
// cannot be used there defers all mail, or that of one destination.
#include <array>
#include <variant>

#include "qmail-remote/config.h"
#include "qmail-tlscheck/checks.h"

namespace qmail::tlscheck {

namespace {

constexpr std::array read_at_the_start{
    "addresspreference", "authsenders", "helohost",     "helohostbyip", "mailparams",
    "outgoingip",        "outgoingip6", "pipelining",   "smtproutes",   "timeoutconnect",
    "timeoutremote",     "tlspolicy",   "tlspolicymap", "tlsreport",
};

}  // namespace

void check_deliveries(const Site& site, Findings& found) {
  for (const char* name : read_at_the_start) {
    if (!there(site, name, found)) continue;
    check_access(site, site.control.file(name), Owner::remote, Secret::no, found);
  }
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
