// DnsClient: asks the system's resolver (resolver(3)), with EDNS, over TCP where an answer is
// truncated, and without search list, aliases file or /etc/hosts.
//
// There are name servers and forwarders that cannot bear EDNS and say so in every way there is, or
// not at all. What is neither records nor the word that there are none is therefore asked for once
// more without EDNS (RFC 6891, 7), and only what that brings is for good.
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
  enum class Outcome {
    answer,      // in answer_
    nothing,     // a name server said that there is no such name or record
    not_to_ask,  // the name cannot be asked about, or the question was not understood
    trouble,     // SERVFAIL, REFUSED, NOTIMP, …
    silence,     // no answer in time
  };
  bool open();
  Outcome ask(const std::string& name, int type);
  template <typename Record, typename Parse>
  Result<std::vector<Record>, DnsFailure> records(const std::string& name, int type, Parse parse);

  std::optional<NameServer> server_;
  bool with_edns_ = true;  // until a server turns out to be silent only to EDNS
  std::unique_ptr<struct __res_state, CloseState> state_;
  std::unique_ptr<unsigned char[]> answer_;
  std::size_t answer_length_ = 0;
};

}  // namespace qmail::remote
