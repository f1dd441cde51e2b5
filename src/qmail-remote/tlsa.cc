#include "qmail-remote/tlsa.h"

#include <utility>

#include "qmail-remote/tls_policy.h"
#include "qmail/ascii.h"
#include "tls/tls.h"

namespace qmail::remote {

namespace {

Result<ServerTlsa, DnsFailure> ask(DnsClient& dns, const std::string& base, std::uint16_t port) {
  auto answer = dns.tlsa("_" + std::to_string(port) + "._tcp." + base);
  if (!answer && answer.error() == DnsFailure::temporary) return Failure(answer.error());
  if (!answer || !answer->secure) return ServerTlsa{};
  return ServerTlsa{std::move(answer->records), base};
}

}  // namespace

Result<ServerTlsa, DnsFailure> tlsa_of(DnsClient& dns, const Exchanger& server,
                                       std::uint16_t port) {
  const std::string name = without_final_dot(server.name);
  if (name.empty()) return ServerTlsa{};
  const std::string end = without_final_dot(server.canonical);
  const bool is_alias = !end.empty() && !equal_ignoring_case(end, name);
  if (server.address_secure) {
    auto found = ask(dns, is_alias ? end : name, port);
    if (!found || !found->records.empty() || !is_alias) return found;
    return ask(dns, name, port);
  }
  if (!is_alias) return ServerTlsa{};
  // The alias leads out of what is signed, but may itself be (RFC 7672, 2.2.2).
  const auto alias = dns.alias(name);
  if (!alias && alias.error() == DnsFailure::temporary) return Failure(alias.error());
  if (!alias || !alias->secure) return ServerTlsa{};
  return ask(dns, name, port);
}

Result<ServerTlsa, DnsFailure> TlsaLookups::of(DnsClient& dns, const Exchanger& server,
                                               std::uint16_t port) {
  for (const Known& known : known_) {
    if (known.server.name == server.name && known.server.canonical == server.canonical &&
        known.server.address_secure == server.address_secure && known.port == port) {
      return known.found;
    }
  }
  auto found = tlsa_of(dns, server, port);
  known_.push_back({server, port, found});
  return found;
}

bool is_usable(const TlsaRecord& record) {
  if (record.usage != 2 && record.usage != 3) return false;
  if (record.selector > 1) return false;
  switch (record.matching_type) {
    case 0:
      return !record.data.empty() && (tls::load() || tls::is_readable(record));
    case 1:
      return record.data.size() == 32;
    case 2:
      return record.data.size() == 64;
    default:
      return false;
  }
}

}  // namespace qmail::remote
