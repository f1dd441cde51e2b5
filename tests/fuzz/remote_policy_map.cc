// A delivery whose policy comes from a policy server (control/tlspolicymap): the first byte chooses
// circumstances, the second what the mail server is like, the rest is all that the policy server
// ever says. What must hold:
//   - a policy is used only if the policy server's bytes, read here anew, are a whole netstring
//     "OK POLICY", and none of its own only if they are "NOTFOUND …"; all else defers;
//   - what anybody but "none" and "may" asks for is TLS: then nothing of the envelope or the
//     message goes out in the clear, and with none of the servers here is there TLS to be had;
//   - with a password not even "none" lets anything out.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "qmail-remote/delivery.h"
#include "qmail-remote/domain_policy.h"
#include "qmail/ascii.h"
#include "qmail/unique_fd.h"

namespace {

using namespace qmail::remote;
using qmail::UniqueFd;

void must(bool condition) {
  if (!condition) std::abort();
}

// A folder for the sockets of this process.
const std::string& folder() {
  static const std::string path = [] {
    std::string name = std::filesystem::temp_directory_path() / "fuzz-map.XXXXXX";
    must(::mkdtemp(name.data()) != nullptr);
    return name;
  }();
  return path;
}

UniqueFd listening_at(const std::string& path) {
  UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  path.copy(at.sun_path, sizeof at.sun_path - 1);
  must(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  must(::listen(listener.get(), 1) == 0);
  return listener;
}

// Takes one connection, says `script`, and ends.
void answer(int listener, std::string_view script) {
  const UniqueFd client(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  std::array<char, 64> question{};
  static_cast<void>(::recv(client.get(), question.data(), question.size(), 0));
  static_cast<void>(::send(client.get(), script.data(), script.size(), MSG_NOSIGNAL));
  ::shutdown(client.get(), SHUT_WR);
  while (::recv(client.get(), question.data(), question.size(), 0) > 0) {
  }
}

// What a netstring at the start of `bytes` holds.
std::optional<std::string_view> netstring_in(std::string_view bytes) {
  const std::size_t colon = bytes.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon > 6) return std::nullopt;
  const std::string digits(bytes.substr(0, colon));
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  if (digits[0] == '0' && digits.size() > 1) return std::nullopt;
  const std::size_t length = std::stoul(digits);
  const std::string_view rest = bytes.substr(colon + 1);
  if (length > 100000 || rest.size() <= length || rest[length] != ',') return std::nullopt;
  return rest.substr(0, length);
}

// Servers with which no handshake comes about, said at once.
constexpr std::string_view mail_servers[] = {
    "220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n221 bye\r\n",
    "220 x\r\n250-x\r\n250 STARTTLS\r\n454 no\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n",
    "220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n",
    "220 x\r\n250-x\r\n250-AUTH PLAIN\r\n250 PIPELINING\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 "
    "go\r\n250 "
    "taken\r\n",
};

struct Outcome {
  Ending ending;
  std::string sent;
};

Outcome deliver(const TlsPolicy& policy, const Manner& manner, std::string_view script) {
  constexpr std::string_view message = "Subject: fuzz\n\nhello\n";
  int ends[2];
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  must(::send(theirs.get(), script.data(), script.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
       static_cast<ssize_t>(script.size()));
  ::shutdown(theirs.get(), SHUT_WR);
  const UniqueFd stored(::memfd_create("message", MFD_CLOEXEC));
  must(::pwrite(stored.get(), message.data(), message.size(), 0) ==
       static_cast<ssize_t>(message.size()));
  const Mail mail{"s@x.test", {{"u@y.test"}}, stored.get()};
  const Server peer{qmail::IpAddress::v4({127, 0, 0, 1}), 25, "mx.y.test"};
  Reports reports;
  Outcome outcome{Delivery(ours.get(), peer, policy, manner, mail, reports).run(), ""};
  ours.reset();
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = ::recv(theirs.get(), piece.data(), piece.size(), 0);
    if (got <= 0) return outcome;
    outcome.sent.append(piece.data(), static_cast<std::size_t>(got));
  }
}

// Read here anew: the word before the first separator.
bool lets_clear_text_through(std::string_view policy) {
  policy.remove_prefix(std::min(policy.find_first_not_of(" \t,"), policy.size()));
  const std::string level = qmail::to_lower(policy.substr(0, policy.find_first_of(" \t,:")));
  return level == "none" || level == "may" || level == "dane";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 110000) return 0;
  constexpr std::string_view defaults[] = {"", ":may\n", ":encrypt\n", ":none\n"};
  const std::string_view by_default = defaults[data[0] & 3];
  const bool logs_in = (data[0] & 4) != 0;
  const std::string_view script(reinterpret_cast<const char*>(data) + 2, size - 2);

  const std::string path = folder() + "/map";
  ::unlink(path.c_str());
  const UniqueFd listener = listening_at(path);
  std::thread server([&] { answer(listener.get(), script); });
  RemoteConfig config;
  config.timeout_remote = std::chrono::seconds(5);
  config.policies = *PolicyFile::read(qmail::parse_numbered_list(by_default));
  config.policy_map = SocketMap{SocketMap::Unix{path}, "postfix"};
  const auto domain = policy_for_domain("y.test", config);
  server.join();

  const auto reply = netstring_in(script);
  const bool known = reply && reply->starts_with("OK ");
  const bool unknown = reply && reply->starts_with("NOTFOUND ");
  if (!domain) {
    must(domain.error().status == MessageStatus::temporary && !unknown);
    must(domain.error().text.size() < 1000);
    return 0;
  }
  must(known || unknown);
  const std::string_view policy_text =
      known ? reply->substr(3) : by_default.substr(0, by_default.size() - !by_default.empty());
  const bool clear = (unknown && by_default.empty()) ||
                     lets_clear_text_through(unknown ? policy_text.substr(1) : policy_text);

  const Login login{{qmail::Secret("joe"), qmail::Secret("hunter2")}, "the test has a password"};
  Manner manner{"client.test", std::chrono::seconds(5), qmail::ControlDir(folder())};
  ServerPolicies::Credentials credentials;
  if (logs_in) {
    manner.login = &login;
    credentials = {true, login.why};
  }
  const qmail::IpAddress address = qmail::IpAddress::v4({127, 0, 0, 1});
  qmail::remote::DnsClient nobody(std::nullopt);  // the server's address is not secure
  const auto policy = ServerPolicies(manner.control, *domain, credentials)
                          .of({address, 0, "mx.y.test"}, 25, nobody);
  if (!policy) return 0;  // it has no name to be verified by, or the like: nobody is called
  must(clear || policy->demands_tls());
  must(!logs_in || (policy->demands_tls() && !policy->falls_back));
  const Outcome outcome = deliver(*policy, manner, mail_servers[data[1] & 3]);
  if (!clear || logs_in) {
    must(outcome.ending.report.status == MessageStatus::temporary);
    must(outcome.ending.then != Then::in_the_clear);
    for (const char* leak : {"MAIL FROM", "RCPT TO", "DATA\r\n", "Subject", "AUTH"}) {
      must(outcome.sent.find(leak) == std::string::npos);
    }
  }
  return 0;
}
