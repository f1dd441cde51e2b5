// Whole deliveries to one server: every policy of control/tlspolicy, with every set of the old
// files, every way a server can take to TLS, every certificate, with and without a password, on
// port 25 and 465; against the rules of qmail-control-tls(5) written down a second time. Nothing is
// sampled.
//
// Each cell is a conversation with a server that notes what it hears, and whether inside TLS: "in
// the clear" is what went over the wire, not what was meant.
//
// A new level is a row of `policies`; a new kind of certificate or server is an enumerator, a name,
// and what it does in Speaker and expected().
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "name_server.h"
#include "qmail-remote/conversation.h"
#include "qmail-remote/policy_file.h"
#include "qmail-remote/route_map.h"
#include "qmail-remote/server_policy.h"
#include "scratch.h"
#include "test_pki.h"
#include "test_session.h"

namespace qmail::test {
namespace {

using namespace qmail::remote;
using tls::test::BarePeer;
using tls::test::Issued;
using tls::test::KeyKind;

const std::string destination_name = "to.test";
const std::string exchanger = "mx.other.test";
const IpAddress here = *parse_ip("127.0.0.1");

// --- the axes ---

// What the server shows, if it comes to that.
enum class Shown {
  good,             // for the exchanger and the destination
  exchangers,       // for the exchanger alone
  destinations,     // for the destination alone
  below,            // for a name below the destination
  strangers,        // for somebody else
  other_authority,  // as good, but signed by somebody else, and with a key of its own
  expired,          // as good, but in the past
  none,             // nothing, and control/tlsclientciphers names suites that go without
};
constexpr std::array shown_names{"good",       "exchanger's",     "destination's", "below",
                                 "stranger's", "other authority", "expired",       "none"};
constexpr std::size_t kinds_shown = shown_names.size();

// What the server does when TLS is spoken of.
enum class Does {
  tls,
  not_offered,
  refuses_for_now,   // 454
  refuses_for_good,  // 502
  hangs_up,          // 421
  injects,           // says more behind its 220
  // and the handshake fails:
  babbles,
  closes,
  too_old,  // TLS 1.1 at most
};
constexpr std::array does_names{"TLS",     "not offered", "454",    "502",    "421",
                                "injects", "babbles",     "closes", "too old"};

// Who answers a second call.
enum class Again { takes_mail, nobody };

struct Peer {
  Does does;
  Shown shown = Shown::good;
  Again again = Again::takes_mail;
};

// Port 465 has no STARTTLS, and nobody calls there twice.
std::vector<Peer> peers_on(std::uint16_t port) {
  std::vector<Peer> all;
  for (std::size_t i = 0; i < kinds_shown; ++i) all.push_back({Does::tls, static_cast<Shown>(i)});
  const auto spoilt = {Does::babbles, Does::closes, Does::too_old};
  for (const Does does : spoilt) all.push_back({does});
  if (port == smtps_port) return all;
  for (const Does does : {Does::not_offered, Does::refuses_for_now, Does::refuses_for_good,
                          Does::hangs_up, Does::injects}) {
    all.push_back({does});
  }
  for (const Does does : spoilt) all.push_back({does, Shown::good, Again::nobody});
  return all;
}

struct OldFiles {
  bool pem;         // tlshosts/NAME.pem
  bool excluded;    // notlshosts/NAME
  bool exhaustive;  // tlshosts/exhaustivelist
};

enum class Password { none, there, there_and_insecure_auth };

// How the server's certificate counts.
enum class Check { nothing, fingerprint, chain, records };

// What DNS says about the server, for dane and dane-only.
struct Dns {
  std::vector<const char*> zone{};  // what is said about _PORT._tcp and the exchanger's name
  bool address_secure = true;
  bool mx_secure = true;
};

struct Policy {
  const char* line;         // behind the colon, {…} filled in; null: no line
  const char* level;        // as reports say it
  bool never = false;       // no TLS
  bool demands = false;     // TLS or no mail
  bool falls_back = false;  // in the clear, on a new connection, after a failed handshake
  Check check = Check::nothing;
  std::vector<Shown> passes{};            // of what is shown
  const char* for_whom = "";              // chain: the names, as reports list them
  const char* authorities = "tlsca.pem";  // chain
  Dns dns{};
  const char* not_called = nullptr;  // why, if it is not
};

const Policy policies[] = {
    {.line = nullptr, .level = ""},
    {.line = "none", .level = "none", .never = true},
    {.line = "may", .level = "may", .falls_back = true},
    {.line = "encrypt", .level = "encrypt", .demands = true},
    {.line = "fingerprint match={expired}",
     .level = "fingerprint",
     .demands = true,
     .check = Check::fingerprint,
     .passes = {Shown::expired}},
    {.line = "fingerprint match={zeros}|{other authority's key}",
     .level = "fingerprint",
     .demands = true,
     .check = Check::fingerprint,
     .passes = {Shown::other_authority}},
    {.line = "verify",
     .level = "verify",
     .demands = true,
     .check = Check::chain,
     .passes = {Shown::good, Shown::exchangers},
     .for_whom = "mx.other.test"},
    {.line = "verify match=nexthop",
     .level = "verify",
     .demands = true,
     .check = Check::chain,
     .passes = {Shown::good, Shown::destinations},
     .for_whom = "to.test"},
    {.line = "secure",
     .level = "secure",
     .demands = true,
     .check = Check::chain,
     .passes = {Shown::good, Shown::destinations, Shown::below},
     .for_whom = "to.test, .to.test"},
    {.line = "secure match=hostname:stranger.test",
     .level = "secure",
     .demands = true,
     .check = Check::chain,
     .passes = {Shown::good, Shown::exchangers, Shown::strangers},
     .for_whom = "mx.other.test, stranger.test"},
    {.line = "secure tafile=theirs.pem",
     .level = "secure",
     .demands = true,
     .check = Check::chain,
     .passes = {Shown::other_authority},
     .for_whom = "to.test, .to.test",
     .authorities = "theirs.pem"},
    {.line = "dane", .level = "dane", .falls_back = true, .dns = {.address_secure = false}},
    {.line = "dane", .level = "dane", .falls_back = true},
    {.line = "dane",
     .level = "dane",
     .demands = true,
     .dns = {{"TLSA 1 0 1 {expired}", "= SECURE"}}},
    {.line = "dane",
     .level = "dane",
     .demands = true,
     .check = Check::records,
     .passes = {Shown::expired},
     .dns = {{"TLSA 3 0 1 {expired}", "= SECURE"}}},
    {.line = "dane",
     .level = "dane",
     .demands = true,
     .check = Check::records,
     .passes = {Shown::other_authority},
     .dns = {{"TLSA 3 1 2 {other authority's key}", "TLSA 0 0 1 {expired}", "= SECURE"}}},
    {.line = "dane",
     .level = "dane",
     .demands = true,
     .check = Check::records,
     .passes = {Shown::good, Shown::exchangers, Shown::destinations},
     .dns = {{"TLSA 2 0 0 {ours}", "= SECURE"}}},
    // The exchanger's name is hearsay: to be held to its records it is, but to be believed no more
    // than any other.
    {.line = "dane",
     .level = "dane",
     .demands = true,
     .check = Check::records,
     .passes = {Shown::expired},
     .dns = {.zone = {"TLSA 3 0 1 {expired}", "= SECURE"}, .mx_secure = false}},
    {.line = "dane",
     .level = "dane",
     .dns = {{"TLSA 3 0 1 {expired}", "= SERVFAIL"}},
     .not_called = "TLS unable to look up TLSA records of mx.other.test"},
    {.line = "dane-only",
     .level = "dane-only",
     .demands = true,
     .check = Check::records,
     .passes = {Shown::expired},
     .dns = {{"TLSA 3 0 1 {expired}", "= SECURE"}}},
    {.line = "dane-only",
     .level = "dane-only",
     .dns = {.address_secure = false},
     .not_called =
         "No secure TLSA records for mx.other.test while control/tlspolicy says dane-only "
         "for to.test"},
    {.line = "dane-only",
     .level = "dane-only",
     .dns = {{"TLSA 1 0 1 {expired}", "= SECURE"}},
     .not_called =
         "No usable TLSA records for mx.other.test while control/tlspolicy says dane-only "
         "for to.test"},
    {.line = "dane-only",
     .level = "dane-only",
     .dns = {.zone = {"TLSA 3 0 1 {expired}", "= SECURE"}, .mx_secure = false},
     .not_called =
         "No secure TLSA records for mx.other.test while control/tlspolicy says dane-only "
         "for to.test"},
};

struct Cell {
  const Policy& policy;
  OldFiles files;
  Peer peer;
  Password password;
  std::uint16_t port;

  std::string text() const {
    std::string text = policy.line == nullptr ? "no line" : policy.line;
    for (const char* line : policy.dns.zone) text.append(" ").append(line);
    if (!policy.dns.address_secure) text += " address not secure";
    if (!policy.dns.mx_secure) text += " MX not secure";
    if (files.pem) text += ", pem";
    if (files.excluded) text += ", notlshosts";
    if (files.exhaustive) text += ", exhaustivelist";
    text.append("; server: ").append(does_names[static_cast<std::size_t>(peer.does)]);
    text.append(", ").append(shown_names[static_cast<std::size_t>(peer.shown)]);
    if (peer.again == Again::nobody) text += ", once";
    if (password != Password::none) text += "; password";
    if (password == Password::there_and_insecure_auth) text += ", insecure";
    return text + "; port " + std::to_string(port);
  }
};

// --- the rules ---

struct Expected {
  std::string where;     // "in the clear", "in TLS verified", …; empty: deferred
  std::string begins{};  // the report's beginning and end
  std::string ends{};
  Then then = Then::give_up;
};

Expected delivered(const char* where) { return {where}; }

Expected deferred_at(const char* connection, const std::string& sentence, Then then,
                     const std::string& reply = {}) {
  const std::string said = reply.empty() ? "" : "Remote host said: " + reply + "\n";
  return {"", sentence, std::string("; ") + connection + " " + here.text() + ".\n" + said, then};
}
Expected before_tls(const std::string& sentence, Then then, const std::string& reply = {}) {
  return deferred_at("connecting to", sentence, then, reply);
}
Expected after_tls(const std::string& sentence, Then then) {
  return deferred_at("connected to", sentence, then);
}

// What is asked of TLS, after tlshosts, then a password, have had their say.
struct Asked {
  Policy policy;
  std::string why{};
  Then unmet = Then::try_next;
  bool by_pem = false;
};

Asked asked_of(const Cell& cell, const std::string& folder) {
  if (cell.files.pem) {
    return {{.line = "",
             .level = "",
             .demands = true,
             .check = Check::chain,
             .passes = {Shown::good, Shown::exchangers},
             .authorities = "tlshosts/mx.other.test.pem"},
            folder + "/tlshosts/mx.other.test.pem exists",
            Then::give_up,
            true};
  }
  Asked asked{cell.policy,
              std::string("control/tlspolicy says ") + cell.policy.level + " for to.test"};
  if (cell.password != Password::none) asked.policy.falls_back = false;
  if (cell.password == Password::there && !cell.policy.demands &&
      cell.policy.not_called == nullptr) {
    asked.policy = {.line = "", .level = "", .demands = true};
    asked.why = "control/smtproutes has a password for to.test";
  }
  return asked;
}

Expected expected_of_failed_handshake(const Cell& cell, const Asked& asked) {
  if (asked.policy.falls_back && cell.port != smtps_port && cell.peer.again == Again::takes_mail) {
    return delivered("in the clear, second call");
  }
  return after_tls("TLS connect failed", asked.unmet);
}

Expected expected_of_certificate(const Cell& cell, const Asked& asked, const std::string& folder,
                                 const std::string& digest) {
  const Policy& policy = asked.policy;
  const Shown shown = cell.peer.shown;
  const std::string blamed = "TLS unable to verify server " + exchanger + ": ";
  if (shown == Shown::none) {
    // Where no authority is asked a server without a key is not spoken to, whatever the list says.
    if (policy.check != Check::chain) return expected_of_failed_handshake(cell, asked);
    return after_tls(blamed + "no certificate provided", asked.unmet);
  }
  const bool passes =
      std::find(policy.passes.begin(), policy.passes.end(), shown) != policy.passes.end();
  if (policy.check == Check::nothing) return delivered("in TLS, untrusted");
  if (policy.check == Check::fingerprint) {
    if (passes) return delivered("in TLS, fingerprint");
    return after_tls(blamed + "certificate has another fingerprint, sha256:" + digest, asked.unmet);
  }
  if (policy.check == Check::records) {
    if (passes) return delivered(policy.dns.mx_secure ? "in TLS, dane" : "in TLS, untrusted");
    return after_tls("TLS unable to verify server " + exchanger + " with its TLSA records: ",
                     asked.unmet);
  }
  if (passes) return delivered("in TLS, verified");
  const bool is_theirs = policy.authorities == std::string("theirs.pem");
  const std::string untrusted =
      "TLS unable to verify server with " + folder + "/" + policy.authorities + ": ";
  if (shown == Shown::expired && !is_theirs) {
    return after_tls(untrusted + "certificate has expired", asked.unmet);
  }
  if ((shown == Shown::other_authority) != is_theirs) return after_tls(untrusted, asked.unmet);
  return after_tls(
      blamed + (asked.by_pem ? std::string("certificate contains no matching dNSNnames")
                             : std::string("certificate is not for ") + policy.for_whom),
      asked.unmet);
}

Expected expected(const Cell& cell, const std::string& folder, const std::string& digest) {
  const Asked asked = asked_of(cell, folder);
  const Policy& policy = asked.policy;
  if (!asked.by_pem && policy.not_called != nullptr) {
    return before_tls(policy.not_called, Then::try_next);
  }
  if (!asked.by_pem && (cell.files.excluded || cell.files.exhaustive)) {
    const std::string forbidden =
        "TLS forbidden by control/notlshosts/mx.other.test or control/tlshosts/exhaustivelist";
    if (policy.demands) return before_tls(forbidden + " while " + asked.why, Then::try_next);
    if (cell.port != smtps_port) return delivered("in the clear");
    return before_tls(forbidden + ", but port 465 speaks nothing else", Then::give_up);
  }
  if (policy.never) {
    if (cell.port != smtps_port) return delivered("in the clear");
    return before_tls(
        "TLS forbidden by control/tlspolicy for to.test, but port 465 speaks nothing else",
        Then::give_up);
  }
  const bool refused = cell.peer.does == Does::refuses_for_now ||
                       cell.peer.does == Does::hangs_up || cell.peer.does == Does::refuses_for_good;
  const std::string reply =
      refused ? std::string(does_names[static_cast<std::size_t>(cell.peer.does)]) + " no" : "";
  switch (cell.peer.does) {
    case Does::tls:
      return expected_of_certificate(cell, asked, folder, digest);
    case Does::not_offered:
      if (!policy.demands) return delivered("in the clear");
      return before_tls("No TLS achieved while " + asked.why, asked.unmet);
    case Does::refuses_for_now:
    case Does::refuses_for_good:
      if (!policy.demands) return delivered("in the clear");
      return before_tls("STARTTLS rejected while " + asked.why, asked.unmet, reply);
    case Does::hangs_up:  // the next server is called, whatever is demanded
      return before_tls(
          policy.demands ? "STARTTLS rejected while " + asked.why : "STARTTLS rejected",
          Then::try_next, reply);
    case Does::injects:
      return after_tls("TLS connect failed: plaintext behind the reply to STARTTLS", asked.unmet);
    case Does::babbles:
    case Does::closes:
    case Does::too_old:
      break;
  }
  return expected_of_failed_handshake(cell, asked);
}

// --- the server ---

// What it heard, where.
struct Heard {
  std::string clear, tls, again;
};

// One end of a line, with TLS or without.
class Wire {
 public:
  explicit Wire(int fd, BarePeer* tls = nullptr) : fd_(fd), tls_(tls) {}

  void say(const std::string& text) {
    if (tls_ != nullptr) {
      tls_->send(text);
    } else {
      ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    }
  }
  // Without its CR LF; nothing at the end.
  std::optional<std::string> line() {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return line;
      }
      const std::string more = receive();
      if (more.empty()) return std::nullopt;
      buffer_ += more;
    }
  }
  std::string receive() {
    if (tls_ != nullptr) return tls_->receive();
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
  }

 private:
  int fd_;
  BarePeer* tls_;
  std::string buffer_;
};

// SMTP until QUIT or the end: false; or STARTTLS: true.
bool speak(Wire& wire, std::string& heard, bool offers_starttls) {
  for (bool in_message = false;;) {
    const auto line = wire.line();
    if (!line) return false;
    heard += *line + "\n";
    if (in_message) {
      if (*line != ".") continue;
      in_message = false;
      wire.say("250 taken\r\n");
    } else if (line->starts_with("EHLO ")) {
      wire.say(offers_starttls ? "250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"
                               : "250-mx\r\n250 AUTH PLAIN\r\n");
    } else if (*line == "STARTTLS") {
      return true;
    } else if (line->starts_with("AUTH ")) {
      wire.say("235 welcome\r\n");
    } else if (*line == "DATA") {
      in_message = true;
      wire.say("354 go\r\n");
    } else if (*line == "QUIT") {
      return false;
    } else {
      wire.say("250 ok\r\n");
    }
  }
}

UniqueFd bound_socket(std::uint16_t& port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), any, length) != 0 || ::getsockname(fd.get(), any, &length) != 0) {
    throw std::runtime_error("no TCP on loopback");
  }
  port = ntohs(address.sin_port);
  return fd;
}

// All that is made once: certificates, servers that show them, ports.
class World {
 public:
  World() {
    for (std::size_t i = 0; i < kinds_shown; ++i) {
      peers_[i] = std::make_unique<BarePeer>(TLS_server_method());
      const Shown shown = static_cast<Shown>(i);
      if (shown == Shown::none) {
        peers_[i]->limit(TLS1_2_VERSION, TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(peers_[i]->context(), anonymous_suites);
        continue;
      }
      const Issued issued = certificate(shown);
      digests_[i] = tls::test::sha256(issued);
      files_.write("shown.pem", issued.both());
      peers_[i]->show(files_.path("shown.pem"));
    }
    too_old_.limit(TLS1_VERSION, TLS1_1_VERSION);
    files_.write("shown.pem", certificate(Shown::good).both());
    too_old_.show(files_.path("shown.pem"));
    if (::listen(listener_.get(), 8) != 0) throw std::runtime_error("cannot listen");
  }

  static constexpr const char* anonymous_suites = "AECDH-AES256-SHA:@SECLEVEL=0";

  BarePeer& peer(const Peer& kind) {
    return kind.does == Does::too_old ? too_old_ : *peers_[static_cast<std::size_t>(kind.shown)];
  }
  const std::string& digest(Shown shown) const { return digests_[static_cast<std::size_t>(shown)]; }
  std::string authority() const { return ours_.pem(); }
  std::string other_authority() const { return theirs_.pem(); }
  int listener() const { return listener_.get(); }
  std::uint16_t port_of(Again again) const {
    return again == Again::takes_mail ? port_ : dead_port_;
  }
  // What stands in `policies`, with what is made here filled in.
  std::string filled(std::string line) const {
    const auto fill = [&](std::string_view name, const std::string& value) {
      const std::size_t at = line.find(name);
      if (at != std::string::npos) line.replace(at, name.size(), value);
    };
    fill("{expired}", digest(Shown::expired));
    fill("{zeros}", std::string(96, '0'));
    fill("{other authority's key}", sha512_of_key(KeyKind::ed25519));
    fill("{ours}", der_of(ours_));
    return line;
  }

 private:
  Issued certificate(Shown shown) const {
    const bool theirs = shown == Shown::other_authority;
    std::vector<std::string> names;
    switch (shown) {
      case Shown::good:
      case Shown::other_authority:
      case Shown::expired:
      case Shown::none:
        names = {exchanger, destination_name};
        break;
      case Shown::exchangers:
        names = {exchanger};
        break;
      case Shown::destinations:
        names = {destination_name};
        break;
      case Shown::below:
        names = {"in." + destination_name};
        break;
      case Shown::strangers:
        names = {"stranger.test"};
        break;
    }
    return tls::test::issue({.extensions = {{NID_ext_key_usage, "serverAuth"}},
                             .dns_names = names,
                             .key = theirs ? KeyKind::ed25519 : KeyKind::ecdsa,
                             .until = (shown == Shown::expired ? -1 : 30) * tls::test::day / 2},
                            theirs ? &theirs_ : &ours_);
  }
  static std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      text += "0123456789abcdef"[bytes[i] >> 4];
      text += "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
  }
  static std::string sha512_of_key(KeyKind kind) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(tls::test::key(kind), &der);
    std::array<unsigned char, 64> digest{};
    EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), nullptr, EVP_sha512(), nullptr);
    OPENSSL_free(der);
    return hexadecimal(digest.data(), digest.size());
  }
  static std::string der_of(const Issued& issued) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(issued.certificate.get(), &der);
    std::string text = hexadecimal(der, static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return text;
  }

  Issued ours_ = tls::test::authority("ours");
  Issued theirs_ = tls::test::authority("theirs");
  ScratchFolder files_;
  std::array<std::unique_ptr<BarePeer>, kinds_shown> peers_;
  BarePeer too_old_{TLS_server_method()};
  std::array<std::string, kinds_shown> digests_;
  std::uint16_t port_ = 0;
  UniqueFd listener_ = bound_socket(port_);
  std::uint16_t dead_port_ = 0;
  UniqueFd nobody_ = bound_socket(dead_port_);  // never listens
};
World& world() {
  static World made;
  return made;
}

// The server of one cell, in a thread of its own.
class Speaker {
 public:
  Speaker(const Cell& cell, UniqueFd first) : cell_(cell), first_(std::move(first)) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    over_.reset(ends[0]);
    running_.reset(ends[1]);
    thread_ = std::thread([this] {
      first_call();
      first_.reset();
      second_call();
    });
  }
  ~Speaker() {
    if (thread_.joinable()) heard();
  }
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  const Heard& heard() {
    running_.reset();
    thread_.join();
    return heard_;
  }

 private:
  void first_call() {
    Wire wire(first_.get());
    if (cell_.port == smtps_port) return secure(wire);
    wire.say("220 mx\r\n");
    if (!speak(wire, heard_.clear, cell_.peer.does != Does::not_offered)) return;
    switch (cell_.peer.does) {
      case Does::refuses_for_now:
      case Does::refuses_for_good:
        wire.say(std::string(does_names[static_cast<std::size_t>(cell_.peer.does)]) + " no\r\n");
        speak(wire, heard_.clear, true);
        return;
      case Does::hangs_up:
        wire.say("421 no\r\n");
        return;
      case Does::injects:
        wire.say("220 go\r\n250 mx\r\n");
        wire.receive();
        return;
      default:
        wire.say("220 go\r\n");
        secure(wire);
    }
  }
  void secure(Wire& wire) {
    if (cell_.peer.does == Does::babbles || cell_.peer.does == Does::closes) {
      wire.receive();
      if (cell_.peer.does == Does::babbles) wire.say("220 no TLS here\r\n");
      return;
    }
    BarePeer& peer = world().peer(cell_.peer);
    peer.open(first_.get());
    if (peer.handshake()) {
      Wire inside(first_.get(), &peer);
      if (cell_.port == smtps_port) inside.say("220 mx\r\n");
      speak(inside, heard_.tls, true);
    }
    peer.close();
  }
  void second_call() {
    std::array<pollfd, 2> waiting{{{world().listener(), POLLIN, 0}, {over_.get(), POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents == 0) return;
    const UniqueFd call(::accept4(world().listener(), nullptr, nullptr, SOCK_CLOEXEC));
    Wire wire(call.get());
    wire.say("220 mx\r\n");
    speak(wire, heard_.again, true);
  }

  const Cell& cell_;
  UniqueFd first_, over_, running_;
  Heard heard_;
  std::thread thread_;
};

// --- the conversation ---

struct Outcome {
  Ending ending;
  Heard heard;
};

// What DNS says about the server on both ports.
std::vector<std::string> zone_of(const Policy& policy) {
  std::vector<std::string> zone;
  for (const std::uint16_t port : {smtp_port, smtps_port}) {
    for (const char* line : policy.dns.zone) {
      zone.push_back("_" + std::to_string(port) + "._tcp." + exchanger + " " +
                     world().filled(line));
    }
  }
  return zone;
}

Outcome deliver(const Cell& cell, const ControlDir& control, DnsClient& dns, int message) {
  auto wires = tls::test::make_wires();
  Speaker speaker(cell, std::move(wires.server));
  const Login login{{Secret("joe"), Secret("hunter2")},
                    "control/smtproutes has a password for " + destination_name};
  Manner manner{"client.test", std::chrono::seconds(30), control};
  manner.with_tls_words = true;
  if (cell.password != Password::none) manner.login = &login;
  manner.allow_insecure_auth = cell.password == Password::there_and_insecure_auth;
  ServerPolicies::Credentials credentials{manner.login != nullptr};
  if (cell.password == Password::there) credentials.demand = login.why;
  DomainPolicy domain{destination_name};
  if (auto found = PolicyFile::read(**control.numbered_list("tlspolicy"))->find(destination_name);
      *found) {
    domain.said = {(*found)->policy, "control/tlspolicy"};
  }
  const Server server{here, cell.port == smtps_port ? smtps_port : world().port_of(cell.peer.again),
                      exchanger};
  ::lseek(message, 0, SEEK_SET);
  const Mail mail{"alice@client.test", {{"bob@to.test"}}, message};
  Reports reports;
  Exchanger found{here, 0, exchanger};
  found.address_secure = cell.policy.dns.address_secure;
  found.mx_secure = cell.policy.dns.mx_secure;
  found.domain = destination_name;
  const auto policy = ServerPolicies(control, domain, credentials).of(found, cell.port, dns);
  if (!policy) {
    wires.client.reset();
    return {policy.error(), speaker.heard()};
  }
  // Nobody is to call twice on port 465; that it would be tried is seen in `then`.
  Ending ending = cell.port == smtps_port
                      ? Delivery(wires.client.get(), server, *policy, manner, mail, reports).run()
                      : converse(std::move(wires.client), server, *policy,
                                 {std::chrono::seconds(30)}, manner, mail, reports);
  wires.client.reset();
  return {std::move(ending), speaker.heard()};
}

// Where the mail went, by what was heard and reported.
std::string where(const Outcome& outcome) {
  const auto& [ending, heard] = outcome;
  std::string where;
  if (heard.clear.find("MAIL FROM") != std::string::npos) where += "in the clear";
  if (heard.again.find("MAIL FROM") != std::string::npos) where += "in the clear, second call";
  if (heard.tls.find("MAIL FROM") == std::string::npos) return where;
  where += "in TLS";
  for (const char* trust : {"untrusted", "fingerprint", "verified", "dane"}) {
    if (ending.report.text.find(std::string(" ") + trust + ".\n") != std::string::npos) {
      where.append(", ").append(trust);
    }
  }
  return where;
}

// What is wrong; empty: nothing.
std::string difference(const Cell& cell, const Outcome& outcome, const Expected& wanted) {
  const auto& [ending, heard] = outcome;
  const std::string& text = ending.report.text;
  if (where(outcome) != wanted.where) return "the mail went: " + where(outcome);
  const bool taken = !wanted.where.empty();
  if (ending.report.status != (taken ? MessageStatus::accepted : MessageStatus::temporary)) {
    return "status";
  }
  if (ending.then != wanted.then) return "who is called next";
  if (taken && !text.starts_with(here.text() + " accepted message.\nTLS: ")) return "report";
  if (wanted.where == "in the clear" && text.find("TLS: none.\n") == std::string::npos) {
    return "TLS in the report";
  }
  if (wanted.where == "in the clear, second call" &&
      text.find("TLS: none after a failed handshake.\n") == std::string::npos) {
    return "TLS in the report";
  }
  if (!text.starts_with(wanted.begins) || !text.ends_with(wanted.ends)) return "report";
  // A login goes with the mail, inside TLS unless that is waived, and never on a second call.
  const std::string& with_mail = wanted.where == "in the clear" ? heard.clear : heard.tls;
  const bool logged_in = (heard.clear + heard.tls + heard.again).find("AUTH ") != std::string::npos;
  if (logged_in != (taken && cell.password != Password::none)) return "login";
  if (logged_in && with_mail.find("AUTH ") > with_mail.find("MAIL ")) return "place of the login";
  if (cell.password != Password::there_and_insecure_auth &&
      (heard.clear + heard.again).find("AUTH ") != std::string::npos) {
    return "password in the clear";
  }
  if (heard.again.find("STARTTLS") != std::string::npos) return "STARTTLS on the second call";
  return {};
}

// --- all of them ---

void fill(const ScratchFolder& folder, const Policy& policy, const OldFiles& files) {
  folder.write("tlsca.pem", world().authority());
  folder.write("theirs.pem", world().other_authority());
  folder.write("tlshosts/unrelated.test.pem", "");
  folder.write("notlshosts/unrelated.test", "");
  if (files.pem) folder.write("tlshosts/" + exchanger + ".pem", world().authority());
  if (files.excluded) folder.write("notlshosts/" + exchanger, "");
  if (files.exhaustive) folder.write("tlshosts/exhaustivelist", "");
  folder.write("tlspolicy", "unrelated.test:none\n" +
                                (policy.line == nullptr ? std::string()
                                                        : destination_name + ":" +
                                                              world().filled(policy.line) + "\n"));
  folder.write("message", "hi\n");
}

class PolicyWorld : public testing::TestWithParam<std::size_t> {
 protected:
  // Cells of one set of old files.
  void try_all(const Policy& policy, const OldFiles& files) {
    const ScratchFolder plain;
    const ScratchFolder without_certificates;
    fill(plain, policy, files);
    fill(without_certificates, policy, files);
    without_certificates.write("tlsclientciphers", World::anonymous_suites);
    const UniqueFd message(::open(plain.path("message").c_str(), O_RDONLY | O_CLOEXEC));
    for (const std::uint16_t port : {smtp_port, smtps_port}) {
      for (const Peer& peer : peers_on(port)) {
        const auto& folder = peer.shown == Shown::none ? without_certificates : plain;
        for (const Password password :
             {Password::none, Password::there, Password::there_and_insecure_auth}) {
          const Cell cell{policy, files, peer, password, port};
          const Outcome outcome = deliver(cell, ControlDir(folder.path()), dns_, message.get());
          const Expected wanted = expected(cell, folder.path(), world().digest(peer.shown));
          const std::string wrong = difference(cell, outcome, wanted);
          ++cells_;
          if (wrong.empty() || ++wrong_ > 10) continue;
          ADD_FAILURE() << cell.text() << "\n  " << wrong << "\n  expected: "
                        << (wanted.where.empty() ? wanted.begins + "…" + wanted.ends : wanted.where)
                        << "\n  report: " << outcome.ending.report.text;
        }
      }
    }
  }

  NameServer name_server_{zone_of(policies[GetParam()])};
  DnsClient dns_{parse_name_server(name_server_.address())};
  std::size_t cells_ = 0;
  std::size_t wrong_ = 0;
};

constexpr std::size_t cells_of_a_policy = 8UL * 3 * (19 + 11);

TEST_P(PolicyWorld, EveryCell) {
  ::setenv("RES_OPTIONS", "timeout:5 attempts:1", 1);
  dns_.ask_for_security();
  const Policy& policy = policies[GetParam()];
  for (const bool pem : {false, true}) {
    for (const bool excluded : {false, true}) {
      for (const bool exhaustive : {false, true}) try_all(policy, {pem, excluded, exhaustive});
    }
  }
  EXPECT_EQ(cells_, cells_of_a_policy);
  EXPECT_EQ(wrong_, 0U);
}

INSTANTIATE_TEST_SUITE_P(World, PolicyWorld, testing::Range(std::size_t{0}, std::size(policies)),
                         [](const auto& row) {
                           const Policy& policy = policies[row.param];
                           std::string level = policy.line == nullptr ? "no_line" : policy.level;
                           std::replace(level.begin(), level.end(), '-', '_');
                           return std::to_string(row.param) + "_" + level;
                         });

TEST(PolicyWorldSize, AFewThousandCells) {
  EXPECT_EQ(std::size(policies) * cells_of_a_policy, 16560U);
}

}  // namespace
}  // namespace qmail::test
