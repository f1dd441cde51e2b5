#include "qmail-tlscheck/site.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>

namespace qmail::tlscheck {

namespace {

struct Runner {
  std::string_view program;
  const std::optional<Account>& who;

  // "qmaild, as whom qmail-smtpd runs"
  std::string name() const { return who->name + ", as whom " + std::string(program) + " runs"; }
};

Runner runner_of(const Site& site, Owner owner) {
  if (owner == Owner::smtpd) return {"qmail-smtpd", site.settings.smtpd};
  return {"qmail-remote", site.settings.remote};
}

}  // namespace

bool there(const Site& site, std::string_view name, Findings& found) {
  const auto there = site.control.has(name);
  if (!there) found.fail(there.error().file, "cannot be looked for: " + there.error().reason);
  return there && *there;
}

std::vector<std::string> entries_of(const std::string& path, Findings& found) {
  std::vector<std::string> names;
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(path.c_str()));
  if (!folder) {
    if (errno != ENOENT) {
      found.warn(path, "cannot be listed, so what is in it was not looked at: " +
                           std::generic_category().message(errno));
    }
    return names;
  }
  // cppcheck-suppress readdirCalled ; one thread, and readdir_r is deprecated
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void check_search(const Site& site, const std::string& folder, Owner owner,
                  std::string_view otherwise, Findings& found) {
  if (leads_nowhere(folder)) return found.fail(folder, "is a symbolic link that leads nowhere");
  const Runner runner = runner_of(site, owner);
  struct stat status {};
  const bool is_folder = ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (!is_folder || !runner.who || can_search(*runner.who, folder)) return;
  found.fail(folder, "cannot be searched by " + runner.name() + ", so " + std::string(otherwise) +
                         ": chmod 755");
}

void check_access(const Site& site, const std::string& file, Owner owner, Secret secret,
                  Findings& found) {
  if (leads_nowhere(file)) return found.fail(file, "is a symbolic link that leads nowhere");
  const Runner runner = runner_of(site, owner);
  if (runner.who && !can_read(*runner.who, file)) {
    found.fail(file, "cannot be read by " + runner.name() + ": chown or chmod it");
  }
  if (secret == Secret::yes && world_readable(file)) {
    found.fail(file, "can be read by everybody on this machine and holds a private key: chmod 640");
  }
}

void check_dates(const Site& site, const std::string& file, const tls::CertificateFacts& facts,
                 Findings& found) {
  const std::time_t now = site.settings.now;
  if (facts.not_after < now) {
    found.fail(file, "expired " + date(facts.not_after) + ": " + facts.subject);
  } else if (facts.not_before > now) {
    found.fail(file, "is not valid before " + date(facts.not_before) + ": " + facts.subject);
  } else if (facts.not_after - now < site.settings.days_of_warning * seconds_a_day) {
    found.warn(file, expiry(site, facts) + ": " + facts.subject);
  }
}

std::string date(std::int64_t time) {
  const std::chrono::sys_seconds at{std::chrono::seconds(time)};
  const std::chrono::year_month_day day = std::chrono::floor<std::chrono::days>(at);
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", int(day.year()),
                                 unsigned(day.month()), unsigned(day.day()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string expiry(const Site& site, const tls::CertificateFacts& facts) {
  const auto days = (facts.not_after - site.settings.now) / seconds_a_day;
  return "expires " + date(facts.not_after) + ", in " + std::to_string(days) + " days";
}

}  // namespace qmail::tlscheck
