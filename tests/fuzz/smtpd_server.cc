// The whole Server over two files in memory: the input is what a client sends, the queue program
// cannot be run. What must hold: the output is a sequence of well-formed replies, not more of them
// than there were lines; nothing is ever said to be queued; the exit status is 0 after QUIT's reply
// and 1 otherwise; no TLS is begun without a certificate; where errors are limited there are not
// more of them. (The length of the input chooses the limit.)
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include "qmail-smtpd/log.h"
#include "qmail-smtpd/server.h"
#include "qmail/unique_fd.h"

namespace {

using namespace qmail::smtpd;

void must(bool condition) {
  if (!condition) std::abort();
}

std::string content(int fd) {
  std::string text(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  must(::pread(fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const qmail::UniqueFd in(::memfd_create("in", MFD_CLOEXEC));
  const qmail::UniqueFd out(::memfd_create("out", MFD_CLOEXEC));
  const qmail::UniqueFd log_file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  must(::pwrite(in.get(), data, size, 0) == static_cast<ssize_t>(size));

  SmtpdConfig config;
  config.greeting = "here.test";
  config.recipient_hosts = RecipientHosts({"here.test"});
  config.databytes = 1000;
  const Peer peer;
  Switches switches;
  switches.queue_program = "/nonexistent/qmail-queue";
  switches.most_errors = static_cast<std::uint32_t>(size % 8);
  const qmail::ControlDir control("/nonexistent");
  const Log log(log_file.get(), peer.remote_ip);
  Server server({in.get(), out.get()}, config, peer, switches, control, log);
  const int status = server.run();

  std::string_view replies;
  const std::string output = content(out.get());
  replies = output;
  std::size_t count = 0;
  std::size_t errors = 0;
  std::string_view last;
  while (!replies.empty()) {
    const std::size_t end = replies.find("\r\n");
    must(end != std::string_view::npos && end >= 4);
    last = replies.substr(0, end);
    replies.remove_prefix(end + 2);
    must(last[0] >= '2' && last[0] <= '5' && last[1] >= '0' && last[1] <= '9' && last[2] >= '0' &&
         last[2] <= '9' && (last[3] == ' ' || last[3] == '-'));
    if (last[3] == ' ') ++count;
    if (last[0] >= '4') ++errors;
    must(last.find(" qp ") == std::string_view::npos && !last.starts_with("220 ready"));
  }
  must(!last.empty() && last[3] == ' ');
  std::size_t lines = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n') ++lines;
  }
  must(count <= lines + 2);  // the greeting, and one of the last words
  // A message's error is told before the last words.
  must(switches.most_errors == 0 || errors <= switches.most_errors + 1);
  must((status == 0) == last.starts_with("221 "));
  return 0;
}
