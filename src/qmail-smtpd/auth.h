// The SASL mechanisms of SMTP AUTH (RFC 4954), each a dialogue in which lines go in and what to say
// next, or credentials, comes out. Pure; what was decoded is wiped when it goes.
//
// PLAIN is RFC 4616, CRAM-MD5 RFC 2195, EXTERNAL RFC 4422; LOGIN is what everybody does.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "qmail-smtpd/command.h"
#include "qmail/secret.h"

namespace qmail::smtpd {

enum class Mechanism { login, plain, cram_md5, external };

// As EHLO has it: "CRAM-MD5". In this order they stand there.
std::string_view keyword(Mechanism mechanism);
// As the log and SMTPAUTHMETHOD have it: "cram-md5".
std::string method(Mechanism mechanism);
// By its keyword, in any letter case.
std::optional<Mechanism> find_mechanism(std::string_view word);

// What is passed to the program that judges. `secret`: the password, or for CRAM-MD5 the digest in
// lower case. With EXTERNAL there is no secret, and `user` is empty unless one was named.
struct Credentials {
  std::string user;
  Secret secret{};
  std::string challenge{};
};

class AuthExchange {
 public:
  // No line of it may be longer; user, secret, challenge and three NULs together not longer than
  // what checkpassword's interface takes.
  static constexpr std::size_t longest_line = 12288;
  static constexpr std::size_t longest_credentials = 512;

  // `challenge`: "<N.TIME@HOST>", for CRAM-MD5.
  AuthExchange(Mechanism mechanism, std::string challenge)
      : mechanism_(mechanism), challenge_(std::move(challenge)) {}

  struct Ask {
    std::string reply;  // "334 …"; the client's line is the next answer
  };
  enum class Fault { canceled, malformed };
  using Step = std::variant<Ask, Credentials, Fault>;

  // `initial`: what stood behind the mechanism, if anything did.
  Step begin(std::optional<std::string_view> initial);
  Step answer(CommandLine line);

 private:
  Step respond(std::string_view response);
  Step plain(std::string_view decoded) const;
  Step login(std::string_view decoded);
  Step cram_md5(std::string_view decoded) const;
  Step external(std::string_view decoded) const;
  Step credentials(std::string_view user, std::string_view secret) const;

  Mechanism mechanism_;
  std::string challenge_;
  std::optional<std::string> user_;  // LOGIN's first answer
};

}  // namespace qmail::smtpd
