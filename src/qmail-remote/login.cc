#include "qmail-remote/login.h"

#include "qmail/secret.h"
#include "tls/tls.h"

namespace qmail::remote {

namespace {

constexpr int challenged = 334;

// What stands behind the code in the first line.
std::string_view challenge_in(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  return text.size() > 4 ? text.substr(4) : std::string_view();
}

Response ask(SmtpClient& client, const Secret& line) {
  client.send_secret(line.view());
  return client.response();
}

LoginOutcome converse(SmtpClient& client, const Credentials& credentials, const Mechanisms& offered,
                      Channel channel) {
  Mechanisms usable = offered;
  // MD5 is OpenSSL's, which in the clear is not there yet.
  if (usable.cram_md5 && tls::load()) usable.cram_md5 = false;
  LoginOutcome outcome{false, choose(usable, credentials, channel)};
  if (!outcome.mechanism) return outcome;
  SaslExchange exchange(*outcome.mechanism, credentials, tls::hmac_md5);
  outcome.reply = ask(client, exchange.command());
  while (outcome.reply.kind() == Response::Class::go_ahead) {
    auto answer = outcome.reply.code == challenged
                      ? exchange.answer(challenge_in(outcome.reply.text))
                      : std::nullopt;
    if (!answer) {
      outcome.reply = client.ask("*");
      return outcome;
    }
    outcome.reply = ask(client, *answer);
  }
  outcome.succeeded = outcome.reply.is_success();
  outcome.for_good = outcome.reply.kind() == Response::Class::permanent;
  return outcome;
}

}  // namespace

LoginOutcome authenticate(SmtpClient& client, const Credentials& credentials,
                          const Mechanisms& offered, Channel channel) {
  LoginOutcome outcome = converse(client, credentials, offered, channel);
  wipe_dead_stack();
  return outcome;
}

}  // namespace qmail::remote
