// A whole session of qmail-smtpd without its descriptors: an arbitrary script goes through the
// command reader, Session and DataDecoder. The first byte chooses circumstances, the rest is what
// the client sends. What must hold, whatever it is:
//   - every reply is well formed;
//   - DATA is granted only with recipients, exactly those accepted since the last MAIL, and each of
//     them is one that the policy, judged here anew, lets in;
//   - nothing from before STARTTLS is left after it;
//   - a message ends behind CR LF . CR LF and nowhere else, holds no bare LF, and never grows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "qmail-smtpd/command_reader.h"
#include "qmail-smtpd/data_decoder.h"
#include "qmail-smtpd/hop_counter.h"
#include "qmail-smtpd/session.h"
#include "qmail/ascii.h"
#include "qmail/connection.h"

namespace {

using namespace qmail::smtpd;
using qmail::Connection;
using qmail::ConnectionLost;
using qmail::Deadline;
using qmail::IoError;
using qmail::Result;

void must(bool condition) {
  if (!condition) std::abort();
}

constexpr std::string_view suffix = "@relay.test";
constexpr std::string_view client_address = "alice@client.test";

// Hands out a script in pieces of one size, and forgets what is written.
class ScriptTransport final : public qmail::Transport {
 public:
  ScriptTransport(std::string_view script, std::size_t piece) : script_(script), piece_(piece) {}
  Result<std::size_t, IoError> read(std::span<char> into, Deadline) override {
    const std::size_t count = std::min({into.size(), piece_, script_.size()});
    std::memcpy(into.data(), script_.data(), count);
    script_.remove_prefix(count);
    return count;
  }
  Result<std::size_t, IoError> write(std::span<const char> from, Deadline) override {
    return from.size();
  }
  void say_goodbye() override {}

 private:
  std::string_view script_;
  std::size_t piece_;
};

struct Circumstances {
  bool relayclient;
  bool verified;  // the client shows a certificate inside TLS
  bool listed;    // and tlsclients has its address
  std::size_t piece;

  explicit Circumstances(std::uint8_t byte)
      : relayclient((byte & 1) != 0),
        verified((byte & 2) != 0),
        listed((byte & 4) != 0),
        piece((byte & 8) != 0 ? 4096 : 1 + (byte >> 4)) {}
};

qmail::ControlDir control_directory() {
  std::string path = std::filesystem::temp_directory_path() / "fuzz-session.XXXXXX";
  must(::mkdtemp(path.data()) != nullptr);
  std::ofstream(path + "/tlsclients") << client_address << "\n";
  return qmail::ControlDir(path);
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         qmail::equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

// rcpthosts is "here.test" and ".sub.test".
bool policy_lets_in(const std::string& recipient, const Circumstances& how, bool in_tls) {
  if (how.relayclient) return ends_with_ignoring_case(recipient, suffix);
  if (in_tls && how.verified && how.listed) return true;
  const std::size_t at = recipient.rfind('@');
  if (at == std::string::npos) return true;
  const std::string_view host = std::string_view(recipient).substr(at + 1);
  return qmail::equal_ignoring_case(host, "here.test") ||
         ends_with_ignoring_case(host, ".sub.test");
}

bool barred(const std::string& sender) {
  const std::size_t at = sender.rfind('@');
  return qmail::equal_ignoring_case(sender, "bad@b.test") ||
         (at != std::string::npos &&
          qmail::equal_ignoring_case(std::string_view(sender).substr(at), "@evil.test"));
}

void must_be_well_formed(std::string_view reply) {
  must(reply.size() >= 6);
  const std::string_view code = reply.substr(0, 3);
  while (!reply.empty()) {
    const std::size_t end = reply.find("\r\n");
    must(end != std::string_view::npos && end >= 4);
    const std::string_view line = reply.substr(0, end);
    reply.remove_prefix(end + 2);
    must(line.substr(0, 3) == code && line[3] == (reply.empty() ? ' ' : '-'));
    must(line.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
  }
}

// The message behind 354. False: it must be refused.
bool read_message(Connection& connection) {
  DataDecoder decoder;
  HopCounter hops;
  std::string raw;
  std::size_t stored = 0;
  for (;;) {
    if (connection.input().empty()) connection.receive();
    const std::string_view input = connection.input();
    std::vector<char> output(input.size() + DataDecoder::held_back);
    const DataDecoder::Progress progress = decoder.decode(input, output.data());
    must(progress.used <= input.size() && progress.stored <= output.size());
    must(progress.status != DataDecoder::Status::more || progress.used == input.size());
    raw.append(input.substr(0, progress.used));
    stored += progress.stored;
    must(stored <= raw.size());
    hops.look_at(input.substr(0, progress.used));
    connection.consume(progress.used);
    if (progress.status == DataDecoder::Status::more) continue;
    // Where it ends is looked for anew, in all that was used.
    std::size_t bare_lf = raw.find('\n');
    while (bare_lf != std::string::npos && bare_lf > 0 && raw[bare_lf - 1] == '\r') {
      bare_lf = raw.find('\n', bare_lf + 1);
    }
    if (progress.status == DataDecoder::Status::bare_lf) {
      must(bare_lf == raw.size() - 1);
      return false;
    }
    must(bare_lf == std::string::npos);
    if (raw.starts_with(".\r\n")) {
      must(raw.size() == 3);
    } else {
      must(raw.find("\r\n.\r\n") == raw.size() - 5);
    }
    return true;
  }
}

class Run {
 public:
  Run(const Circumstances& how, std::string_view script, const qmail::ControlDir& control)
      : how_(how),
        switches_(switches(how)),
        lookups_{
            .tls_to_be_had = [] { return true; },
            .takes_mail_for =
                [this](std::string_view to) { return config_.recipient_hosts.accept(to); },
            .most_recipients = [] { return 0U; },
            .most_refusals = [] { return 0U; },
            .judge =
                [&control](const qmail::tls::ClientCertificate& certificate) {
                  return decide_relaying(certificate, control);
                },
        },
        connection_(std::make_unique<ScriptTransport>(script, how.piece), std::chrono::seconds(1)),
        session_(config_, peer_, switches_, lookups_, own_) {
    config_.greeting = "here.test";
    config_.localhost = "here.test";
    config_.bad_senders = BadSenders({"bad@b.test", "@evil.test"});
    config_.recipient_hosts = RecipientHosts({"here.test", ".sub.test"});
  }

  void converse() {
    CommandReader reader(connection_);
    for (;;) {
      const Command command = parse_command(reader.next());
      const Outcome outcome = session_.handle(command);
      must_be_well_formed(outcome.reply);
      note(command.verb, outcome);
      if (outcome.drops_input) connection_.forget_input();
      if (outcome.after == After::hang_up) return;
      if (outcome.after == After::start_tls) start_tls();
      if (outcome.after == After::receive_data) {
        take_envelope();
        if (!read_message(connection_)) return;
      }
    }
  }

 private:
  static Switches switches(const Circumstances& how) {
    Switches result;
    if (how.relayclient) result.relayclient = std::string(suffix);
    return result;
  }

  // Keeps our own account of the recipients accepted since the last MAIL.
  void note(std::string_view verb, const Outcome& outcome) {
    const auto is = [verb](std::string_view name) {
      return qmail::equal_ignoring_case(verb, name);
    };
    const bool good = outcome.reply.starts_with("250");
    if (is("rcpt") && good) {
      must(sender_known_);
      ++accepted_;
    }
    if (is("mail") ? good : is("helo") || is("ehlo") || is("rset")) {
      sender_known_ = is("mail");
      accepted_ = 0;
    }
  }

  void take_envelope() {
    const Envelope envelope = session_.take_envelope();
    must(accepted_ > 0 && envelope.recipients.size() == accepted_);
    must(!barred(envelope.sender) && !envelope.sender_barred);
    for (const std::string& recipient : envelope.recipients) {
      must(policy_lets_in(recipient, how_, session_.inside_tls()));
      must(recipient.find('\0') == std::string::npos && recipient.size() < 1000);
    }
    sender_known_ = false;
    accepted_ = 0;
  }

  void start_tls() {
    must(!session_.inside_tls());
    qmail::tls::ClientCertificate certificate;
    if (how_.verified) {
      certificate.state = qmail::tls::ClientCertificate::State::verified;
      certificate.email = how_.listed ? std::string(client_address) : "mallory@client.test";
    }
    session_.tls_started({"TLSv1.3", "TLS_AES_256_GCM_SHA384"}, std::move(certificate));
    sender_known_ = false;
    accepted_ = 0;
  }

  Circumstances how_;
  SmtpdConfig config_;
  Peer peer_;
  Switches switches_;
  Lookups lookups_;
  qmail::OwnAddresses own_{{qmail::IpAddress::v4({127, 0, 0, 1})}};
  Connection connection_;
  Session session_;
  bool sender_known_ = false;
  std::size_t accepted_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const qmail::ControlDir control = control_directory();
  const std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);
  Run run{Circumstances{data[0]}, script, control};
  try {
    run.converse();
  } catch (const ConnectionLost&) {
    // The script is at its end.
  }
  return 0;
}
