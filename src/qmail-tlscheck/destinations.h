// Destinations: what mail goes to from here, as far as control files tell, which is what policies
// are looked up for: the relays of routes, and of the domains that go by DNS one for each line that
// can tell it from others. Whether a line has an effect is then asked of the programs' own
// look-ups.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qmail-remote/config.h"
#include "qmail-tlscheck/site.h"

namespace qmail::tlscheck {

struct Relay {
  std::string name;  // as it is written; may be an address
  std::uint16_t port;
  std::string file;  // where it is written, in control/: "smtproutes"
};

struct Destinations {
  std::vector<Relay> relays;         // each once
  std::vector<std::string> domains;  // none: all mail has a route

  static Destinations of(const Site& site, const remote::RemoteConfig& config);
};

// What the lines of a file of routes in control/ are for, and the empty key, which everything else
// is.
std::vector<std::string> keys_of_routes(const Site& site, std::string_view file);

}  // namespace qmail::tlscheck
