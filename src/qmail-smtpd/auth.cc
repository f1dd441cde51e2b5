#include "qmail-smtpd/auth.h"

#include <algorithm>
#include <array>
#include <utility>

#include "qmail-smtpd/replies.h"
#include "qmail/ascii.h"
#include "qmail/base64.h"

namespace qmail::smtpd {

namespace {

constexpr std::array<std::pair<Mechanism, std::string_view>, 4> keywords{{
    {Mechanism::login, "LOGIN"},
    {Mechanism::plain, "PLAIN"},
    {Mechanism::cram_md5, "CRAM-MD5"},
    {Mechanism::external, "EXTERNAL"},
}};

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

bool is_hexadecimal(char c) { return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); }

}  // namespace

std::string_view keyword(Mechanism mechanism) {
  return keywords.at(static_cast<std::size_t>(mechanism)).second;
}

std::string method(Mechanism mechanism) { return to_lower(keyword(mechanism)); }

std::optional<Mechanism> find_mechanism(std::string_view word) {
  for (const auto& [mechanism, name] : keywords) {
    if (equal_ignoring_case(word, name)) return mechanism;
  }
  return std::nullopt;
}

AuthExchange::Step AuthExchange::begin(std::optional<std::string_view> initial) {
  if (initial) {
    // The challenge must have been seen.
    if (mechanism_ == Mechanism::cram_md5) return Fault::malformed;
    return respond(*initial == "=" ? std::string_view() : *initial);
  }
  switch (mechanism_) {
    case Mechanism::login:
      return Ask{reply::auth_challenge("Username:")};
    case Mechanism::cram_md5:
      return Ask{reply::auth_challenge(challenge_)};
    case Mechanism::plain:
    case Mechanism::external:
      break;
  }
  return Ask{reply::auth_challenge("")};
}

AuthExchange::Step AuthExchange::answer(CommandLine line) {
  std::string_view text = line.text;
  if (line.cut_off) return Fault::malformed;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text == "*") return Fault::canceled;
  if (mechanism_ == Mechanism::external && text == "=") text = {};
  return respond(text);
}

AuthExchange::Step AuthExchange::respond(std::string_view response) {
  if (response.size() > longest_line) return Fault::malformed;
  auto decoded = base64_decoded(response);
  if (!decoded) return Fault::malformed;
  const auto step = [&]() -> Step {
    switch (mechanism_) {
      case Mechanism::login:
        return login(*decoded);
      case Mechanism::plain:
        return plain(*decoded);
      case Mechanism::cram_md5:
        return cram_md5(*decoded);
      case Mechanism::external:
        return external(*decoded);
    }
    return Fault::malformed;
  };
  Step next = step();
  wipe(*decoded);
  return next;
}

// authzid NUL user NUL password
AuthExchange::Step AuthExchange::plain(std::string_view decoded) const {
  if (std::count(decoded.begin(), decoded.end(), '\0') != 2) return Fault::malformed;
  const std::size_t first = decoded.find('\0');
  const std::size_t second = decoded.find('\0', first + 1);
  return credentials(decoded.substr(first + 1, second - first - 1), decoded.substr(second + 1));
}

AuthExchange::Step AuthExchange::login(std::string_view decoded) {
  if (user_) return credentials(*user_, decoded);
  if (decoded.empty() || std::any_of(decoded.begin(), decoded.end(), is_control)) {
    return Fault::malformed;
  }
  user_ = decoded;
  return Ask{reply::auth_challenge("Password:")};
}

// user SP digest
AuthExchange::Step AuthExchange::cram_md5(std::string_view decoded) const {
  const std::size_t space = decoded.rfind(' ');
  if (space == std::string_view::npos) return Fault::malformed;
  std::string digest = to_lower(decoded.substr(space + 1));
  Step step = Fault::malformed;
  if (digest.size() == 32 && std::all_of(digest.begin(), digest.end(), is_hexadecimal)) {
    step = credentials(decoded.substr(0, space), digest);
  }
  wipe(digest);
  return step;
}

AuthExchange::Step AuthExchange::external(std::string_view decoded) const {
  if (decoded.size() > longest_credentials ||
      std::any_of(decoded.begin(), decoded.end(), is_control)) {
    return Fault::malformed;
  }
  return Credentials{std::string(decoded)};
}

AuthExchange::Step AuthExchange::credentials(std::string_view user, std::string_view secret) const {
  if (user.empty() || std::any_of(user.begin(), user.end(), is_control)) return Fault::malformed;
  if (secret.empty() || secret.find('\0') != std::string_view::npos) return Fault::malformed;
  std::string challenge = mechanism_ == Mechanism::cram_md5 ? challenge_ : std::string();
  if (user.size() + secret.size() + challenge.size() + 3 > longest_credentials) {
    return Fault::malformed;
  }
  return Credentials{std::string(user), Secret(secret), std::move(challenge)};
}

}  // namespace qmail::smtpd
