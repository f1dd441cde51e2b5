// SMTP AUTH, from the response parser to a whole session: an arbitrary script of lines goes through
// Session and AuthExchange. The first byte chooses what the run script asks for, the rest is what
// the client sends. What must hold, whatever it is:
//   - credentials are what a checkpassword program may be given: bounded, no NUL, a clean user;
//   - nobody but who gave the right ones sends mail to other hosts, and none of it outside TLS
//     unless that was asked for; STARTTLS forgets them;
//   - with a demand there is no sender before them;
//   - the password is in no reply and in nothing that the queue program is told.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "qmail-smtpd/auth.h"
#include "qmail-smtpd/session.h"
#include "qmail/ascii.h"
#include "qmail/base64.h"

namespace {

using namespace qmail::smtpd;

constexpr std::string_view password = "opensesame";
constexpr std::string_view digest = "0123456789abcdef0123456789abcdef";
constexpr std::string_view client_address = "alice@client.test";

void must(bool condition) {
  if (!condition) std::abort();
}

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void must_not_tell(std::string_view text) {
  static const std::string encoded = qmail::base64_encoded(password);
  must(!holds(text, password) && !holds(text, digest) && !holds(text, encoded));
}

void must_be_a_line(std::string_view reply) {
  must(reply.size() >= 5 && reply.ends_with("\r\n"));
  must(reply.substr(0, reply.size() - 2).find('\0') == std::string_view::npos);
}

class Run {
 public:
  explicit Run(std::uint8_t how) {
    constexpr std::array<const char*, 8> values{"",         "!",          "cram", "+cram",
                                                "external", "!+external", "-",    "odd"};
    switches_.auth = AuthSettings::of({"checkpassword", "true"}, values.at(how & 7U));
    switches_.auth.in_the_clear = (how & 8U) != 0;
    switches_.auth.sender_is_user = (how & 16U) != 0;
    certificate_ = (how & 32U) != 0;
    config_.greeting = "here.test";
    config_.recipient_hosts = RecipientHosts({"here.test"});
  }

  // False: the session is over.
  bool line(std::string_view text) {
    if (exchange_) {
      step(exchange_->answer({text}));
      return true;
    }
    const Command command = parse_command({text});
    const Outcome outcome = session_.handle(command);
    if (outcome.after == After::authenticate) {
      begin(outcome.auth);
      return true;
    }
    told(outcome.reply);
    check(command, outcome);
    if (outcome.after == After::start_tls) start_tls();
    if (outcome.after == After::receive_data) check(session_.take_envelope());
    return outcome.after != After::hang_up;
  }

 private:
  static void told(std::string_view reply) {
    must_be_a_line(reply);
    must_not_tell(reply);
  }

  void check(const Command& command, const Outcome& outcome) {
    const auto is = [&command](std::string_view verb) {
      return qmail::equal_ignoring_case(command.verb, verb);
    };
    const bool good = outcome.reply.starts_with("250");
    if (is("mail") && good) must(authenticated_ || !switches_.auth.demanded);
    if (is("ehlo") && !session_.inside_tls() && !switches_.auth.in_the_clear) {
      must(!holds(outcome.reply, "AUTH"));
    }
    for (const std::string& variable : queue_variables(session_.right())) must_not_tell(variable);
    must_not_tell(session_.trace().protocol);
    must(std::holds_alternative<ByLogin>(session_.right()) == authenticated_);
  }

  // An address that rcpthosts does not let in is there by right.
  void check(const Envelope& envelope) const {
    if (authenticated_ || (certificate_ && session_.inside_tls())) return;
    for (const std::string& recipient : envelope.recipients) {
      const std::size_t at = recipient.rfind('@');
      must(at == std::string::npos ||
           qmail::equal_ignoring_case(std::string_view(recipient).substr(at + 1), "here.test"));
    }
  }

  void begin(const AuthRequest& request) {
    must(!authenticated_ && (session_.inside_tls() || switches_.auth.in_the_clear));
    must(switches_.auth.can(request.mechanism));
    must((request.mechanism == Mechanism::external) == !request.identity.empty());
    request_ = request;
    exchange_.emplace(request.mechanism, "<1.2@here.test>");
    step(request.malformed ? AuthExchange::Step(AuthExchange::Fault::malformed)
                           : exchange_->begin(request.initial_response));
  }

  void step(const AuthExchange::Step& step) {
    if (const auto* ask = std::get_if<AuthExchange::Ask>(&step)) {
      must(ask->reply.starts_with("334 "));
      told(ask->reply);
      return;
    }
    exchange_.reset();
    const auto* credentials = std::get_if<Credentials>(&step);
    if (credentials == nullptr) return;
    const std::string_view secret = credentials->secret.view();
    must(credentials->user.size() + secret.size() + credentials->challenge.size() + 3 <=
         AuthExchange::longest_credentials + 3);
    for (const char c : credentials->user)
      must(static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
    must(!holds(secret, std::string_view("\0", 1)));
    if (request_.mechanism == Mechanism::external) {
      must(secret.empty());
      if (!credentials->user.empty() && credentials->user != request_.identity) return;
      session_.authenticated(request_.identity, request_.mechanism);
      authenticated_ = true;
      return;
    }
    must(!credentials->user.empty() && !secret.empty());
    const bool cram = request_.mechanism == Mechanism::cram_md5;
    must(cram == !credentials->challenge.empty() && (!cram || secret.size() == digest.size()));
    if (secret != (cram ? digest : password)) return;
    session_.authenticated(credentials->user, request_.mechanism);
    authenticated_ = true;
  }

  void start_tls() {
    qmail::tls::ClientCertificate certificate;
    session_.tls_started({"TLSv1.3", "TLS_AES_256_GCM_SHA384"}, std::move(certificate));
    authenticated_ = false;
  }

  SmtpdConfig config_;
  Peer peer_;
  Switches switches_;
  bool certificate_ = false;
  Lookups lookups_{
      .tls_to_be_had = [] { return true; },
      .takes_mail_for = [this](std::string_view to) { return config_.recipient_hosts.accept(to); },
      .most_recipients = [] { return 0U; },
      .most_refusals = [] { return 0U; },
      .judge =
          [this](const qmail::tls::ClientCertificate&) {
            CertificateDecision decision;
            if (certificate_) decision.granted_to = client_address;
            return qmail::Result<CertificateDecision, qmail::ControlError>(std::move(decision));
          }};
  qmail::OwnAddresses own_{{}};
  Session session_{config_, peer_, switches_, lookups_, own_};
  std::optional<AuthExchange> exchange_;
  AuthRequest request_;
  bool authenticated_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);
  Run run(data[0]);
  while (!script.empty()) {
    const std::size_t end = script.find('\n');
    if (end == std::string_view::npos) break;  // an unfinished line is no line
    if (!run.line(script.substr(0, end))) break;
    script.remove_prefix(end + 1);
  }
  return 0;
}
