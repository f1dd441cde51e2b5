// A whole delivery of qmail-remote to an arbitrary server: the first byte chooses circumstances,
// the rest is all that the server ever says: as far as the first byte 2, else as far as its first
// "354", at once, the rest when the final dot has come. What must hold:
//   - exactly one message report, behind at most one report for each recipient, in their order;
//   - K only if the first reply that began behind the final dot, found here anew, is 2xx, and a
//   recipient was accepted;
//   - DATA in the flight of the recipients, QUIT in that of the dot and MAIL's parameters change
//   none of this;
//   - "Possible duplicate!" only if the final dot went out;
//   - when TLS is demanded (by a tlshosts file, control/tlspolicy or a password) nothing of the
//   envelope or the message goes out in the clear;
//   - with a login nothing of the envelope goes out before AUTH, AUTH not in the clear unless that
//   is
//     allowed, and no report has the password in it.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "qmail-remote/delivery.h"
#include "qmail-remote/server_policy.h"
#include "qmail/unique_fd.h"

namespace {

using namespace qmail::remote;
using qmail::UniqueFd;

void must(bool condition) {
  if (!condition) std::abort();
}

// A home whose TLS policy demands a verified "tls.test". What the PEM holds does not matter: no
// script can finish a handshake.
qmail::ControlDir control_directory() {
  std::string path = std::filesystem::temp_directory_path() / "fuzz-delivery.XXXXXX";
  must(::mkdtemp(path.data()) != nullptr);
  std::filesystem::create_directory(path + "/tlshosts");
  std::ofstream(path + "/tlshosts/tls.test.pem")
      << "-----BEGIN CERTIFICATE-----\n"
         "MIIBTzCB9qADAgECAhRZxKdSJ3DJUjCFxhQ1hBLFcKCWjDAKBggqhkjOPQQDAjAO\n-----END "
         "CERTIFICATE-----\n";
  return qmail::ControlDir(path);
}

// The code of the first reply that begins at `from` or later, by the specification's words, one
// byte at a time: a refusal in its last line outweighs a success in its first.
std::optional<std::string> code_of_reply_from(std::string_view said, std::size_t from) {
  for (std::size_t begin = 0, at = 0;;) {
    std::string code;
    std::string last;
    for (bool goes_on = true; goes_on;) {
      if (said.size() < at + 4) return std::nullopt;
      last = said.substr(at, 3);
      if (at == begin) code = last;
      goes_on = said[at + 3] == '-';
      const std::size_t end = said.find('\n', at + 3);
      if (end == std::string_view::npos) return std::nullopt;
      at = end + 1;
    }
    const bool refused = (last[0] == '4' || last[0] == '5') &&
                         last.find_first_not_of("0123456789") == std::string::npos;
    if (refused && code[0] == '2') code = last;
    if (begin >= from) return code;
    begin = at;
  }
}

struct Reported {
  std::vector<char> recipients;
  char message = 0;
  std::string text;
};

Reported parse(std::string_view output) {
  Reported reported;
  while (!output.empty()) {
    const std::size_t end = output.find('\0');
    must(end != std::string_view::npos && end > 0);
    must(reported.message == 0);  // nothing behind the message report
    const char letter = output[0];
    if (std::string_view("rhs").find(letter) != std::string_view::npos) {
      reported.recipients.push_back(letter);
    } else {
      must(std::string_view("KZD").find(letter) != std::string_view::npos);
      reported.message = letter;
      reported.text = output.substr(1, end - 1);
    }
    output.remove_prefix(end + 1);
  }
  must(reported.message != 0);
  return reported;
}

// What control/tlspolicy says, by two bits of the first byte.
ServerPolicies policies_for(const Manner& manner, std::uint8_t choice) {
  constexpr const char* said[] = {nullptr, "may", "encrypt", "secure"};
  const char* text = said[(choice >> 4 & 1) + (choice >> 6 & 2)];
  DomainPolicy domain{"y.test"};
  if (text != nullptr) domain.said = {*parse_policy(text), "control/tlspolicy"};
  ServerPolicies::Credentials credentials{manner.login != nullptr};
  if (credentials.any && !manner.allow_insecure_auth) credentials.demand = manner.login->why;
  return {manner.control, domain, credentials};
}

constexpr std::string_view password = "hunter2";
constexpr std::string_view message = "Subject: fuzz\n\n.hello\n";
constexpr std::string_view message_on_the_wire = "Subject: fuzz\r\n\r\n..hello\r\n.\r\n";
constexpr std::size_t longest_script = 60000;  // what a socket holds without anybody reading

// How much of the script is said before the final dot has come.
std::size_t first_part(std::string_view script) {
  const std::size_t mark = script.find('\x02');
  if (mark != std::string_view::npos) return mark + 1;
  const std::size_t go_ahead = script.find("\n354");
  if (go_ahead == std::string_view::npos) return script.size();
  return std::min(script.find('\n', go_ahead + 1), script.size() - 1) + 1;
}

// The rest of the script once the final dot has come, or at once when nothing more comes. Returns
// what was heard.
std::string listen(int socket, std::string_view rest) {
  std::string heard;
  std::array<char, 4096> piece{};
  for (bool ended = false;;) {
    pollfd entry{socket, POLLIN, 0};
    const bool quiet = ::poll(&entry, 1, 20) == 0;
    if (!ended && (quiet || rest.empty() || heard.find(message_on_the_wire) != std::string::npos)) {
      if (!quiet) ::send(socket, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      ::shutdown(socket, SHUT_WR);
      ended = true;
    }
    if (quiet) continue;
    const ssize_t got = ::recv(socket, piece.data(), piece.size(), 0);
    if (got <= 0) return heard;
    heard.append(piece.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > longest_script) return 0;
  static const qmail::ControlDir control = control_directory();
  const bool demanded = (data[0] & 1) != 0;
  const std::size_t recipients = 1 + (data[0] >> 1 & 7);
  const bool logs_in = (data[0] & 0x20) != 0;
  const bool insecure = (data[0] & 0x40) != 0;
  const bool hurries = (data[0] & 0x80) != 0;
  const std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);

  int ends[2];
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const std::size_t before_dot = first_part(script);
  must(::send(theirs.get(), script.data(), before_dot, MSG_DONTWAIT | MSG_NOSIGNAL) ==
       static_cast<ssize_t>(before_dot));
  if (before_dot == script.size()) ::shutdown(theirs.get(), SHUT_WR);
  std::string sent;
  std::thread server([&] { sent = listen(theirs.get(), script.substr(before_dot)); });

  const UniqueFd stored(::memfd_create("message", MFD_CLOEXEC));
  must(::pwrite(stored.get(), message.data(), message.size(), 0) ==
       static_cast<ssize_t>(message.size()));
  Mail mail{"s@x.test", {}, stored.get()};
  for (std::size_t i = 0; i < recipients; ++i) mail.recipients.push_back({"u@y.test"});
  const Server peer{qmail::IpAddress::v4({127, 0, 0, 1}), 25, demanded ? "tls.test" : "any.test"};
  const Login login{{qmail::Secret("joe"), qmail::Secret(password)}, "the test has a password"};
  Manner manner{"client.test", std::chrono::seconds(5), control};
  if (logs_in) manner.login = &login;
  manner.allow_insecure_auth = insecure;
  manner.pipelining = {hurries, hurries};
  manner.parameters = {hurries, hurries, hurries};
  Reports reports;
  qmail::remote::DnsClient nobody(std::nullopt);
  const auto policy =
      policies_for(manner, data[0]).of({peer.address, 0, peer.name}, peer.port, nobody);
  must(policy.has_value());
  const Ending ending = Delivery(ours.get(), peer, *policy, manner, mail, reports).run();
  ours.reset();
  server.join();
  const UniqueFd report_file(::memfd_create("report", MFD_CLOEXEC));
  reports.finish(report_file.get(), ending.report.status, ending.report.text);

  std::string output(static_cast<std::size_t>(::lseek(report_file.get(), 0, SEEK_END)), '\0');
  must(::pread(report_file.get(), output.data(), output.size(), 0) ==
       static_cast<ssize_t>(output.size()));
  const Reported reported = parse(output);
  // Whoever calls again in the clear has sent nothing, and never has a password to lose.
  if (ending.then == Then::in_the_clear) {
    must(policy->falls_back && !logs_in && sent.find("MAIL FROM") == std::string::npos);
  }
  must(reported.recipients.size() <= recipients);

  const std::size_t data_command = sent.find("\r\nDATA\r\n");
  const bool dot_sent = sent.find(message_on_the_wire) != std::string::npos;
  if (logs_in) {
    const std::size_t auth = sent.find("AUTH ");
    must(sent.find("MAIL FROM") == std::string::npos || auth < sent.find("MAIL FROM"));
    must(insecure || auth == std::string::npos);
    if (script.find(password) == std::string_view::npos) {
      must(output.find(password) == std::string::npos);
    }
  }
  if (demanded || policy->demands_tls()) {
    must(sent.find("MAIL FROM") == std::string::npos && sent.find("RCPT TO") == std::string::npos);
    must(data_command == std::string::npos && sent.find("Subject") == std::string::npos);
    must(reported.message == 'Z');
  }
  if (reported.message == 'K') {
    must(dot_sent && data_command != std::string::npos);
    const auto code = code_of_reply_from(script, before_dot);
    must(code && (*code)[0] == '2' && (*code)[1] >= '0' && (*code)[1] <= '9');
    must(std::string_view(reported.recipients.data(), reported.recipients.size()).find('r') !=
         std::string_view::npos);
    must(reported.recipients.size() == recipients);
  }
  if (reported.text.starts_with(
          "Connected to 127.0.0.1 but connection died. Possible duplicate!")) {
    must(dot_sent);
  }
  must(!(ending.then == Then::try_next && sent.find("MAIL FROM") != std::string::npos));
  return 0;
}
