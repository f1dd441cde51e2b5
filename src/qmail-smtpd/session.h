// Session: what the server side of an SMTP conversation knows, and how it answers each command.
//
// No descriptor, no file, no clock, no TLS library: a command goes in, an Outcome comes out. What
// an Outcome asks for beyond its reply (a message, a handshake, the end) is done by whoever drives
// the session (server.h), which tells it what came of it. What must be looked up at a certain
// command is asked of Lookups; if it cannot be told, EndSession is thrown.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qmail-smtpd/auth.h"
#include "qmail-smtpd/command.h"
#include "qmail-smtpd/config.h"
#include "qmail-smtpd/lookups.h"
#include "qmail-smtpd/peer.h"
#include "qmail-smtpd/plugins.h"
#include "qmail-smtpd/received.h"
#include "qmail-smtpd/relaying.h"
#include "qmail-smtpd/switches.h"
#include "qmail/ipme.h"
#include "tls/tls.h"

namespace qmail::smtpd {

enum class After {
  next_command,
  receive_data,  // `reply` goes out once the queue program runs
  start_tls,     // `reply` goes out once TLS is set up
  authenticate,  // there is no reply yet
  hang_up,
};

// An AUTH command that may go on.
struct AuthRequest {
  Mechanism mechanism = Mechanism::plain;
  std::optional<std::string_view> initial_response{};  // of the command's bytes
  bool malformed = false;                              // as is seen already
  std::string identity{};                              // EXTERNAL: who the certificate says it is
};

struct Outcome {
  std::string reply;
  After after = After::next_command;
  AuthRequest auth{};        // authenticate
  bool drops_input = false;  // what has arrived by now is no command
  bool secret = false;       // there may have been a password in the command
};

struct Envelope {
  std::string sender;
  bool sender_barred = false;  // in badmailfrom; told at each RCPT
  std::vector<std::string> recipients{};
  std::uint64_t asked = 0;  // recipients, those that were refused included
};

class Session {
 public:
  // What is referred to outlives the session.
  Session(const SmtpdConfig& config, const Peer& peer, const Switches& switches,
          const Lookups& lookups, const OwnAddresses& own_addresses);

  // The reply to the connection itself.
  Outcome banner();
  // One reply for each command, whatever it is.
  Outcome handle(const Command& command);

  // --- the verbs (verbs.h); called by handle() ---
  Outcome helo(const Command& command);
  Outcome ehlo(const Command& command);
  Outcome mail(const Command& command);
  Outcome rcpt(const Command& command);
  Outcome data(const Command& command);
  Outcome rset(const Command& command);
  Outcome noop(const Command& command);
  Outcome vrfy(const Command& command);
  Outcome help(const Command& command);
  Outcome quit(const Command& command);
  Outcome starttls(const Command& command);
  Outcome auth(const Command& command);

  // TLS is up: all that was said before it is forgotten (RFC 3207, 4.2).
  void tls_started(const tls::SessionFacts& facts, tls::ClientCertificate certificate);
  bool inside_tls() const { return tls_.has_value(); }

  // Before that: what the plug-ins say of a client that has proven to be `user`; with a reply it is
  // refused all the same. `said` goes before the reply in either case.
  struct LoginAnswer {
    std::string said{};
    std::optional<std::string> refusal{};
  };
  LoginAnswer ask_about_login(const std::string& user, Mechanism mechanism);
  // After After::authenticate: the client has proven to be `user`, to the end of the session.
  void authenticated(const std::string& user, Mechanism mechanism);

  // --- for the record ---
  std::uint64_t refused_recipients() const { return refused_; }
  std::string_view helo_name() const { return helo_name_ ? *helo_name_ : std::string_view(); }
  std::string_view tls_version() const { return tls_ ? tls_->version : std::string_view(); }

  // The message's envelope, after After::receive_data; the session has none from then on.
  Envelope take_envelope();
  // What goes behind the trace field of that message; once.
  std::string take_headers() { return std::exchange(headers_, {}); }
  // What the trace field says of this client. Good until the next command.
  Trace trace() const;
  const Right& right() const { return right_; }

 private:
  struct Tls {
    std::string version;
    std::string cipher;
    tls::ClientCertificate certificate;
    std::optional<CertificateDecision> decision{};  // once it was needed
  };

  void greeted(std::string_view name);
  std::optional<std::string> address_in(const Command& command) const;
  bool may_reach(std::string_view address);
  Right right_at_start() const;
  const CertificateDecision& judged_certificate();
  Outcome refuse(std::string_view said, std::string_view reply);
  // Names and values, beside those that tell of the session so far.
  using Variables = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  PluginAnswer ask_plugins(Section section, Variables more);
  std::optional<std::string> check_recipient(std::string_view address) const;
  Outcome judged_auth(const Command& command);
  std::string refusal() const;
  bool authenticated() const { return std::holds_alternative<ByLogin>(right_); }
  std::string auth_offer();
  bool may_say_external();

  const SmtpdConfig& config_;
  const Peer& peer_;
  const Switches& switches_;
  const Lookups& lookups_;
  const OwnAddresses& own_addresses_;

  std::optional<std::string> helo_name_;
  std::optional<Envelope> envelope_;  // from MAIL on
  std::optional<Tls> tls_;
  Right right_;
  std::uint64_t refused_ = 0;  // recipients

  // --- what plug-ins have said ---
  bool plugins_done_ = false;
  std::string headers_;  // for the next message
  std::array<std::optional<std::string>, sections> later_refusals_;
};

}  // namespace qmail::smtpd
