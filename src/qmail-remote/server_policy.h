// ServerPolicies: what a delivery asks of TLS with each server that it comes to, from all that has
// a say, before a word is said to it:
//
//   1. control/tlshosts/NAME.pem alone, if it is there (tls_policy.h);
//   2. control/tlspolicy for what the mail goes to (policy_file.h), which may leave it to the TLSA
//      records of the server (tlsa.h); and a password (credentials.h), which goes out inside TLS
//      only;
//   3. notlshosts and exhaustivelist: no TLS; against a demand the server is passed over.
//
// A demand never lapses: what cannot be told is an Ending, and so is what cannot be met whatever
// the server does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qmail-remote/attempt.h"
#include "qmail-remote/dns_client.h"
#include "qmail-remote/mx_resolver.h"
#include "qmail-remote/policy_words.h"
#include "qmail-remote/tls_policy.h"
#include "qmail-remote/tlsa.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::remote {

// What is said about everything that goes to one destination.
struct DomainPolicy {
  struct Saying {
    PolicyWords words;
    std::string_view file;  // where it is said: "control/tlspolicy"
  };
  std::string destination;  // without a final dot, in lower case
  std::optional<Saying> said{};
  // Where dane is said: what counts for servers of which DNS says nothing that does.
  std::optional<Saying> otherwise{};

  bool leaves_it_to_dns() const { return said && is_dane(said->words.level); }
};

class ServerPolicies {
 public:
  // `password`: why nothing may go out in the clear, if so ("control/smtproutes has a password for
  // …").
  struct Credentials {
    bool any = false;
    std::optional<std::string> demand{};
  };
  ServerPolicies(const ControlDir& control, DomainPolicy domain, Credentials credentials)
      : control_(control), domain_(std::move(domain)), credentials_(std::move(credentials)) {}

  // Does a server's policy depend on what DNS says? Then the server may be one that is not to be
  // called at all, and `dns` must have been asked for security before it found the server.
  bool need_dns() const { return domain_.leaves_it_to_dns(); }

  Result<TlsPolicy, Ending> of(const Exchanger& server, std::uint16_t port, DnsClient& dns);

 private:
  Result<TlsPolicy, Ending> as_said(const Exchanger& server,
                                    const DomainPolicy::Saying& saying) const;
  Result<TlsPolicy, Ending> by_records(const Exchanger& server, std::uint16_t port, DnsClient& dns);
  tls::Tlsa records_to_match(const Exchanger& server, ServerTlsa usable) const;
  Result<TlsPolicy, Ending> verified(const Exchanger& server, const PolicyWords& words,
                                     TlsPolicy policy) const;
  void choose_names(const Exchanger& server, const PolicyWords& words, TlsPolicy& policy,
                    tls::Anchors& anchors) const;
  std::string server_name(const Exchanger& server, const PolicyWords& words) const;

  ControlDir control_;
  DomainPolicy domain_;
  Credentials credentials_;
  TlsaLookups lookups_;
};

}  // namespace qmail::remote
