// The TLSA records of a server: by which name they are asked for, and which of them count (RFC
// 6698; RFC 7671; RFC 7672, 2.2). Checking a certificate against them is src/tls's business.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qmail-remote/dns_client.h"
#include "qmail-remote/mx_resolver.h"
#include "qmail/result.h"

namespace qmail::remote {

struct ServerTlsa {
  std::vector<TlsaRecord> records{};  // all of them, usable or not; empty: none that count
  std::string base{};                 // the server's name that they belong to
};

// Asked for only where the way to the server has DNSSEC: at the end of its name's aliases, then at
// the name itself. DnsFailure::temporary is the only failure: then nobody can tell whether there
// are any, and the server must not be talked to. The server was found by a `dns` that asks for
// security.
Result<ServerTlsa, DnsFailure> tlsa_of(DnsClient& dns, const Exchanger& server, std::uint16_t port);

// The same for all servers of a delivery: whatever comes of it, a server that has several addresses
// is asked about once, if the way to them is equally secure.
class TlsaLookups {
 public:
  Result<ServerTlsa, DnsFailure> of(DnsClient& dns, const Exchanger& server, std::uint16_t port);

 private:
  struct Known {
    Exchanger server;
    std::uint16_t port;
    Result<ServerTlsa, DnsFailure> found;
  };
  std::vector<Known> known_;
};

// DANE-TA or DANE-EE, of a certificate or its key, whole or by a digest of the right length. The
// other usages lean on the authorities of the web, which nobody demands of mail servers (RFC 7672,
// 3.1.3). OpenSSL is loaded to read a whole one; where it is not to be had, what looks like one
// counts, and TLS is demanded.
bool is_usable(const TlsaRecord& record);

}  // namespace qmail::remote
