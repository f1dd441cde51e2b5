// Services: how qmail-smtpd is started at this site, as far as run scripts and folders for envdir
// say: its arguments and its variables. A run script is read, not run: what it works out by other
// commands ($(…)) is not known, and then nothing is said of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace qmail::tlscheck {

struct Service {
  std::string place;                               // as it was asked for
  std::string file;                                // the run script
  std::vector<std::string> arguments{};            // behind qmail-smtpd
  std::string rules{};                             // tcpserver -x: a cdb of tcprules
  bool arguments_known = true;                     // else some are worked out when it runs
  std::map<std::string, std::string> variables{};  // what is set, and to what

  std::optional<std::string> variable(const std::string& name) const;
  // Switched on as the programs understand it: set, not empty, not 0.
  bool has_on(const std::string& name) const;
};

// What `path`, a service's folder or a run script, says; nothing: it does not start qmail-smtpd.
std::optional<Service> service_in(const std::string& path);

// Of the folders that svscan usually watches.
std::vector<std::string> usual_services();

}  // namespace qmail::tlscheck
