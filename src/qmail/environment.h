// The environment, read once at the start, and the change into qmail's home.
#pragma once

#include <optional>
#include <string>

namespace qmail {

// The variable's value; set but empty is a value.
std::optional<std::string> environment_variable(const char* name);

// Is the variable set to something? (FOO= asks for nothing.)
bool environment_asks(const char* name);

// The same, and not to "0".
bool environment_switch(const char* name);

// What programs that are started from here on see, and whoever reads the environment later.
void put_into_environment(const char* name, const std::string& value);
void remove_from_environment(const char* name);

// Changes into QMAILHOME, else into the home chosen at build time. False: errno says why not.
bool enter_home();

// More in the log (qmail-smtpd) or in the report (qmail-remote): built with DEBUG, or DEBUG is set.
bool debug_wanted();

}  // namespace qmail
