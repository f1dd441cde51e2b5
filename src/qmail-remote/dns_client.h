// DnsClient: asks the system's resolver (resolver(3)), with EDNS, over TCP where an answer is
// truncated, and without search list, aliases file or /etc/hosts.
//
// There are name servers and forwarders that cannot bear EDNS and say so in every way there is, or
// not at all. What is neither records nor the word that there are none is therefore asked for once
// more without EDNS (RFC 6891, 7), and only what that brings is for good.
//
// resolv.conf is read at the first question only: a delivery that needs no name needs no name
// server. How long a question may take is resolv.conf's business (options timeout, attempts).
//
// The resolver and the layout of its state are known to dns_client.cc alone: another one would take
// that file's place.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qmail-remote/dns_answer.h"
#include "qmail/ip_address.h"
#include "qmail/result.h"

// The resolver's own name for its state, known to dns_client.cc alone.
struct __res_state;  // NOLINT(bugprone-reserved-identifier)

namespace qmail::remote {

enum class DnsFailure {
  temporary,  // no server, no answer, SERVFAIL, REFUSED, an answer that makes no sense
  none,       // no such name, or it has no such records
};

// What a question brought.
template <typename Record>
struct Answer {
  std::vector<Record> records;  // never empty
  // Both only where ask_for_security() was called:
  bool secure = false;      // the answer was validated, and we believe who says so
  std::string canonical{};  // the name that the records belong to, at the end of all aliases
};

// Where to ask instead of resolv.conf's servers.
struct NameServer {
  IpAddress address;
  std::uint16_t port = 53;
};

// ADDRESS, ADDRESS:PORT, [ADDRESS] or [ADDRESS]:PORT; what is none of these: nothing. This is what
// the environment variable DNSCACHEIP holds.
std::optional<NameServer> parse_name_server(std::string_view text);
std::optional<NameServer> name_server_of_environment();

class DnsClient {
 public:
  explicit DnsClient(std::optional<NameServer> server) : server_(server) {}

  template <typename Record>
  using Outcome = Result<Answer<Record>, DnsFailure>;

  // From now on answers say whether DNSSEC vouches for them. Whoever can answer for the name server
  // can claim that, so it is believed only if every server is this host (a loopback address), or
  // if resolv.conf, whose servers we ask, says "options trust-ad". Questions carry the AD bit then
  // (RFC 6840, 5.7); without this call they are as ever.
  void ask_for_security();
  // Can an answer be secure at all? Once security was asked for.
  bool believes_servers() { return open() && believes_; }

  Outcome<IpAddress> v4_addresses(const std::string& name);
  Outcome<IpAddress> v6_addresses(const std::string& name);
  Outcome<MxRecord> exchangers(const std::string& name);
  // The target of the name's CNAME record.
  Outcome<std::string> alias(const std::string& name);
  // Here a question that was not understood is temporary, too: "none" would let mail go without
  // the check.
  Outcome<TlsaRecord> tlsa(const std::string& name);
  // The name server that the name's zone was written on (SOA).
  Outcome<std::string> origin(const std::string& name);

 private:
  struct CloseState {
    void operator()(struct __res_state* state) const;
  };
  enum class Reaction {
    answer,          // in answer_
    nothing,         // a name server said that there is no such name or record
    not_to_ask,      // the name cannot be asked about
    not_understood,  // FORMERR
    trouble,         // SERVFAIL, REFUSED, NOTIMP, …
    silence,         // no answer in time
  };
  bool open();
  void choose_whom_to_believe();
  Reaction ask(const std::string& name, int type);
  template <typename Record, typename Parse>
  Outcome<Record> records(const std::string& name, int type, Parse parse);
  template <typename Record>
  Outcome<Record> answer_with(const std::string& name, std::vector<Record> records) const;

  std::optional<NameServer> server_;
  bool wants_security_ = false;
  bool believes_ = false;  // what the servers say about it
  bool with_edns_ = true;  // until a server turns out to be silent only to EDNS
  std::unique_ptr<struct __res_state, CloseState> state_;
  std::unique_ptr<unsigned char[]> answer_;
  std::size_t answer_length_ = 0;
};

}  // namespace qmail::remote
