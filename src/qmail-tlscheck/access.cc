#include "qmail-tlscheck/access.h"

#include <algorithm>
#include <cerrno>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

namespace qmail::tlscheck {

namespace {

struct Bits {
  mode_t user;
  mode_t group;
  mode_t others;
};

bool allows(const std::string& path, const Account& who, const Bits& bits) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  if (who.user == 0) return true;
  if (status.st_uid == who.user) return (status.st_mode & bits.user) != 0;
  const bool in_group =
      std::find(who.groups.begin(), who.groups.end(), status.st_gid) != who.groups.end();
  return (status.st_mode & (in_group ? bits.group : bits.others)) != 0;
}

}  // namespace

std::optional<Account> account(const std::string& name) {
  // cppcheck-suppress getpwnamCalled ; one thread, used at once
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  Account found{name, entry->pw_uid, std::vector<gid_t>(64)};
  int count = static_cast<int>(found.groups.size());
  // Too little room: count says how much is needed.
  const gid_t group = entry->pw_gid;
  while (::getgrouplist(name.c_str(), group, found.groups.data(), &count) < 0) {
    found.groups.resize(std::max(static_cast<std::size_t>(count), 2 * found.groups.size()));
    count = static_cast<int>(found.groups.size());
  }
  found.groups.resize(static_cast<std::size_t>(count));
  return found;
}

bool can_read(const Account& who, const std::string& path) {
  return allows(path, who, {S_IRUSR, S_IRGRP, S_IROTH});
}

bool can_write(const Account& who, const std::string& path) {
  return allows(path, who, {S_IWUSR, S_IWGRP, S_IWOTH});
}

bool can_search(const Account& who, const std::string& folder) {
  return allows(folder, who, {S_IXUSR, S_IXGRP, S_IXOTH});
}

bool is_program(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

bool can_run(const Account& who, const std::string& path) {
  return is_program(path) && allows(path, who, {S_IXUSR, S_IXGRP, S_IXOTH});
}

bool leads_nowhere(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return false;
  return ::stat(path.c_str(), &status) != 0 && errno != EACCES;
}

bool world_readable(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

}  // namespace qmail::tlscheck
