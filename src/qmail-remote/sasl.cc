#include "qmail-remote/sasl.h"

#include <algorithm>
#include <array>

#include "qmail/ascii.h"
#include "qmail/base64.h"

namespace qmail::remote {

namespace {

// What servers take as a command (RFC 5321, 4.5.3.1.4), without its line end.
constexpr std::size_t longest_command = 510;

Secret in_base64(std::string_view bytes) {
  std::string text = base64_encoded(bytes);
  return Secret::taken_from(text);
}

std::string in_hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text.push_back(digits[value >> 4]);
    text.push_back(digits[value & 15U]);
  }
  return text;
}

}  // namespace

std::string_view name_of(Mechanism mechanism) {
  switch (mechanism) {
    case Mechanism::plain:
      return "plain";
    case Mechanism::login:
      return "login";
    case Mechanism::cram_md5:
      return "cram-md5";
    case Mechanism::external:
      break;
  }
  return "external";
}

void Mechanisms::add(std::string_view words) {
  constexpr std::string_view blanks = " \t";
  while (!words.empty()) {
    const std::size_t end = std::min(words.find_first_of(blanks), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    if (equal_ignoring_case(word, "PLAIN")) plain = true;
    if (equal_ignoring_case(word, "LOGIN")) login = true;
    if (equal_ignoring_case(word, "CRAM-MD5")) cram_md5 = true;
    if (equal_ignoring_case(word, "EXTERNAL")) external = true;
  }
}

std::optional<Mechanism> choose(const Mechanisms& offered, const Credentials& credentials,
                                Channel channel) {
  if (credentials.by_certificate()) {
    if (!offered.external || channel != Channel::tls_with_certificate) return std::nullopt;
    return Mechanism::external;
  }
  if (channel == Channel::clear && offered.cram_md5) return Mechanism::cram_md5;
  if (offered.plain) return Mechanism::plain;
  if (offered.login) return Mechanism::login;
  if (offered.cram_md5) return Mechanism::cram_md5;
  return std::nullopt;
}

// NUL USER NUL PASSWORD: nobody else is to be acted for.
Secret SaslExchange::plain() const {
  const std::string_view user = credentials_.user.view();
  const std::string_view password = credentials_.password.view();
  std::string message;
  message.reserve(user.size() + password.size() + 2);
  message.append(1, '\0').append(user).append(1, '\0').append(password);
  Secret text = in_base64(message);
  wipe(message);
  return text;
}

Secret SaslExchange::command() {
  switch (mechanism_) {
    case Mechanism::plain: {
      constexpr std::string_view verb = "AUTH PLAIN";
      const Secret text = plain();
      if (verb.size() + 1 + text.view().size() > longest_command) return Secret(verb);
      answers_left_ = 0;
      std::string line;
      line.reserve(verb.size() + 1 + text.view().size());
      line.append(verb).append(" ").append(text.view());
      return Secret::taken_from(line);
    }
    case Mechanism::login:
      answers_left_ = 2;
      return Secret("AUTH LOGIN");
    case Mechanism::cram_md5:
      return Secret("AUTH CRAM-MD5");
    case Mechanism::external:
      break;
  }
  return Secret("AUTH EXTERNAL =");
}

std::optional<Secret> SaslExchange::answer(std::string_view challenge) {
  if (answers_left_ == 0) return std::nullopt;
  --answers_left_;
  switch (mechanism_) {
    case Mechanism::plain:
      return plain();
    case Mechanism::login:
      return in_base64(answers_left_ == 1 ? credentials_.user.view()
                                          : credentials_.password.view());
    case Mechanism::cram_md5:
      return cram_md5(challenge);
    case Mechanism::external:
      break;
  }
  return Secret();
}

std::optional<Secret> SaslExchange::cram_md5(std::string_view challenge) const {
  const auto text = base64_decoded(challenge);
  if (!text) return std::nullopt;
  auto digest = hmac_md5_(credentials_.password.view(), *text);
  if (!digest) return std::nullopt;
  std::string hexadecimal = in_hexadecimal(*digest);
  const std::string_view user = credentials_.user.view();
  std::string message;
  message.reserve(user.size() + 1 + hexadecimal.size());
  message.append(user).append(" ").append(hexadecimal);
  Secret encoded = in_base64(message);
  for (std::string* secret : {&*digest, &hexadecimal, &message}) wipe(*secret);
  return encoded;
}

}  // namespace qmail::remote
