// SASL as a client (RFC 4954, 4616, 2195 and LOGIN): pure, from what the server says to what is
// answered. Who sends it, and what a reply means for the mail, is Delivery's business (login.h).
//
// Every line that comes out may hold a password.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "qmail-remote/credentials.h"
#include "qmail/secret.h"

namespace qmail::remote {

enum class Mechanism { plain, login, cram_md5, external };

// "plain": for reports.
std::string_view name_of(Mechanism mechanism);

// What a server offers, as far as we know it.
struct Mechanisms {
  bool plain = false;
  bool login = false;
  bool cram_md5 = false;
  bool external = false;

  // The words behind AUTH, in either case.
  void add(std::string_view words);
};

enum class Channel { clear, tls, tls_with_certificate };

// Inside TLS the simplest, in the clear the one that does not give the password away; nothing that
// we can use: nothing.
std::optional<Mechanism> choose(const Mechanisms& offered, const Credentials& credentials,
                                Channel channel);

class SaslExchange {
 public:
  // Nothing: it cannot be computed.
  using HmacMd5 =
      std::function<std::optional<std::string>(std::string_view key, std::string_view text)>;
  SaslExchange(Mechanism mechanism, const Credentials& credentials, HmacMd5 hmac_md5)
      : mechanism_(mechanism), credentials_(credentials), hmac_md5_(std::move(hmac_md5)) {}

  // AUTH and what goes with it, without the line end.
  Secret command();
  // The answer to a challenge, given in base64 as it came. Nothing: it is malformed, or one too
  // many.
  std::optional<Secret> answer(std::string_view challenge);

 private:
  Secret plain() const;
  std::optional<Secret> cram_md5(std::string_view challenge) const;

  Mechanism mechanism_;
  const Credentials& credentials_;
  HmacMd5 hmac_md5_;
  int answers_left_ = 1;
};

}  // namespace qmail::remote
