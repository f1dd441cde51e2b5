// Who can read a file or search a folder: by its mode, its owner and its group, as the system would
// judge for that user.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace qmail::tlscheck {

struct Account {
  std::string name;
  uid_t user;
  std::vector<gid_t> groups;
};
// The account and all groups it is in; nothing if there is no such user.
std::optional<Account> account(const std::string& name);

// May the account read the file? Folders on the way are not looked at. Root may read everything.
bool can_read(const Account& who, const std::string& path);
bool can_write(const Account& who, const std::string& path);  // to connect to a socket, too
// May it reach what is in the folder? False also if there is no such folder.
bool can_search(const Account& who, const std::string& folder);
// Is it a file that somebody may run, and may the account?
bool is_program(const std::string& path);
bool can_run(const Account& who, const std::string& path);
// Is it a symbolic link, and nothing there where it points to?
bool leads_nowhere(const std::string& path);
// May everybody on this machine read it?
bool world_readable(const std::string& path);

}  // namespace qmail::tlscheck
