// qmail-remote HOST SENDER RECIPIENT...: sends the message on descriptor 0 by SMTP; reports on
// descriptor 1. The exit status is always 0, nothing is ever written to descriptor 2 (qmail-rspawn
// joins it to the report), and there is always exactly one message report: whatever was not
// foreseen is a deferral. With the one argument --version it says its version instead.
#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <new>
#include <string>
#include <string_view>
#include <unistd.h>

#include "qmail-remote/messages.h"
#include "qmail-remote/remote.h"
#include "qmail-remote/report.h"
#include "qmail-remote/tcpto.h"
#include "qmail/confinement.h"
#include "qmail/environment.h"
#include "tls/tls.h"

namespace {

using namespace qmail::remote;  // NOLINT(google-build-using-namespace): this is their main()

// For confine(): the report, from within a signal handler. It takes the place of every other one,
// none of which has been written yet.
[[noreturn]] void report_forbidden_call(int /*signal*/, siginfo_t* what, void* /*where*/) {
  std::array<char, text_forbidden_call.size() + text_forbidden_call_end.size() + 16> report{};
  auto* end = std::copy(text_forbidden_call.begin(), text_forbidden_call.end(), report.begin());
  end = std::to_chars(end, end + 12, what->si_syscall).ptr;
  end = std::copy(text_forbidden_call_end.begin(), text_forbidden_call_end.end(), end);
  *end++ = '\0';
  static_cast<void>(
      ::write(STDOUT_FILENO, report.data(), static_cast<std::size_t>(end - report.data())) < 0);
  ::_exit(0);
}

MessageReport run(int argc, char** argv, Reports& reports) {
  if (argc < 4) return failed(text_improper_use);
  if (!qmail::enter_home()) return deferred(text_no_home);
  qmail::hide_memory();
  if (!qmail::environment_asks("NOCONFINEMENT")) {
    qmail::confine(TimeoutTable::written_to, report_forbidden_call);
  }
  return send_mail({argv[1], argv[2], {argv + 3, argv + argc}, STDIN_FILENO}, reports);
}

}  // namespace

int main(int argc, char** argv) {
  Reports reports;
  try {
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
      const std::string text = qmail::tls::version_text("qmail-remote", qmail::tls::load());
      return ::write(STDOUT_FILENO, text.data(), text.size()) < 0 ? 1 : 0;
    }
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));  // cannot fail for SIGPIPE
    const MessageReport report = run(argc, argv, reports);
    reports.finish(STDOUT_FILENO, report.status, report.text);
  } catch (const std::bad_alloc&) {
    reports.finish(STDOUT_FILENO, MessageStatus::temporary, text_out_of_memory);
  } catch (...) {
    reports.finish(STDOUT_FILENO, MessageStatus::temporary, text_unforeseen);
  }
  // The report is out: nothing that libraries do at exit may change how we end.
  ::_exit(0);
}
