#include "qmail-smtpd/authentication.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <random>
#include <utility>
#include <variant>

#include "qmail-smtpd/checkpassword.h"
#include "qmail-smtpd/received.h"
#include "qmail-smtpd/replies.h"
#include "qmail/ascii.h"
#include "qmail/confinement.h"
#include "qmail/deadline.h"
#include "qmail/secret.h"
#include "qmail/transport.h"

namespace qmail::smtpd {

namespace {

constexpr std::chrono::seconds longest_check(60);
constexpr std::chrono::seconds delay(5);  // before a refusal
constexpr int most_refusals = 3;

std::string challenge(const std::string& host) {
  std::random_device random;
  static_assert(sizeof(std::random_device::result_type) == 4);
  const std::uint64_t number = static_cast<std::uint64_t>(random()) << 32 | random();
  return "<" + std::to_string(number) + "." + std::to_string(std::time(nullptr)) + "@" + host + ">";
}

std::string what_happened(const std::string& what, const std::string& who) {
  return "auth " + what + ": " + who;
}

}  // namespace

Authentication::Result Authentication::run(const AuthRequest& request) {
  hide_memory();  // a password is about to be in it
  Result result = converse(request);
  wipe_dead_stack();
  return result;
}

Authentication::Result Authentication::converse(const AuthRequest& request) {
  const bool needs_challenge = request.mechanism == Mechanism::cram_md5;
  AuthExchange exchange(request.mechanism,
                        needs_challenge ? challenge(challenge_host_) : std::string());
  AuthExchange::Step step =
      request.malformed ? AuthExchange::Fault::malformed : exchange.begin(request.initial_response);
  reader_.wipe();
  while (const auto* ask = std::get_if<AuthExchange::Ask>(&step)) {
    connection_.write(ask->reply);
    step = exchange.answer(reader_.next());
    reader_.wipe();
  }
  if (const auto* fault = std::get_if<AuthExchange::Fault>(&step)) {
    return {std::string(*fault == AuthExchange::Fault::canceled ? reply::auth_canceled
                                                                : reply::auth_malformed)};
  }
  connection_.flush();  // what was answered before need not wait for the program
  return judge(request, std::get<Credentials>(step));
}

Authentication::Result Authentication::judge(const AuthRequest& request,
                                             const Credentials& credentials) {
  const bool external = request.mechanism == Mechanism::external;
  const std::string user =
      external && credentials.user.empty() ? request.identity : credentials.user;
  const std::string who = method(request.mechanism) + " user " + cleaned(user);
  if (external) {
    if (!equal_ignoring_case(user, request.identity)) return refuse(who);
  } else {
    const PasswordCheck check = check_password(settings_.program, credentials,
                                               Deadline::after(std::min(timeout_, longest_check)));
    if (check.verdict == PasswordCheck::Verdict::refused) return refuse(who);
    if (check.verdict == PasswordCheck::Verdict::trouble) {
      log_.line(what_happened("trouble", who) + ": " + check.reason);
      return {std::string(check.reply)};
    }
  }
  log_.line(what_happened("succeeded", who));
  return {std::string(reply::auth_good), external ? request.identity : user};
}

Authentication::Result Authentication::refuse(const std::string& who) {
  log_.line(what_happened("failed", who) + ": refused");
  wait_for(-1, 0, Deadline::after(delay));  // for the time only
  return {std::string(reply::auth_bad), std::nullopt, ++refusals_ == most_refusals};
}

}  // namespace qmail::smtpd
