// A whole delivery of qmail-remote to an arbitrary server: the first byte chooses circumstances,
// the rest is all that the server ever says. What must hold:
//   - exactly one message report, behind at most one report for each recipient, in their order;
//   - K only if the reply to the final dot, counted here anew, is 2xx, and a recipient was
//   accepted;
//   - "Possible duplicate!" only if the final dot went out;
//   - when TLS is demanded nothing of the envelope or the message goes out in the clear.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "qmail-remote/delivery.h"
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

// The code of the reply number `wanted` (from 0), by the specification's words, one byte at a time.
std::optional<std::string> reply_code(std::string_view said, std::size_t wanted) {
  for (std::size_t reply = 0;; ++reply) {
    std::string code;
    for (bool goes_on = true; goes_on;) {
      if (said.size() < 4) return std::nullopt;
      if (code.empty()) code = said.substr(0, 3);
      goes_on = said[3] == '-';
      const std::size_t end = said.find('\n', 3);
      if (end == std::string_view::npos) return std::nullopt;
      said.remove_prefix(end + 1);
    }
    if (reply == wanted) return code;
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

std::string everything_sent(int socket) {
  std::string sent;
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t got = ::recv(socket, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got <= 0) return sent;
    sent.append(piece.data(), static_cast<std::size_t>(got));
  }
}

constexpr std::string_view message = "Subject: fuzz\n\n.hello\n";
constexpr std::string_view message_on_the_wire = "Subject: fuzz\r\n\r\n..hello\r\n.\r\n";
constexpr std::size_t longest_script = 60000;  // what a socket holds without anybody reading

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > longest_script) return 0;
  static const qmail::ControlDir control = control_directory();
  const bool demanded = (data[0] & 1) != 0;
  const std::size_t recipients = 1 + (data[0] >> 1 & 7);
  const std::string_view script(reinterpret_cast<const char*>(data) + 1, size - 1);

  int ends[2];
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  must(::send(theirs.get(), script.data(), script.size(), MSG_DONTWAIT | MSG_NOSIGNAL) ==
       static_cast<ssize_t>(script.size()));
  ::shutdown(theirs.get(), SHUT_WR);

  const UniqueFd stored(::memfd_create("message", MFD_CLOEXEC));
  must(::pwrite(stored.get(), message.data(), message.size(), 0) ==
       static_cast<ssize_t>(message.size()));
  Mail mail{"s@x.test", {}, stored.get()};
  for (std::size_t i = 0; i < recipients; ++i) mail.recipients.push_back({"u@y.test"});
  const Server server{qmail::IpAddress::v4({127, 0, 0, 1}), 25, demanded ? "tls.test" : "any.test"};
  const Manner manner{"client.test", std::chrono::seconds(5), control};
  Reports reports;
  const Ending ending = Delivery(ours.get(), server, manner, mail, reports).run();
  const UniqueFd report_file(::memfd_create("report", MFD_CLOEXEC));
  reports.finish(report_file.get(), ending.report.status, ending.report.text);

  std::string output(static_cast<std::size_t>(::lseek(report_file.get(), 0, SEEK_END)), '\0');
  must(::pread(report_file.get(), output.data(), output.size(), 0) ==
       static_cast<ssize_t>(output.size()));
  const Reported reported = parse(output);
  must(reported.recipients.size() <= recipients);

  const std::string sent = everything_sent(theirs.get());
  const std::size_t data_command = sent.find("\r\nDATA\r\n");
  const bool dot_sent = sent.find(message_on_the_wire) != std::string::npos;
  if (demanded) {
    must(sent.find("MAIL FROM") == std::string::npos && sent.find("RCPT TO") == std::string::npos);
    must(data_command == std::string::npos && sent.find("Subject") == std::string::npos);
    must(reported.message == 'Z');
  }
  if (reported.message == 'K') {
    must(dot_sent && data_command != std::string::npos);
    // One reply for the greeting, one for each command up to DATA, then the one that counts.
    std::size_t commands = 0;
    for (std::size_t at = 0; at <= data_command + 2; ++commands) at = sent.find("\r\n", at) + 2;
    const auto code = reply_code(script, commands + 1);
    must(code && (*code)[0] == '2' && (*code)[1] >= '0' && (*code)[1] <= '9');
    must(std::string_view(reported.recipients.data(), reported.recipients.size()).find('r') !=
         std::string_view::npos);
    must(reported.recipients.size() == recipients);
  }
  if (reported.text.starts_with(
          "Connected to 127.0.0.1 but connection died. Possible duplicate!")) {
    must(dot_sent);
  }
  must(!(ending.try_next && sent.find("MAIL FROM") != std::string::npos));
  return 0;
}
