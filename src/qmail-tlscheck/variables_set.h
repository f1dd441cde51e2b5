// The environment variables that a site gives its programs: in run scripts, folders for envdir,
// tcprules as text and as cdb. Read generously: a name before "=" counts, wherever it stands.
#pragma once

#include <string>
#include <vector>

namespace qmail::tlscheck {

struct VariableSet {
  std::string file;  // where
  std::string name;
};

// Of a file, or of a service's folder (run and env/). What cannot be read is left out.
std::vector<VariableSet> variables_set_in(const std::string& path);

// Of what is usual: each folder in /service and /etc/service, /etc/tcp.smtp and its cdb.
std::vector<VariableSet> usual_variables();

}  // namespace qmail::tlscheck
