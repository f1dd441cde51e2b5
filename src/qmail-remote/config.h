// RemoteConfig: the control files that every delivery needs, read once, in the order of
// qmail-remote(8). Files about TLS are read when TLS comes up.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include "qmail-remote/attempt.h"
#include "qmail-remote/authsenders.h"
#include "qmail-remote/bad_line.h"
#include "qmail-remote/mx_resolver.h"
#include "qmail-remote/policy_file.h"
#include "qmail-remote/smtp_routes.h"
#include "qmail-remote/socketmap.h"
#include "qmail-remote/source_address.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::remote {

struct RemoteConfig {
  std::chrono::seconds timeout_connect{60};
  std::chrono::seconds timeout_remote{1200};
  std::string helohost;
  SmtpRoutes routes;
  AuthSenders senders;
  AddressPreference address_preference = AddressPreference::v4_first;
  SourceAddresses sources;
  HeloHosts helohosts;  // by source address; helohost for others
  Pipelining pipelining;
  WantedParameters parameters;
  bool tls_words = false;  // control/tlsreport
  PolicyFile policies;
  std::optional<SocketMap> policy_map{};
};

// control/outgoingip or outgoingip6 holds something else than an address of its family.
struct BadSource {
  std::string_view file;
};

// A file that cannot be read (when neither helohost nor me is there: me), or a line that stops all
// mail.
using ConfigError = std::variant<ControlError, BadLine, BadSource>;

Result<RemoteConfig, ConfigError> read_config(const ControlDir& control);

}  // namespace qmail::remote
