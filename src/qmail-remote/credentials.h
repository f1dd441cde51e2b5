// Credentials: with whom we log in at a relay (RELAY[:PORT]|USER|PASSWORD).
#pragma once

#include <string>

#include "qmail/secret.h"

namespace qmail::remote {

struct Credentials {
  Secret user{};
  Secret password{};
  // Both empty in the file: by control/clientcert.pem (AUTH EXTERNAL).
  bool by_certificate() const { return user.empty(); }
};

// A relay's credentials, and the words that say where they are from, for reports:
// "control/smtproutes has a password for DEST".
struct Login {
  Credentials credentials{};
  std::string why{};
};

}  // namespace qmail::remote
