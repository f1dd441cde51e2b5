#include "qmail-tlscheck/checks.h"

#include <array>

namespace qmail::tlscheck {

namespace {

constexpr std::array checks{
    check_folders, check_lists,      check_certificates, check_parameters, check_relaying,
    check_hosts,   check_deliveries, check_policies,     check_policy_map, check_dane,
    check_logins,  check_services,   check_variables,
};

}  // namespace

Findings check_all(const ControlDir& control, const Settings& settings) {
  Findings found;
  for (const auto& check : checks) check({control, settings}, found);
  return found;
}

}  // namespace qmail::tlscheck
