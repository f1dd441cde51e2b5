// Where our connections come from (control/outgoingip, control/outgoingip6), and what we are called
// there (control/helohostbyip): for a host with several addresses, whose name must fit the one that
// is seen.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qmail-remote/bad_line.h"
#include "qmail/control.h"
#include "qmail/ip_address.h"
#include "qmail/result.h"

namespace qmail::remote {

// Nothing: the system chooses.
struct SourceAddresses {
  std::optional<IpAddress> v4{};
  std::optional<IpAddress> v6{};

  const std::optional<IpAddress>& for_family(IpAddress::Family family) const {
    return family == IpAddress::Family::v4 ? v4 : v6;
  }
};

// The control file that says where connections of a family come from.
constexpr std::string_view source_file(IpAddress::Family family) {
  return family == IpAddress::Family::v4 ? "outgoingip" : "outgoingip6";
}

// The content of such a file. Nothing: no address of that family. The inner nothing (an empty text,
// 0.0.0.0, ::): the system's choice.
std::optional<std::optional<IpAddress>> parse_source(std::string_view text,
                                                     IpAddress::Family family);

// control/helohostbyip: lines ADDRESS:NAME, an IPv6 address in brackets. Of lines for one address
// the last counts.
class HeloHosts {
 public:
  HeloHosts() = default;
  // A line of which nobody can tell what it is for, having no address, is an error for all mail.
  static Result<HeloHosts, BadLine> read(const NumberedList& lines);

  bool empty() const { return names_.empty(); }
  // The name for connections from `address`, or nothing: control/helohost. A line without a name
  // that could be said is an error for the connections it is for.
  Result<std::optional<std::string>, BadLine> find(const IpAddress& address) const;

 private:
  struct Name {
    IpAddress address;
    std::string name;
    std::size_t line;
  };
  std::vector<Name> names_;
};

}  // namespace qmail::remote
