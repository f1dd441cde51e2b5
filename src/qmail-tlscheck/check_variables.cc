// What else the environment asks of qmail-smtpd, by a run script for all clients of a service, by
// tcprules for some: limits that are no numbers, programs that are asked about mail and cannot be
// run, a proxy's header from everybody, rules for its clients that cannot be read.
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "qmail-smtpd/auth_settings.h"
#include "qmail-smtpd/config.h"
#include "qmail-smtpd/proxied_client.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/tcp_rules.h"
#include "qmail/ascii.h"

namespace qmail::tlscheck {

namespace {

// What one run script, or one rule, sets.
struct Environment {
  std::string file;
  std::string whom;  // in front of what is said: "192.0.2.: ", of a rule
  std::map<std::string, std::string> variables;
  bool for_everybody;

  // Nothing: it is worked out when the script runs. In a rule nothing is.
  std::optional<std::string> variable(const std::string& name) const {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    if (whom.empty() && found->second.find_first_of("$`") != std::string::npos) return std::nullopt;
    return found->second;
  }
};

void check_limits(const Environment& set, Findings& found) {
  constexpr std::array limits{"MAXRECIPIENTS",    "BRTLIMIT",        "DATABYTES",
                              "SMTPD_GREETDELAY", "SMTPD_MAXERRORS", "SMTPD_MAXTIME"};
  for (const char* name : limits) {
    const auto value = set.variable(name);
    if (!value || value->empty() || leading_number(*value)) continue;
    found.warn(set.file, set.whom + name + " is no number, so it limits nothing: " + *value);
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

void check_recipient_check(const Site& site, const Environment& set, Findings& found) {
  const auto program = set.variable("RCPTCHECK");
  if (!program || program->empty()) return;
  const std::string trouble = trouble_with(site, *program);
  if (trouble.empty()) return;
  found.fail(set.file,
             set.whom + "RCPTCHECK: " + *program + " " + trouble + ": recipients get 421");
}

void check_proxy(const Environment& set, Findings& found) {
  const auto on = set.variable("PROXYPROTOCOL");
  if (!set.for_everybody || !on || on->empty() || *on == "0") return;
  found.warn(set.file,
             set.whom + "believes everybody who connects to be the proxy (PROXYPROTOCOL), so any " +
                 "client may claim any address: give it by tcprules to the proxy's address only");
}

void check_proxy_rules(const Site& site, const std::string& file, const std::string& asked_by,
                       Findings& found) {
  const auto rule = smtpd::proxy_rule_for(file, "");
  if (!rule) {
    return found.fail(file, "asked for by " + asked_by + " (PROXYRULES), and no session " +
                                "begins without it: " + rule.error().reason);
  }
  check_access(site, file, Owner::smtpd, Secret::no, found);
  const bool denied = *rule && smtpd::denies(**rule);
  found.ok(file, denied   ? "denies clients that it does not name"
                 : !*rule ? "says nothing of clients that it does not name: they are taken"
                          : "takes clients that it does not name");
}

// For a run script check_services says it.
void check_auth(const Environment& set, Findings& found) {
  const auto value = set.variable("SMTPAUTH");
  if (!value) return;
  const auto auth = smtpd::AuthSettings::of({"checkpassword", "true"}, value);
  if (auth.warning) found.warn(set.file, set.whom + *auth.warning);
}

// What is asked for in more than one place is looked at once.
class Looker {
 public:
  Looker(const Site& site, Findings& found) : site_(site), found_(found) {}

  void look_at(const Environment& set) {
    check_limits(set, found_);
    check_recipient_check(site_, set, found_);
    check_proxy(set, found_);
    if (const auto file = set.variable("PROXYRULES"); file && proxy_rules_.insert(*file).second) {
      check_proxy_rules(site_, *file, set.file, found_);
      look_at_rules(*file);
    }
    if (!set.variable("ENABLE_SPP")) return;
    // One that is not known is not the usual one.
    if (set.variables.contains("SPPCONFFILE") && !set.variable("SPPCONFFILE")) return;
    const std::string list = set.variable("SPPCONFFILE").value_or("");
    look_at_plugins(list.empty() ? site_.control.file("smtpplugins") : list, set.file);
  }
  void look_at_plugins(const std::string& file, const std::string& asked_by) {
    if (plugins_.insert(file).second) check_plugins(site_, file, asked_by, found_);
  }
  // Files that are not there, or no rules, are somebody else's to complain of.
  void look_at_rules(const std::string& file) {
    if (file.empty() || !rules_.insert(file).second) return;
    const auto rules = tcp_rules_in(file);
    if (!rules) return;
    for (const TcpRule& rule : *rules) {
      const bool for_everybody = rule.address.empty();
      const Environment set{file, (for_everybody ? "everybody" : rule.address) + ": ",
                            rule.variables, for_everybody};
      check_auth(set, found_);
      look_at(set);
    }
  }

 private:
  const Site& site_;
  Findings& found_;
  std::set<std::string> plugins_{};
  std::set<std::string> proxy_rules_{};
  std::set<std::string> rules_{};
};

}  // namespace

void check_variables(const Site& site, Findings& found) {
  Looker looker(site, found);
  for (const std::string& place : site.settings.services) {
    const auto service = service_in(place);
    if (!service) continue;
    looker.look_at({service->file, "", service->variables, true});
    looker.look_at_rules(service->rules);
  }
  for (const std::string& file : site.settings.rules) looker.look_at_rules(file);
  // By a variable that nobody can see here it may be asked for all the same.
  if (there(site, "smtpplugins", found)) {
    looker.look_at_plugins(site.control.file("smtpplugins"), "ENABLE_SPP");
  }
}

}  // namespace qmail::tlscheck
