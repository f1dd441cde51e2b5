// DnsClient: asks the system's resolver (resolver(3)), with EDNS, over TCP where an answer is
// truncated, and without search list, aliases file or /etc/hosts.
//
// resolv.conf is read at the first question only: a delivery that needs no name needs no name
// server. How long a question may take is resolv.conf's business (options timeout, attempts).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <resolv.h>
#include <string>
#include <vector>

#include "qmail-remote/dns_answer.h"
#include "qmail/ip_address.h"
#include "qmail/result.h"

namespace qmail::remote {

enum class DnsFailure {
  temporary,  // no server, no answer, SERVFAIL, REFUSED, an answer that makes no sense
  none,       // no such name, or it has no such records
};

// Where to ask instead of resolv.conf's servers.
struct NameServer {
  IpAddress address;
  std::uint16_t port = 53;
};

// ADDRESS, ADDRESS:PORT, [ADDRESS] or [ADDRESS]:PORT; what is none of these: nothing. This is what
// the environment variable DNSCACHEIP holds.
std::optional<NameServer> parse_name_server(std::string_view text);

class DnsClient {
 public:
  explicit DnsClient(std::optional<NameServer> server) : server_(server) {}

  // Never an empty list: that is DnsFailure::none.
  Result<std::vector<IpAddress>, DnsFailure> v4_addresses(const std::string& name);
  Result<std::vector<IpAddress>, DnsFailure> v6_addresses(const std::string& name);
  Result<std::vector<MxRecord>, DnsFailure> exchangers(const std::string& name);
  // The target of the name's CNAME record.
  Result<std::string, DnsFailure> alias(const std::string& name);

 private:
  struct CloseState {
    void operator()(struct __res_state* state) const;
  };
  bool open();
  Result<DnsMessage, DnsFailure> ask(const std::string& name, int type);
  template <typename Record, typename Parse>
  Result<std::vector<Record>, DnsFailure> records(const std::string& name, int type, Parse parse);

  std::optional<NameServer> server_;
  std::unique_ptr<struct __res_state, CloseState> state_;
  std::unique_ptr<unsigned char[]> answer_;
};

}  // namespace qmail::remote
