// Server: one SMTP session, from the greeting to the last word.
//
// Moves bytes between the client, the Session, the TLS layer and the queue program; it owns the
// connection and is the only one that ends the conversation. Whatever goes wrong, at any depth,
// ends in run(): with the last words that fit, and never with a message accepted by accident.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "qmail-smtpd/authentication.h"
#include "qmail-smtpd/command_reader.h"
#include "qmail-smtpd/config.h"
#include "qmail-smtpd/log.h"
#include "qmail-smtpd/lookups.h"
#include "qmail-smtpd/peer.h"
#include "qmail-smtpd/record.h"
#include "qmail-smtpd/session.h"
#include "qmail-smtpd/switches.h"
#include "qmail-smtpd/upgrade.h"
#include "qmail/connection.h"
#include "qmail/control.h"
#include "qmail/deadline.h"
#include "qmail/ipme.h"

namespace qmail::smtpd {

class Server {
 public:
  // What is referred to outlives the server.
  Server(Descriptors descriptors, const SmtpdConfig& config, const Peer& peer,
         const Switches& switches, const ControlDir& control, const Log& log);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() = default;

  // The whole session. The program's exit status: 0 after QUIT, 1 after every other end.
  int run();

 private:
  int conversation();  // run(), but for want of memory even for the last words
  void converse();
  void warn();
  void greet();
  Result<CertificateDecision, ControlError> judge(const tls::ClientCertificate& certificate);
  void command_loop(Session& session);
  void close_record();
  void start_tls(Session& session, std::string_view go_ahead);
  void receive(Session& session, std::string_view go_ahead);
  void authenticate(Session& session, const AuthRequest& request);
  void answer(std::string_view reply);
  void count(std::string_view reply);
  void connection_lost(const ConnectionLost& lost);
  void say(std::string_view text);
  void last_words(std::string_view text);

  const SmtpdConfig& config_;
  const Peer& peer_;
  const Switches& switches_;
  const ControlDir& control_;
  const Log& log_;
  Descriptors descriptors_;
  Connection connection_;
  TlsUpgrade upgrade_;
  CommandReader reader_;
  Authentication authentication_;
  Lookups lookups_;
  std::optional<OwnAddresses> own_addresses_;
  std::optional<Session> session_;  // from the greeting on
  std::chrono::steady_clock::time_point start_;
  std::optional<Deadline> end_;  // of the session, but for a message that is coming in
  std::uint32_t errors_ = 0;
  Record record_;
  int exit_status_ = 1;
};

}  // namespace qmail::smtpd
