// What else the environment asks of qmail-smtpd, for all clients of a service: limits that are no
// numbers, programs that are asked about mail and cannot be run, a proxy's header from everybody,
// rules for its clients that cannot be read. What tcprules gives to single clients is not seen.
#include <array>
#include <string>
#include <string_view>

#include "qmail-smtpd/config.h"
#include "qmail-smtpd/proxied_client.h"
#include "qmail-tlscheck/checks.h"
#include "qmail/ascii.h"

namespace qmail::tlscheck {

namespace {

// Worked out when the script runs.
bool is_known(const std::string& value) { return value.find_first_of("$`") == std::string::npos; }

void check_limits(const Service& service, Findings& found) {
  constexpr std::array limits{"MAXRECIPIENTS",    "BRTLIMIT",        "DATABYTES",
                              "SMTPD_GREETDELAY", "SMTPD_MAXERRORS", "SMTPD_MAXTIME"};
  for (const char* name : limits) {
    const auto value = service.variable(name);
    if (!value || value->empty() || !is_known(*value) || leading_number(*value)) continue;
    found.warn(service.file, std::string(name) + " is no number, so it limits nothing: " + *value);
  }
}

// Why qmail-smtpd could not run it; empty: it could. A relative name is seen from qmail's home,
// where we are.
std::string trouble_with(const Site& site, const std::string& program) {
  if (!is_program(program)) return "is no program that can be run";
  const auto& who = site.settings.smtpd;
  return who && !can_run(*who, program) ? "cannot be run by " + who->name : "";
}

void check_plugins(const Site& site, const std::string& file, const std::string& asked_by,
                   Findings& found) {
  smtpd::Switches switches;
  switches.asks_plugins = true;
  switches.plugin_list = file;
  const auto plugins = smtpd::read_plugins(site.control, switches);
  if (!plugins) {
    return found.fail(file, "asked for by " + asked_by +
                                ", and no session begins without it: " + plugins.error().reason);
  }
  check_access(site, file, Owner::smtpd, Secret::no, found);
  std::size_t good = 0;
  for (std::size_t section = 0; section < smtpd::sections; ++section) {
    for (const std::string& entry : plugins->of(static_cast<smtpd::Section>(section))) {
      const bool for_shell = entry.front() == ':';
      const std::string trouble = for_shell ? "" : trouble_with(site, entry);
      if (trouble.empty()) {
        ++good;
        continue;
      }
      std::string text = entry;
      text.append(" ").append(trouble).append(": what it is asked about gets 451");
      found.fail(file, text);
    }
  }
  if (good > 0) found.ok(file, std::to_string(good) + " programs are asked");
}

void check_recipient_check(const Site& site, const Service& service, Findings& found) {
  const auto program = service.variable("RCPTCHECK");
  if (!program || program->empty() || !is_known(*program)) return;
  const std::string trouble = trouble_with(site, *program);
  if (trouble.empty()) return;
  found.fail(service.file, "RCPTCHECK: " + *program + " " + trouble + ": recipients get 421");
}

void check_proxy(const Site& site, const Service& service, Findings& found) {
  if (service.has_on("PROXYPROTOCOL")) {
    found.warn(service.file,
               "believes everybody who connects to be the proxy (PROXYPROTOCOL), so any client may "
               "claim any address: give it by tcprules to the proxy's address only");
  }
  const auto file = service.variable("PROXYRULES");
  if (!file || !is_known(*file)) return;
  const auto rule = smtpd::proxy_rule_for(*file, "");
  if (!rule) {
    return found.fail(*file, "asked for by " + service.file + " (PROXYRULES), and no session " +
                                 "begins without it: " + rule.error().reason);
  }
  check_access(site, *file, Owner::smtpd, Secret::no, found);
  const bool denied = *rule && smtpd::denies(**rule);
  found.ok(*file, denied   ? "denies clients that it does not name"
                  : !*rule ? "says nothing of clients that it does not name: they are taken"
                           : "takes clients that it does not name");
}

}  // namespace

void check_variables(const Site& site, Findings& found) {
  bool usual_list = false;
  for (const std::string& place : site.settings.services) {
    const auto service = service_in(place);
    if (!service) continue;
    check_limits(*service, found);
    check_recipient_check(site, *service, found);
    check_proxy(site, *service, found);
    if (!service->variable("ENABLE_SPP")) continue;
    const std::string list = service->variable("SPPCONFFILE").value_or("");
    if (!is_known(list)) continue;
    usual_list = usual_list || list.empty();
    check_plugins(site, list.empty() ? site.control.file("smtpplugins") : list, service->file,
                  found);
  }
  // By tcprules it may be asked for all the same.
  if (!usual_list && there(site, "smtpplugins", found)) {
    check_plugins(site, site.control.file("smtpplugins"), "ENABLE_SPP", found);
  }
}

}  // namespace qmail::tlscheck
