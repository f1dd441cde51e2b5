// The programs' way to OpenSSL: nothing of it is mapped before load(), everything works after, and
// where it is not to be had load() says so. Run with a folder for scratch files; with "hidden" as a
// second argument OpenSSL has been hidden from the dynamic linker by the caller.
//
// No test framework: its main program would have libssl linked by the way.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <thread>

#include "qmail/control.h"
#include "qmail/unique_fd.h"
#include "tls/tls.h"

namespace {

using namespace qmail;

void need(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

bool is_mapped() {
  const auto maps = read_file("/proc/self/maps");
  need(maps && *maps, "reading /proc/self/maps");
  return (*maps)->find("libssl") != std::string::npos ||
         (*maps)->find("libcrypto") != std::string::npos;
}

Deadline soon() { return Deadline::after(std::chrono::seconds(10)); }

std::string exchange(const std::string& certificate_file) {
  auto server = tls::ServerContext::create({.certificate_file = certificate_file});
  need(server.has_value(), "server context");
  auto client = tls::ClientContext::create({});
  need(client.has_value(), "client context");
  int ends[2];
  need(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
  const UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  std::thread other([&] {
    auto session = server->accept(theirs.get(), theirs.get(), soon());
    need(session.has_value(), "accept");
    need(session->transport->write(std::string("hello"), soon()).has_value(), "write");
    session->transport->say_goodbye();
  });
  auto session = client->connect(ours.get(), ours.get(), soon());
  need(session.has_value(), "connect");
  char into[100];
  const auto got = session->transport->read(into, soon());
  other.join();
  need(got.has_value(), "read");
  return {into, *got};
}

}  // namespace

int main(int argc, char** argv) {
  need(argc >= 2, "usage: import_test CERTIFICATE [hidden]");
  const bool hidden = argc > 2 && std::strcmp(argv[2], "hidden") == 0;
  need(!is_mapped(), "OpenSSL is mapped before load()");
  const auto error = tls::load();
  if (hidden) {
    need(error.has_value(), "load() must fail");
    need(error->step == tls::TlsError::Step::library, "the step");
    need(error->detail.find("libssl.so.") != std::string::npos, error->detail.c_str());
    need(tls::load().has_value(), "load() must fail again");
    return 0;
  }
  need(!error, error ? error->detail.c_str() : "");
  need(!tls::load(), "load() a second time");
  need(is_mapped(), "OpenSSL is not mapped after load()");
  need(exchange(argv[1]) == "hello", "the exchange");
  return 0;
}
