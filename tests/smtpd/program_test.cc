// qmail-smtpd as it is started: descriptors that are not what tcpserver gives, signals that
// somebody left ignored, and what others see of the process.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <poll.h>
#include <pty.h>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "golden_pki.h"
#include "qmail/base64.h"
#include "qmail/unique_fd.h"
#include "scratch_dir.h"
#include "test_session.h"

namespace qmail::smtpd {
namespace {

constexpr int patience = 10000;  // milliseconds

// Both ends of something the client talks through.
struct Line {
  UniqueFd client_in;
  UniqueFd client_out;
  UniqueFd server_in;
  UniqueFd server_out;
};

std::pair<UniqueFd, UniqueFd> two(int ends[2]) { return {UniqueFd(ends[0]), UniqueFd(ends[1])}; }

std::pair<UniqueFd, UniqueFd> make_pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return two(ends);
}

std::pair<UniqueFd, UniqueFd> make_sockets() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return two(ends);
}

Line socket_line() {
  auto [client, server] = make_sockets();
  return {UniqueFd(::dup(client.get())), std::move(client), UniqueFd(::dup(server.get())),
          std::move(server)};
}

Line pipe_line() {
  auto [server_in, client_out] = make_pipe();
  auto [client_in, server_out] = make_pipe();
  return {std::move(client_in), std::move(client_out), std::move(server_in), std::move(server_out)};
}

Line socket_in_pipe_out() {
  Line line = pipe_line();
  auto [client, server] = make_sockets();
  line.client_out = std::move(client);
  line.server_in = std::move(server);
  return line;
}

Line terminal_line() {
  int master = -1;
  int slave = -1;
  EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  termios raw{};
  EXPECT_EQ(::tcgetattr(slave, &raw), 0);
  ::cfmakeraw(&raw);
  EXPECT_EQ(::tcsetattr(slave, TCSANOW, &raw), 0);
  return {UniqueFd(::dup(master)), UniqueFd(master), UniqueFd(::dup(slave)), UniqueFd(slave)};
}

class Program : public testing::Test {
 protected:
  Program() {
    dir_.put("control/me", "mx.example.net\n");
    // What the queue program sees of its descriptors, and then a message taken.
    dir_.put("queue", "#!/bin/sh\nls /proc/$$/fd >'" + dir_.file("seen") + "'\ncat >'" +
                          dir_.file("message") + "'; cat <&1 >/dev/null\n");
    ::chmod(dir_.file("queue").c_str(), 0755);
    ::chmod(dir_.path().c_str(), 0755);
    program_ = dir_.file("qmail-smtpd");
    std::filesystem::copy_file(QMAIL_SMTPD, program_);
  }
  ~Program() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  // `in_child`: last thing before the program, with descriptors 0, 1 and 2 in place.
  void start(
      Line line, int log, const std::function<void()>& in_child = [] {}) {
    const std::string home = "QMAILHOME=" + dir_.path();
    const std::string queue = "QMAILQUEUE=" + dir_.file("queue");
    std::vector<const char*> variables = {"PATH=/usr/bin:/bin", "OPENSSL_CONF=/dev/null",
                                          home.c_str(), queue.c_str()};
    std::vector<std::string> sanitizers;
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* value = std::getenv(name)) {
        sanitizers.push_back(std::string(name) + "=" + value);
      }
    }
    for (const std::string& variable : sanitizers) variables.push_back(variable.c_str());
    for (const std::string& variable : variables_) variables.push_back(variable.c_str());
    variables.push_back(nullptr);
    std::vector<const char*> arguments = {program_.c_str()};
    for (const std::string& argument : arguments_) arguments.push_back(argument.c_str());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      const int in = ::fcntl(line.server_in.get(), F_DUPFD, 10);
      const int out = ::fcntl(line.server_out.get(), F_DUPFD, 10);
      const int error = ::fcntl(log, F_DUPFD, 10);
      ::dup2(in, 0);
      ::dup2(out, 1);
      ::dup2(error, 2);
      ::close_range(3, ~0U, 0);
      in_child();
      ::execve(program_.c_str(), const_cast<char**>(arguments.data()),
               const_cast<char**>(variables.data()));
      ::_exit(126);
    }
    in_ = std::move(line.client_in);
    out_ = std::move(line.client_out);
  }

  void say(const std::string& text) const {
    EXPECT_EQ(::write(out_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string line() const {
    std::string text;
    char c = 0;
    while (!text.ends_with('\n') && next(c)) text.push_back(c);
    return text;
  }
  std::string to_the_end() const {
    std::string text;
    char c = 0;
    while (next(c)) text.push_back(c);
    return text;
  }
  void hang_up() { out_.reset(); }
  // -1: it does not end.
  int status() {
    for (int waited = 0; waited < patience; ++waited) {
      int status = -1;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return -1;
  }
  int pid() const { return pid_; }

  void deliver() const {
    EXPECT_EQ(line(), "220 mx.example.net ESMTP\r\n");
    deliver_greeted();
  }
  void deliver_greeted() const {
    say("MAIL FROM:<>\r\n");
    EXPECT_EQ(line(), "250 ok\r\n");
    say("RCPT TO:<a@example.com>\r\n");
    EXPECT_EQ(line(), "250 ok\r\n");
    say("DATA\r\n");
    EXPECT_EQ(line(), "354 go ahead\r\n");
    say(".\r\n");
    EXPECT_EQ(line().substr(0, 6), "250 ok");
  }
  void quit() const {
    say("QUIT\r\n");
    EXPECT_EQ(line(), "221 mx.example.net\r\n");
  }

  ScratchDir dir_;
  std::vector<std::string> arguments_;
  std::vector<std::string> variables_;

 private:
  bool next(char& c) const {
    pollfd entry{in_.get(), POLLIN, 0};
    return ::poll(&entry, 1, patience) == 1 && ::read(in_.get(), &c, 1) == 1;
  }

  std::string program_;
  UniqueFd in_;
  UniqueFd out_;
  pid_t pid_ = -1;
};

// --- the log is the connection ---

class LogInConnection : public Program {
 protected:
  // Something to log happens, and the client is to see nothing of it.
  void talk(Line (*make)()) {
    dir_.put("control/servercert.pem", "no certificate\n");
    Line line = make();
    const UniqueFd log(::dup(line.server_out.get()));
    start(std::move(line), log.get());
    EXPECT_EQ(Program::line(), "220 mx.example.net ESMTP\r\n");
    say("STARTTLS\r\n");
    EXPECT_EQ(Program::line().substr(0, 8), "454 TLS ");
    say("QUIT\r\n");
    EXPECT_EQ(Program::line(), "221 mx.example.net\r\n");
    EXPECT_EQ(status(), 0);
  }
};

TEST_F(LogInConnection, Socket) { talk(socket_line); }
TEST_F(LogInConnection, Pipes) { talk(pipe_line); }
TEST_F(LogInConnection, SocketInPipeOut) { talk(socket_in_pipe_out); }
TEST_F(LogInConnection, Terminal) { talk(terminal_line); }

TEST_F(Program, ARegularFileCanTakeRepliesAndLog) {
  dir_.put("control/servercert.pem", "no certificate\n");
  dir_.put("both", "");
  const int both = ::open(dir_.file("both").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  auto [server_in, client_out] = make_pipe();
  start({{}, std::move(client_out), std::move(server_in), UniqueFd(both)}, both);
  say("STARTTLS\r\n");
  hang_up();
  EXPECT_EQ(status(), 1);
  EXPECT_NE(dir_.get("both").find("454 TLS"), std::string::npos);
  EXPECT_NE(dir_.get("both").find("TLS failed"), std::string::npos);
}

// --- descriptors and signals ---

TEST_F(Program, AClosedInputIsNotTheNextFileThatIsOpened) {
  dir_.put("control/rcpthosts", "example.com\n");
  dir_.put("control/morercpthosts.cdb", "QUIT\r\n");
  start(socket_line(), 2, [] { ::close(0); });
  EXPECT_EQ(to_the_end(), "220 mx.example.net ESMTP\r\n");
  EXPECT_EQ(status(), 1);
}

TEST_F(Program, AClosedLogIsThereForTheQueueProgram) {
  start(socket_line(), 2, [] { ::close(2); });
  deliver();
  quit();
  EXPECT_EQ(status(), 0);
  EXPECT_TRUE(dir_.get("seen").starts_with("0\n1\n")) << dir_.get("seen");
  EXPECT_NE(dir_.get("seen").find("\n2\n"), std::string::npos) << dir_.get("seen");
}

TEST_F(Program, IgnoredSignals) {
  start(socket_line(), 2, [] {
    for (const int signal : {SIGCHLD, SIGPIPE}) static_cast<void>(std::signal(signal, SIG_IGN));
  });
  deliver();
  quit();
  EXPECT_EQ(status(), 0);
}

// --- packets ---

TEST_F(Program, CommandsSentInARowAreAnsweredInOnePacket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  UniqueFd client(ends[0]);
  UniqueFd server(ends[1]);
  const int fd = client.get();
  start({UniqueFd(::dup(fd)), std::move(client), UniqueFd(::dup(server.get())), std::move(server)},
        2);
  const auto packet = [fd] {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    return std::string(buffer.data(), static_cast<std::size_t>(got > 0 ? got : 0));
  };
  EXPECT_EQ(packet(), "220 mx.example.net ESMTP\r\n");
  say("NOOP\r\nRSET\r\nHELP\r\nwhat\r\nNOOP\r\n");
  EXPECT_EQ(packet(),
            "250 ok\r\n250 flushed\r\n214 netqmail home page: http://qmail.org/netqmail\r\n"
            "502 unimplemented (#5.5.1)\r\n250 ok\r\n");
}

// --- what others see ---

// The files in /proc of a process whose memory nobody may read are root's, whoever it runs as.
TEST_F(Program, MemoryIsHiddenOnceTheKeyIsInIt) {
  constexpr uid_t nobody = 65534;
  const uid_t user = ::getuid() == 0 ? nobody : ::getuid();
  const auto owner = [this] {
    struct stat status {};
    EXPECT_EQ(::stat(("/proc/" + std::to_string(pid()) + "/mem").c_str(), &status), 0);
    return status.st_uid;
  };
  dir_.put("control/servercert.pem", pem("@server @server-key"));
  start(socket_line(), 2, [user] {
    if (::getuid() == 0 && ::setuid(user) != 0) ::_exit(125);
  });
  EXPECT_EQ(line(), "220 mx.example.net ESMTP\r\n");
  EXPECT_EQ(owner(), user);
  say("STARTTLS\r\n");
  EXPECT_EQ(line(), "220 ready for tls\r\n");
  EXPECT_EQ(owner(), 0U);
}

// --- passwords ---

std::string content(const std::string& path) {
  std::string text;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    text.push_back(static_cast<char>(c));
  }
  static_cast<void>(std::fclose(file));
  return text;
}

// Everything in a process's memory that it can have written to: what a core file would hold.
std::string memory_of(int pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  const UniqueFd memory(::open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  std::string all;
  std::string maps = content(proc + "/maps");
  for (std::size_t end = 0; (end = maps.find('\n')) != std::string::npos; maps.erase(0, end + 1)) {
    unsigned long begin = 0;
    unsigned long behind = 0;
    char rights[5] = "";
    if (std::sscanf(maps.c_str(), "%lx-%lx %4s", &begin, &behind, rights) != 3) continue;
    if (rights[1] != 'w' || behind - begin > (1UL << 28)) continue;
    const std::size_t size = all.size();
    all.resize(size + (behind - begin));
    const ssize_t got =
        ::pread(memory.get(), all.data() + size, behind - begin, static_cast<off_t>(begin));
    all.resize(size + static_cast<std::size_t>(got > 0 ? got : 0));
  }
  return all;
}

class Password : public Program {
 protected:
  Password() {
    dir_.put("checkpassword",
             "#!/bin/sh\ncat <&3 >/dev/null\nenv >'" + dir_.file("variables") + "'\nexec \"$@\"\n");
    ::chmod(dir_.file("checkpassword").c_str(), 0755);
    arguments_ = {dir_.file("checkpassword"), "true"};
    variables_ = {"FORCETLS=0"};
    dir_.put("log", "");
    log_.reset(::open(dir_.file("log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  }
  // Where `secret`, or the end of its base64 form, was found; memory only if we may look there.
  std::string found_in(const std::string& secret, const std::string& encoded) const {
    std::string where;
    // Freeing memory overwrites its beginning only.
    const std::string end = secret.substr(secret.size() - std::min<std::size_t>(secret.size(), 20));
    const auto look = [&](const char* name, const std::string& text) {
      if (text.find(end) != std::string::npos) where.append(name).append(" ");
      if (text.find(encoded) != std::string::npos) where.append(name).append(" (base64) ");
    };
    const std::string proc = "/proc/" + std::to_string(pid());
    look("log", content(dir_.file("log")));
    look("arguments", content(proc + "/cmdline"));
    look("environment", content(proc + "/environ"));
    look("the program's environment", content(dir_.file("variables")));
    look("message", content(dir_.file("message")));
    if (::getuid() == 0) {
      const std::string memory = memory_of(pid());
      EXPECT_NE(memory.find("mx.example.net"), std::string::npos);  // it is the right one
      look("memory", memory);
    }
    return where;
  }

  void judge(const std::string& password) {
    const std::string encoded = base64_encoded(password);
    start(socket_line(), log_.get());
    EXPECT_EQ(line(), "220 mx.example.net ESMTP\r\n");
    say("AUTH LOGIN\r\n" + base64_encoded("joe") + "\r\n" + encoded + "\r\nNOOP\r\n");
    EXPECT_EQ(line(), "334 VXNlcm5hbWU6\r\n");
    EXPECT_EQ(line(), "334 UGFzc3dvcmQ6\r\n");
    EXPECT_EQ(line(), "235 ok, go ahead (#2.0.0)\r\n");
    EXPECT_EQ(line(), "250 ok\r\n");
    EXPECT_EQ(found_in(password, encoded), "");
    deliver_greeted();
    EXPECT_EQ(found_in(password, encoded), "");
    quit();
    EXPECT_EQ(status(), 0);
  }

  UniqueFd log_;
};

TEST_F(Password, IsNowhereAfterItWasJudged) {
  judge("Xyzzy-a-hollow-voice-says-in-the-colossal-cave-plugh-4711");
}
// Whoever is told that there is no AUTH for him has said his password all the same.
TEST_F(Password, IsNowhereThoughItWasNotAskedFor) {
  variables_.clear();
  start(socket_line(), log_.get());
  EXPECT_EQ(line(), "220 mx.example.net ESMTP\r\n");
  const std::string password = "Xyzzy-a-hollow-voice-says-in-the-colossal-cave-plugh-4711";
  const std::string encoded = base64_encoded(std::string("\0joe\0", 5) + password);
  say("AUTH PLAIN " + encoded + "\r\n");
  EXPECT_EQ(line(), "538 auth not available without TLS (#5.3.3)\r\n");
  EXPECT_EQ(found_in(password, encoded.substr(8, 24)), "");
  quit();
  EXPECT_EQ(status(), 0);
}

// Short enough for a string's own buffer.
TEST_F(Password, AShortOneIsNowhereEither) { judge("Plugh-73"); }

TEST_F(Password, IsNowhereAfterTls) {
  variables_.clear();
  dir_.put("control/servercert.pem", pem("@server @server-key"));
  Line line = socket_line();
  const int client = line.client_out.get();
  start(std::move(line), log_.get());
  EXPECT_EQ(Program::line(), "220 mx.example.net ESMTP\r\n");
  say("STARTTLS\r\n");
  EXPECT_EQ(Program::line(), "220 ready for tls\r\n");
  tls::test::BarePeer peer(TLS_client_method());
  peer.open(::dup(client));
  ASSERT_TRUE(peer.handshake());
  const std::string password = "Xyzzy-a-hollow-voice-says-in-the-colossal-cave-plugh-4711";
  const std::string encoded = base64_encoded(std::string("\0joe\0", 5) + password);
  peer.send("AUTH PLAIN " + encoded + "\r\n");
  EXPECT_EQ(peer.receive(), "235 ok, go ahead (#2.0.0)\r\n");
  EXPECT_EQ(found_in(password, encoded.substr(8, 24)), "");
  peer.send("QUIT\r\n");
  EXPECT_EQ(status(), 0);
}

TEST_F(Password, IsNowhereThoughItCameInPieces) {
  start(socket_line(), log_.get());
  EXPECT_EQ(line(), "220 mx.example.net ESMTP\r\n");
  const std::string password = "Xyzzy-a-hollow-voice-says-in-the-colossal-cave-plugh-4711";
  const std::string encoded = base64_encoded(std::string("\0joe\0", 5) + password);
  say("NOOP\r\nAUTH PLAIN " + encoded.substr(0, 40));
  EXPECT_EQ(line(), "250 ok\r\n");
  say(encoded.substr(40) + "\r\n");
  EXPECT_EQ(line(), "235 ok, go ahead (#2.0.0)\r\n");
  EXPECT_EQ(found_in(password, encoded.substr(8, 24)), "");
  quit();
  EXPECT_EQ(status(), 0);
}

}  // namespace
}  // namespace qmail::smtpd
