// Site: what is looked at (the control files), for whom and when; and what every check asks of a
// file: is it there, can the program that needs it read it, have its certificates expired.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-tlscheck/access.h"
#include "qmail-tlscheck/findings.h"
#include "qmail/control.h"
#include "tls/inspect.h"

namespace qmail::tlscheck {

struct Settings {
  std::optional<Account> smtpd{};   // who runs qmail-smtpd; absent: not checked
  std::optional<Account> remote{};  // who runs qmail-remote
  std::time_t now = 0;
  int days_of_warning = 14;             // a certificate that expires sooner gets a warning
  std::vector<std::string> services{};  // folders or run scripts that may start qmail-smtpd
  std::vector<std::string> rules{};     // files of tcprules, beside those that services name
};

enum class Owner { smtpd, remote };  // the program that reads a file

struct Site {
  const ControlDir& control;
  const Settings& settings;
};

// Is there such a control file? Where that cannot be told, it is a finding.
bool there(const Site& site, std::string_view name, Findings& found);

// The entries of a folder, sorted, without those that begin with a dot. One that cannot be listed
// is a finding: the programs need only search it.
std::vector<std::string> entries_of(const std::string& path, Findings& found);

// Can the program's user reach what is in the folder? `otherwise`: what follows if not.
void check_search(const Site& site, const std::string& folder, Owner owner,
                  std::string_view otherwise, Findings& found);

// Can the program's user read the file, and, if it is secret, nobody else?
enum class Secret { no, yes };
void check_access(const Site& site, const std::string& file, Owner owner, Secret secret,
                  Findings& found);

void check_dates(const Site& site, const std::string& file, const tls::CertificateFacts& facts,
                 Findings& found);

constexpr std::time_t seconds_a_day = 24L * 60 * 60;
std::string date(std::int64_t time);  // of seconds since 1970: "2026-11-25"
// "expires 2026-11-25, in 20 days"
std::string expiry(const Site& site, const tls::CertificateFacts& facts);

}  // namespace qmail::tlscheck
