// Certificates by name: which identity a client is shown that asks for a name (SNI, RFC 6066).
//
// FOLDER/NAME/servercert.pem, and servercert-ec.pem beside it, are for NAME; FOLDER/*.REST/ is for
// the names one label below REST that have no folder of their own. They are looked for when a
// client asks, so that a thousand names cost a session no more than one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tls/openssl_ptr.h"

namespace qmail::tls {

// The name that a client asks for as that of a folder: in lower case, without a final dot. Nothing
// for what is no host name, or an address: it must not become a path.
std::optional<std::string> folder_name(std::string_view server_name);
// "*.example.org" for mx.example.org; nothing where fewer than two labels are behind the first.
std::optional<std::string> wildcard_for(std::string_view folder_name);

struct ServerNames {
  std::string folder;
  std::string session_context;  // the context's

  // The folder for the name that the client of `ssl` asks for, while its hello is looked at and
  // OpenSSL has not looked for a ticket: one for one name is void for another.
  std::optional<std::string> choose(SSL* ssl) const;
};

}  // namespace qmail::tls
