// TcpRules: which variables tcprules(1) gives to whom: its source, or the cdb that it makes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::tlscheck {

struct TcpRule {
  std::string address{};  // "": everybody who has no rule of his own
  std::map<std::string, std::string> variables{};
};

// The rules of `path`, without those that give no variable; a cdb if its name ends so. Lines that
// are no rules are left out. An error: there is no such file, or it cannot be read.
Result<std::vector<TcpRule>, ControlError> tcp_rules_in(const std::string& path);

// Where they usually are.
std::vector<std::string> usual_tcp_rules();

}  // namespace qmail::tlscheck
