// Plays the dialogues of tests/golden/smtpd against the built qmail-smtpd.
//
// The program runs as under tcpserver: descriptors 0 and 1 are one end of a socket pair, 2 is a
// pipe, the environment holds what the dialogue says and nothing else. Each file is one test; each
// dialogue in it is reported by name.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <regex>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <cdb.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "dialogue.h"
#include "golden_pki.h"
#include "qmail/unique_fd.h"
#include "scratch_dir.h"
#include "test_session.h"

namespace qmail::smtpd {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::string_literals::operator""s;

constexpr milliseconds patience(10000);

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), by);
    at += by.size();
  }
  return text;
}

// "1 Jan 2026 00:00:00 -0000", by the C library.
std::string date_text(std::time_t when) {
  std::array<char, 64> text{};
  std::tm parts{};
  ::gmtime_r(&when, &parts);
  std::strftime(text.data(), text.size(), "%d %b %Y %H:%M:%S -0000", &parts);
  return text[0] == '0' ? &text[1] : &text[0];
}

// --- the client ---

class Client {
 public:
  explicit Client(int fd) : fd_(fd) {
    const timeval limit{patience.count() / 1000, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }

  void send(const std::string& text, std::size_t piece) {
    for (std::size_t at = 0; at < text.size(); at += piece == 0 ? text.size() : piece) {
      const std::string part = text.substr(at, piece == 0 ? text.size() : piece);
      if (tls_) {
        tls_->send(part);
      } else {
        send_raw(part);
      }
    }
  }
  // The server may be gone: then the replies are missing, too.
  void send_raw(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t put = ::send(fd_.get(), text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (put <= 0) return;
      at += static_cast<std::size_t>(put);
    }
  }
  // Writes until nothing more goes for a while.
  void flood(const std::string& text) {
    pollfd entry{fd_.get(), POLLOUT, 0};
    while (::poll(&entry, 1, 300) == 1) {
      if (::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) <= 0) break;
    }
  }

  // A whole line, or what there was of it.
  std::string line() {
    const auto end = steady_clock::now() + patience;
    std::size_t at = 0;
    while ((at = in_.find('\n')) == std::string::npos) {
      if (!more(end)) return std::exchange(in_, {}) + (ended_ ? "(closed)" : "(no reply)");
    }
    std::string text = in_.substr(0, at + 1);
    in_.erase(0, at + 1);
    return text;
  }
  // Everything up to the end of the connection; TLS records of a failed handshake left out.
  std::string to_the_end() {
    const auto end = steady_clock::now() + patience;
    while (more(end)) {
    }
    std::string text = std::exchange(in_, {});
    if (!tls_) {
      while (text.size() >= 5 && text[0] >= 20 && text[0] <= 23 && text[1] == 3) {
        const auto length = static_cast<std::size_t>(static_cast<unsigned char>(text[3])) * 256 +
                            static_cast<unsigned char>(text[4]);
        text.erase(0, 5 + length);
      }
    }
    return text + (ended_ ? "" : "(not closed)");
  }
  std::string within(milliseconds time) {
    while (more(steady_clock::now() + time)) {
    }
    return std::exchange(in_, {});
  }

  // See tests/golden/smtpd/README. What happened: "TLSv1.3" or "handshake failed".
  std::string handshake(const std::string& how, const ScratchDir& dir) {
    auto peer = std::make_unique<tls::test::BarePeer>(TLS_client_method());
    std::string ciphers = "ECDHE-RSA-AES256-GCM-SHA384";
    std::string name;
    std::vector<std::string> words;
    for (std::size_t at = 0; at < how.size();) {
      const std::size_t end = std::min(how.find(' ', at), how.size());
      words.push_back(how.substr(at, end - at));
      at = end + 1;
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string& word = words[i];
      if (word == "1.2") peer->limit(TLS1_2_VERSION, TLS1_2_VERSION);
      if (word == "1.1") peer->limit(TLS1_1_VERSION, TLS1_1_VERSION);
      if (word == "1.3") peer->limit(TLS1_3_VERSION, TLS1_3_VERSION);
      if (word.find('-') != std::string::npos && word.front() != '@') ciphers = word;
      if (word == "as") peer->show(dir.put("client.pem", pem(words.at(i + 1))));
      if (word == "to") name = words.at(i + 1);
      if (word == "trusts") {
        SSL_CTX_load_verify_file(peer->context(),
                                 dir.put("roots.pem", pem(words.at(i + 1))).c_str());
        SSL_CTX_set_verify(peer->context(), SSL_VERIFY_PEER, nullptr);
      }
    }
    SSL_CTX_set_cipher_list(peer->context(), (ciphers + ":@SECLEVEL=0").c_str());
    SSL* ssl = peer->open(fd_.get());
    if (!name.empty()) SSL_set_tlsext_host_name(ssl, name.c_str());
    if (!peer->handshake()) return "handshake failed";
    tls_ = std::move(peer);
    return "done";
  }
  void end_tls() { SSL_shutdown(tls_->ssl()); }
  void half_close() { ::shutdown(fd_.get(), SHUT_WR); }
  void disconnect() {
    tls_.reset();
    fd_.reset();
  }
  bool connected() const { return static_cast<bool>(fd_); }

 private:
  // Takes in what comes until `end`; false when nothing did.
  bool more(steady_clock::time_point end) {
    if (ended_ || !fd_) return false;
    if (!tls_ || SSL_has_pending(tls_->ssl()) != 1) {
      const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
      pollfd entry{fd_.get(), POLLIN, 0};
      if (::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) != 1) return false;
    }
    std::string bytes;
    if (tls_) {
      bytes = tls_->receive();
    } else {
      std::array<char, 65536> buffer;
      const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (got > 0) bytes.assign(buffer.data(), static_cast<std::size_t>(got));
    }
    ended_ = bytes.empty();
    in_.append(bytes);
    return !ended_;
  }

  UniqueFd fd_;
  std::unique_ptr<tls::test::BarePeer> tls_;
  std::string in_;
  bool ended_ = false;
};

// --- the home, the queue program, qmail-smtpd ---

class Stage {
 public:
  explicit Stage(const Dialogue& dialogue) : dialogue_(dialogue) {
    if (!dialogue.home_missing) make_home();
    make_queue();
    if (!dialogue.arguments.empty()) make_checkpassword();
  }
  ~Stage() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      exit_status(milliseconds(1000));
    }
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  const ScratchDir& dir() const { return dir_; }

  // Starts the program; the client's end of its connection.
  int start() {
    std::array<int, 2> talk{};
    std::array<int, 2> log{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk.data()), 0);
    EXPECT_EQ(::pipe2(log.data(), O_CLOEXEC), 0);
    std::vector<std::string> variables = environment();
    std::vector<char*> pointers;
    for (std::string& variable : variables) pointers.push_back(variable.data());
    pointers.push_back(nullptr);
    std::string program = QMAIL_SMTPD;
    std::vector<std::string> words = dialogue_.arguments;
    std::vector<char*> arguments{program.data()};
    for (std::string& word : words) {
      word = replaced(word, "{DIR}", dir_.path());
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    started_ = std::time(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(talk[1], 0);
      ::dup2(talk[1], 1);
      ::dup2(dialogue_.log_to_client ? talk[1] : log[1], 2);
      ::close_range(3, ~0U, 0);
      if (dialogue_.descriptors) {
        const rlimit limit{*dialogue_.descriptors, *dialogue_.descriptors};
        ::setrlimit(RLIMIT_NOFILE, &limit);
      }
      if (!dialogue_.refused_call.empty()) refuse_call();
      ::execve(program.c_str(), arguments.data(), pointers.data());
      ::_exit(126);
    }
    ::close(talk[1]);
    ::close(log[1]);
    log_.reset(log[0]);
    return talk[0];
  }

  // -1 if it does not end.
  int exit_status(milliseconds limit) {
    for (const auto end = steady_clock::now() + limit; steady_clock::now() < end;) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
    return -1;
  }
  void wait_for_end() {
    siginfo_t info{};
    for (const auto end = steady_clock::now() + patience; steady_clock::now() < end;) {
      if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
          info.si_pid == pid_) {
        return;
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
  }
  void wait_for_queue() const {
    const std::string done = "spool/" + std::to_string(messages() == 0 ? 1 : messages()) + "/done";
    for (const auto end = steady_clock::now() + patience; steady_clock::now() < end;) {
      if (dir_.has(done)) break;
      std::this_thread::sleep_for(milliseconds(5));
    }
    std::this_thread::sleep_for(milliseconds(50));  // from its last word to its end
  }

  std::vector<std::string> log_lines() const {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(log_.get(), buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    std::vector<std::string> lines;
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size() - 1);
      lines.push_back(text.substr(0, end));
      text.erase(0, end + 1);
    }
    return lines;
  }

  // What the queue program was given whole, in order.
  std::vector<QueuedMessage> queued() const {
    std::vector<QueuedMessage> found;
    for (int n = 1; n <= messages(); ++n) {
      const std::string at = "spool/" + std::to_string(n) + "/";
      for (int i = 0; i < 2000 && !dir_.has(at + "done"); ++i) {
        std::this_thread::sleep_for(milliseconds(5));
      }
      EXPECT_EQ(dir_.get(at + "cwd"), std::filesystem::canonical(home()).string() + "\n");
      if (!dir_.has(at + "envelope") || dir_.get(at + "envelope").empty()) continue;
      QueuedMessage message{dir_.get(at + "envelope"), with_dates(dir_.get(at + "message"))};
      if (dir_.has(at + "relayclient")) message.relayclient = dir_.get(at + "relayclient");
      if (dir_.has(at + "authenticated")) message.authenticated = dir_.get(at + "authenticated");
      found.push_back(std::move(message));
    }
    return found;
  }
  // "250 ok TIME qp PID" of now and of the queue program last started becomes "<TIME>", "<PID>".
  std::string with_queue_numbers(const std::string& line) const {
    std::smatch match;
    if (!std::regex_match(line, match, std::regex("250 ok (\\d+) qp (\\d+)\r\n"))) return line;
    const std::time_t when = std::stol(match[1]);
    const std::string pid = dir_.get("spool/" + std::to_string(messages()) + "/pid");
    if (when < started_ || when > std::time(nullptr) || pid != match[2].str() + "\n") return line;
    return "250 ok <TIME> qp <PID>\r\n";
  }

 private:
  std::string home() const { return dir_.file("home"); }

  // As a service's or a container's sandbox does it.
  void refuse_call() const {
    const std::map<std::string, unsigned> numbers = {{"netlink", SYS_socket},
                                                     {"recvfrom", SYS_recvfrom},
                                                     {"sendto", SYS_sendto},
                                                     {"clone3", SYS_clone3},
                                                     {"pipe2", SYS_pipe2}};
    const unsigned number = numbers.at(dialogue_.refused_call);
    const auto load = [](std::size_t at) {
      return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<unsigned>(at)};
    };
    const auto unless = [](unsigned value, unsigned char skip) {
      return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, skip, value};
    };
    const auto give = [](unsigned verdict) { return sock_filter{BPF_RET | BPF_K, 0, 0, verdict}; };
    std::vector<sock_filter> filter = {load(offsetof(seccomp_data, nr)), unless(number, 1)};
    if (dialogue_.refused_call == "netlink") {
      filter = {load(offsetof(seccomp_data, nr)), unless(number, 3),
                load(offsetof(seccomp_data, args)), unless(AF_NETLINK, 1)};
    }
    filter.push_back(give(SECCOMP_RET_ERRNO | static_cast<unsigned>(dialogue_.refused_with)));
    filter.push_back(give(SECCOMP_RET_ALLOW));
    const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      ::_exit(125);
    }
  }

  int messages() const {
    int n = 0;
    while (dir_.has("spool/" + std::to_string(n + 1))) ++n;
    return n;
  }

  void make_home() const {
    dir_.put_directory("home/control");
    dir_.put("home/control/me", "mx.example.net\n");
    for (const auto& [name, file] : dialogue_.control) {
      const std::string path = "home/control/" + name;
      switch (file.kind) {
        case ControlFile::Kind::text:
          dir_.put(path, file.text);
          break;
        case ControlFile::Kind::certificates:
          dir_.put(path, pem(file.text));
          break;
        case ControlFile::Kind::directory:
          dir_.put_directory(path);
          break;
        case ControlFile::Kind::loop:
          std::filesystem::create_symlink(name, dir_.file(path));
          break;
        case ControlFile::Kind::fifo:
          std::filesystem::remove(dir_.file(path));
          ASSERT_EQ(::mkfifo(dir_.file(path).c_str(), 0644), 0);
          break;
        case ControlFile::Kind::cdb:
          make_cdb(dir_.file(path), file.text);
          break;
        case ControlFile::Kind::absent:
          std::filesystem::remove(dir_.file(path));
          break;
      }
    }
  }
  static void make_cdb(const std::string& path, std::string keys) {
    const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
    cdb_make maker{};
    ASSERT_EQ(cdb_make_start(&maker, fd.get()), 0);
    while (!keys.empty()) {
      const std::string key = keys.substr(0, keys.find(' '));
      ASSERT_EQ(cdb_make_add(&maker, key.data(), static_cast<unsigned>(key.size()), "", 0), 0);
      keys.erase(0, key.size() + 1);
    }
    ASSERT_EQ(cdb_make_finish(&maker), 0);
  }

  // Saves what it reads on descriptors 0 and 1 under spool/N, and ends as told.
  void make_queue() const {
    dir_.put_directory("spool");
    std::string script =
        "#!/bin/sh\nn=1; while ! mkdir '" + dir_.file("spool") +
        "'/$n 2>/dev/null; do n=$((n+1)); done\nd='" + dir_.file("spool") +
        "'/$n\necho $$ >$d/pid; pwd -P >$d/cwd\n"
        "test \"${RELAYCLIENT+set}\" && printf %s \"$RELAYCLIENT\" >$d/relayclient\n"
        "test \"${SMTPAUTHUSER+set}\" && "
        "echo $SMTPAUTHUSER $SMTPAUTHMETHOD $TCPREMOTEINFO >$d/authenticated\n";
    if (dialogue_.queue_reads) script += "cat >$d/message; cat <&1 >$d/envelope\n";
    script += ": >$d/done\ncase $n in\n";
    const std::vector<int>& exits = dialogue_.queue_exits;
    for (std::size_t i = 0; i < exits.size(); ++i) {
      script += i + 1 == exits.size() ? "*" : std::to_string(i + 1);
      script += exits[i] < 0 ? ") kill " + std::to_string(exits[i]) + " $$; sleep 5;;\n"
                             : ") exit " + std::to_string(exits[i]) + ";;\n";
    }
    script += "esac\n";
    const std::string path =
        dir_.put(dialogue_.queue_in_home ? "home/bin/qmail-queue" : "queue", script);
    EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  // joe@example.org's password is "secret".
  void make_checkpassword() const {
    const std::string path = dir_.put(
        "checkpassword",
        "#!/bin/sh\ncase $(tr '\\0' / <&3) in joe@example.org/secret//) exec \"$@\";; esac\n"
        "exit 1\n");
    EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  static std::string in_plugins(const std::string& text) {
    return replaced(text, "{PLUGINS}", std::string(GOLDEN_DIALOGUES) + "/plugins");
  }

  std::vector<std::string> environment() const {
    std::map<std::string, std::optional<std::string>> variables = {
        {"PATH", "/usr/bin:/bin"},    {"OPENSSL_CONF", "/dev/null"},
        {"QMAILHOME", home()},        {"QMAILQUEUE", dir_.file("queue")},
        {"TCPREMOTEIP", "192.0.2.7"}, {"TCPREMOTEHOST", "client.example.org"},
        {"TCPLOCALIP", "192.0.2.25"}, {"TCPLOCALHOST", "mx.example.net"},
    };
    if (dialogue_.queue_in_home) variables.erase("QMAILQUEUE");
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* value = std::getenv(name)) variables[name] = value;
    }
    for (const auto& [name, value] : dialogue_.environment) {
      variables[name] = value;
      if (value) variables[name] = replaced(in_plugins(*value), "{DIR}", dir_.path());
    }
    std::vector<std::string> list;
    for (const auto& [name, value] : variables) {
      if (value) list.push_back(name + "=" + *value);
    }
    return list;
  }

  std::string with_dates(const std::string& message) const {
    const std::size_t at = message.find("; ");
    if (at == std::string::npos) return message;
    for (std::time_t when = started_; when <= std::time(nullptr); ++when) {
      const std::string date = date_text(when);
      if (message.compare(at + 2, date.size() + 1, date + "\n") == 0) {
        std::string text = message;
        return text.replace(at + 2, date.size(), "<DATE>");
      }
    }
    return message;
  }

  const Dialogue& dialogue_;
  ScratchDir dir_;
  UniqueFd log_;
  pid_t pid_ = -1;
  std::time_t started_ = 0;
};

// --- a dialogue ---

void expect_match(const std::string& text, const std::string& pattern, const std::string& where) {
  EXPECT_TRUE(std::regex_match(text, std::regex(pattern)))
      << where << ": " << testing::PrintToString(text) << " does not match " << pattern;
}

// False: no use in going on.
bool play(const Step& step, Client& client, Stage& stage) {
  const std::string where = "line " + std::to_string(step.line);
  switch (step.kind) {
    case Step::Kind::send:
      client.send(step.text, step.count);
      break;
    case Step::Kind::expect:
      for (std::size_t i = 0; i < step.count; ++i) {
        const std::string line = stage.with_queue_numbers(client.line());
        EXPECT_EQ(line, step.text) << where;
        if (line != step.text) return false;
      }
      break;
    case Step::Kind::expect_match:
      expect_match(client.line(), step.text + "\r\n", where);
      break;
    case Step::Kind::tls: {
      const bool fails = step.text.ends_with("fails");
      const std::string done = client.handshake(step.text, stage.dir());
      EXPECT_EQ(done, fails ? "handshake failed" : "done") << where;
      return fails == (done == "handshake failed");
    }
    case Step::Kind::tls_ends:
      client.end_tls();
      break;
    case Step::Kind::raw:
      client.send_raw(step.text);
      break;
    case Step::Kind::silence:
      EXPECT_EQ(client.within(milliseconds(std::lround(std::stod(step.text) * 1000))), "") << where;
      break;
    case Step::Kind::sleep:
      std::this_thread::sleep_for(milliseconds(std::lround(std::stod(step.text) * 1000)));
      break;
    case Step::Kind::flood:
      client.flood(step.text);
      break;
    case Step::Kind::wait_queue:
      stage.wait_for_queue();
      break;
    case Step::Kind::wait_end:
      stage.wait_for_end();
      break;
    case Step::Kind::half_close:
      client.half_close();
      break;
    case Step::Kind::disconnect:
      client.disconnect();
      break;
    case Step::Kind::closed:
      EXPECT_EQ(client.to_the_end(), "") << where;
      break;
  }
  return true;
}

void play(const Dialogue& dialogue) {
  SCOPED_TRACE("line " + std::to_string(dialogue.line) + ": " + dialogue.name);
  Stage stage(dialogue);
  Client client(stage.start());
  for (const Step& step : dialogue.steps) {
    if (!play(step, client, stage)) return;
  }
  if (client.connected()) {
    client.half_close();
    const bool flooded = std::any_of(dialogue.steps.begin(), dialogue.steps.end(),
                                     [](const Step& s) { return s.kind == Step::Kind::flood; });
    EXPECT_TRUE(flooded || client.to_the_end().empty()) << "more at the end";
  }
  const bool quit = std::any_of(dialogue.steps.begin(), dialogue.steps.end(), [](const Step& step) {
    return step.kind == Step::Kind::expect && step.text.starts_with("221 ");
  });
  EXPECT_EQ(stage.exit_status(patience), dialogue.exit.value_or(quit ? 0 : 1)) << "exit status";

  const std::vector<QueuedMessage> queued = stage.queued();
  EXPECT_EQ(queued.size(), dialogue.queued.size()) << "messages with an envelope";
  for (std::size_t i = 0; i < std::min(queued.size(), dialogue.queued.size()); ++i) {
    EXPECT_EQ(queued[i].envelope, dialogue.queued[i].envelope);
    EXPECT_TRUE(queued[i].message == dialogue.queued[i].message)
        << "message " << i + 1 << " is "
        << testing::PrintToString(queued[i].message.substr(0, 2000));
    EXPECT_EQ(queued[i].relayclient, dialogue.queued[i].relayclient);
    EXPECT_EQ(queued[i].authenticated, dialogue.queued[i].authenticated);
  }
  const std::vector<std::string> log = stage.log_lines();
  EXPECT_EQ(log.size(), dialogue.log.size()) << testing::PrintToString(log);
  for (std::size_t i = 0; i < std::min(log.size(), dialogue.log.size()); ++i) {
    expect_match(log[i], "qmail-smtpd: \\d+ from [0-9a-z.:]+: (?:" + dialogue.log[i] + ")", "log");
  }
}

std::vector<std::string> golden_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(GOLDEN_DIALOGUES)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, Dialogues) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string path = std::string(GOLDEN_DIALOGUES) + "/" + GetParam() + ".txt";
  std::string text(static_cast<std::size_t>(std::filesystem::file_size(path)), '\0');
  std::FILE* in = std::fopen(path.c_str(), "rb");
  ASSERT_NE(in, nullptr);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), in), text.size());
  EXPECT_EQ(std::fclose(in), 0);
  const std::vector<Dialogue> dialogues = parse_dialogues(text);
  EXPECT_FALSE(dialogues.empty());
  for (const Dialogue& dialogue : dialogues) play(dialogue);
}

INSTANTIATE_TEST_SUITE_P(, Golden, testing::ValuesIn(golden_files()),
                         [](const auto& file) { return file.param; });

}  // namespace
}  // namespace qmail::smtpd
