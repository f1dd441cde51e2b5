// TlsUpgrade: TLS with one server, as far as its policy asks for it, and the words for what is
// missing: the context, the handshake, the verdict over the server's certificate.
//
// What comes out is an Ending where the delivery has to end, or nothing. The verdict is OpenSSL's,
// its words are ours. Who says STARTTLS, and when, is Delivery's business.
#pragma once

#include <optional>
#include <string>

#include "qmail-remote/attempt.h"
#include "qmail-remote/tls_policy.h"
#include "qmail/connection.h"
#include "tls/tls.h"

namespace qmail::remote {

class TlsUpgrade {
 public:
  // All stay the caller's.
  TlsUpgrade(const Server& server, const TlsPolicy& policy, const Manner& manner)
      : server_(server), policy_(policy), manner_(manner), ip_(server.address.text()) {}

  const TlsPolicy& policy() const { return policy_; }

  // Everything about TLS that can fail before the server hears of it. Without can_start()
  // afterwards there is no TLS to be had, and none is demanded.
  std::optional<Ending> prepare();
  bool can_start() const { return context_.has_value(); }

  // The server has agreed to TLS: from here on nothing is said in the clear.
  std::optional<Ending> handshake(Connection& connection, int socket);
  // The handshake has succeeded.
  bool active() const { return session_.has_value(); }
  // It has been offered our certificate (clientcert.pem).
  bool has_own_certificate() const { return has_own_certificate_; }
  // With whom, if the policy asks.
  std::optional<Ending> verify() const;
  // With DEBUG: what the session is like, in a line for the report.
  const std::string& facts() const { return facts_; }
  // With control/tlsreport: the same for everybody, in the report of a message that was taken.
  std::string words() const;

  // --- endings ---
  Ending unmet(const std::string& sentence, std::string_view reply = {}) const;
  Ending before(const std::string& sentence, std::string_view reply, Then then) const;

 private:
  std::optional<Ending> unavailable(const tls::TlsError& error) const;
  Ending after(const std::string& sentence, Then then) const;
  std::string verification_failure() const;
  std::string name_trouble() const;

  const Server& server_;
  const TlsPolicy& policy_;
  const Manner& manner_;
  std::string ip_;
  std::optional<tls::ClientContext> context_;
  std::optional<tls::ServerCertificate> session_;  // what it showed
  tls::SessionFacts session_facts_;
  std::string facts_;
  bool has_own_certificate_ = false;
};

}  // namespace qmail::remote
