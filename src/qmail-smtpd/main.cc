// qmail-smtpd: receives mail by SMTP, in the clear and in TLS, for qmail-queue.
//
// Started by tcpserver for each connection: input on descriptor 0, output on 1, the log on 2.
// With the one argument --version it says its version instead. What is done here is what must be
// done before there is a Server; everything else is in smtpd_core.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "qmail-smtpd/config.h"
#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/log.h"
#include "qmail-smtpd/peer.h"
#include "qmail-smtpd/proxied_client.h"
#include "qmail-smtpd/replies.h"
#include "qmail-smtpd/server.h"
#include "qmail-smtpd/switches.h"
#include "qmail/control.h"
#include "qmail/deadline.h"
#include "qmail/environment.h"
#include "qmail/transport.h"
#include "tls/tls.h"

namespace {

using qmail::smtpd::EndSession;
using qmail::smtpd::Peer;
using qmail::smtpd::SmtpdConfig;
using qmail::smtpd::Switches;

constexpr int input = 0;
constexpr int output = 1;
constexpr int log_output = 2;

// A descriptor that was closed before we started would be given to the next file we open, and what
// is meant for the client or the log would end up there.
void fill_standard_descriptors() {
  for (const int fd : {input, output, log_output}) {
    if (::fcntl(fd, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

// inetd and its like give the connection, be it a socket, a pipe or a terminal, as descriptor 2 as
// well: what is meant for the log must not get between what the client reads, least of all inside
// TLS. It is lost there. (A regular file is not a client, and does no harm.)
void keep_log_from_client() {
  struct stat log {};
  if (::fstat(log_output, &log) != 0 || S_ISREG(log.st_mode)) return;
  for (const int fd : {input, output}) {
    struct stat client {};
    if (::fstat(fd, &client) == 0 && client.st_dev == log.st_dev && client.st_ino == log.st_ino) {
      ::close(log_output);
      fill_standard_descriptors();
      return;
    }
  }
}

// The end of a session that has not begun.
int refuse(std::string_view reply) {
  qmail::FdTransport transport(input, output);
  const auto deadline = qmail::Deadline::after(SmtpdConfig::default_timeout);
  if (reply.empty()) return 1;
  static_cast<void>(transport.write(reply, deadline));
  return 1;
}

int refuse(const qmail::smtpd::Log& log, const EndSession& end) {
  log.line(end.log_line);
  return refuse(end.reply);
}

int serve(const std::vector<std::string>& arguments) {
  using qmail::smtpd::unreadable_controls;
  std::optional<EndSession> trouble;
  const qmail::ControlDir control;
  if (!qmail::enter_home()) {
    trouble = unreadable_controls({"qmail's home", std::generic_category().message(errno)});
  } else if (qmail::environment_switch("PROXYPROTOCOL")) {
    // Before anything else looks at the environment, which tells of the proxy until then.
    trouble = qmail::smtpd::take_client_of_proxy(input, control);
  }
  const Peer peer = Peer::of_environment();
  const qmail::smtpd::Log log(log_output, peer.remote_ip);
  if (trouble) return refuse(log, *trouble);
  const Switches switches = Switches::of_environment(arguments);
  const auto config = SmtpdConfig::read(control, switches);
  if (!config) return refuse(log, unreadable_controls(config.error()));
  return qmail::smtpd::Server({input, output}, *config, peer, switches, control, log).run();
}

int say_version() {
  const std::string text = qmail::tls::version_text("qmail-smtpd", qmail::tls::load());
  return ::write(output, text.data(), text.size()) < 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Stays ignored in the queue program: a write to a pipe that nobody reads is an error, no death.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  // Ignored by whoever started us, it would keep the queue program's exit status from us.
  static_cast<void>(std::signal(SIGCHLD, SIG_DFL));
  fill_standard_descriptors();
  keep_log_from_client();
  try {
    if (argc == 2 && std::string_view(argv[1]) == "--version") return say_version();
    return serve({argv + std::min(argc, 1), argv + argc});
  } catch (const std::bad_alloc&) {
    return refuse(qmail::smtpd::reply::out_of_memory);
  } catch (...) {
    return refuse(qmail::smtpd::reply::unforeseen);
  }
}
