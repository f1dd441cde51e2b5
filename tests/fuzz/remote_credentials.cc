// smtproutes and authsenders of any bytes, asked for a host or sender of any bytes (the first
// line), which is then the challenge in each mechanism. What must hold: credentials are a part of
// some line, whole or not at all; every answer is base64 without a line end; no exchange is
// endless.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "qmail-remote/authsenders.h"
#include "qmail-remote/sasl.h"
#include "qmail-remote/smtp_routes.h"
#include "qmail/base64.h"

namespace {

using namespace qmail::remote;

void must(bool condition) {
  if (!condition) std::abort();
}

void exchange_all(const Credentials& credentials, std::string_view challenge) {
  const auto digest = [](std::string_view, std::string_view) {
    return std::optional<std::string>(std::string(16, '\0'));
  };
  for (const Mechanism mechanism :
       {Mechanism::plain, Mechanism::login, Mechanism::cram_md5, Mechanism::external}) {
    SaslExchange exchange(mechanism, credentials, digest);
    const qmail::Secret command = exchange.command();
    must(command.view().starts_with("AUTH ") && command.view().size() <= 510);
    must(command.view().find_first_of("\r\n") == std::string_view::npos);
    int answers = 0;
    while (const auto answer = exchange.answer(challenge)) {
      must(qmail::base64_decoded(answer->view()).has_value());
      must(++answers <= 2);
    }
  }
}

void check(const qmail::Result<std::optional<Route>, BadLine>& found, std::string_view lines,
           std::string_view asked) {
  if (!found) {
    const auto line_ends = std::count(lines.begin(), lines.end(), '\n');
    must(found.error().line >= 1 && found.error().line <= static_cast<std::size_t>(line_ends) + 1);
    return;
  }
  const auto& route = *found;
  if (!route || !route->login) return;
  const Credentials& credentials = route->login->credentials;
  must(!route->relay.empty());
  must(credentials.user.empty() == credentials.password.empty());
  must(credentials.user.view().find('|') == std::string_view::npos);
  const std::string whole =
      "|" + std::string(credentials.user.view()) + "|" + std::string(credentials.password.view());
  must(lines.find(whole) != std::string_view::npos);
  exchange_all(credentials, asked);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line_end = std::min(bytes.find('\n'), size);
  const std::string_view asked = bytes.substr(0, line_end);
  const std::string_view lines = bytes.substr(line_end);
  check(SmtpRoutes(qmail::parse_numbered_list(lines)).find(asked), lines, asked);
  const AuthSenders senders(qmail::parse_numbered_list(lines));
  check(senders.find(asked), lines, asked);
  const auto bad = senders.line_without_colon();
  must(!bad || bad->line >= 1);
  return 0;
}
