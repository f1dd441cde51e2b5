// Golden dialogues: the built qmail-remote against scripted servers and a name server, over TCP and
// TLS, as tests/golden/remote/*.txt tell them (README.txt there describes the format).
//
// Each runs in a network namespace of its own, where every address of 192.0.2.0/24 and
// 2001:db8::/64 can be listened on, port 25 included; without root and without unprivileged user
// namespaces the dialogues are skipped, and say so.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <linux/rtnetlink.h>
#include <map>
#include <memory>
#include <mutex>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <poll.h>
#include <sched.h>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <openssl/objects.h>

#include "name_server.h"
#include "qmail/ip_address.h"
#include "qmail/transport.h"
#include "qmail/unique_fd.h"
#include "run_tests.h"
#include "scratch.h"
#include "test_pki.h"
#include "test_session.h"
#include "tls/tls.h"

namespace qmail::remote {
namespace {

using std::chrono::seconds;

// --- the world ---

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void bring_loopback_up() {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
  if (::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) fail("lo up");
}

// `ip route add local NETWORK/LENGTH dev lo`: deliverable here, yet no interface's address.
void route_to_here(int family, const char* network, unsigned char length) {
  struct {
    nlmsghdr header;
    rtmsg route;
    rtattr out_attribute;
    std::uint32_t out;
    rtattr to_attribute;
    in6_addr to;
  } message{};
  const std::size_t size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  message.header.nlmsg_len = static_cast<std::uint32_t>(offsetof(decltype(message), to) + size);
  message.header.nlmsg_type = RTM_NEWROUTE;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK;
  message.route.rtm_family = static_cast<unsigned char>(family);
  message.route.rtm_dst_len = length;
  message.route.rtm_table = RT_TABLE_LOCAL;
  message.route.rtm_protocol = RTPROT_STATIC;
  message.route.rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  message.route.rtm_type = RTN_LOCAL;
  message.out_attribute = {RTA_LENGTH(sizeof message.out), RTA_OIF};
  message.out = 1;  // lo
  message.to_attribute = {static_cast<unsigned short>(RTA_LENGTH(size)), RTA_DST};
  ::inet_pton(family, network, &message.to);
  const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct {
    nlmsghdr header;
    nlmsgerr outcome;
  } answer{};
  if (::send(fd.get(), &message, message.header.nlmsg_len, 0) < 0 ||
      ::recv(fd.get(), &answer, sizeof answer, MSG_TRUNC) < 0) {
    fail("route");
  }
  errno = -answer.outcome.error;
  if (errno != 0) fail("route");
}

// Why there is no world of our own, or nothing.
std::optional<std::string> enter_world() {
  if (::unshare(::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) != 0) {
    return std::string("no network namespace: ") + std::strerror(errno);
  }
  bring_loopback_up();
  route_to_here(AF_INET, "192.0.2.0", 24);
  route_to_here(AF_INET6, "2001:db8::", 64);
  return std::nullopt;
}

// --- the story ---

struct Section {
  std::string title;
  std::vector<std::string> lines;
};

// A word of `text`, which loses it.
std::string word(std::string& text) {
  const std::string found = text.substr(0, text.find(' '));
  text.erase(0, std::min(text.size(), found.size() + 1));
  return found;
}

std::vector<Section> read_story(const std::string& path) {
  std::ifstream file(path);
  std::vector<Section> sections;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("    ")) {
      sections.at(sections.size() - 1).lines.push_back(line.substr(4));
    } else {
      sections.push_back({line, {}});
    }
  }
  return sections;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// --- certificates, by the name that stories give them ---

class Certificates {
 public:
  // "ca", "other-ca": authorities. "mx.example.org": issued by ca for that name; with
  // "self-signed", "expired" or "other-ca" behind it what those say; "CN=name": a common name only;
  // "nobody": none.
  std::string pem(const std::string& name) {
    if (name == "ca") return ca_.pem();
    if (name == "other-ca") return other_.pem();
    return issued(name).both();
  }

 private:
  tls::test::Issued issued(std::string name) {
    const std::string subject = word(name);
    tls::test::Request request;
    if (subject.starts_with("CN=")) {
      request.subject = {{NID_commonName, subject.substr(3)}};
    } else if (subject != "nobody") {
      request.subject = {{NID_commonName, "somewhere.example.net"}};
      request.dns_names = {subject};
    } else {
      request.subject = {{NID_organizationName, "nobody"}};
    }
    if (name == "expired") request.until = -3600;
    const tls::test::Issued* issuer = name == "other-ca" ? &other_ : &ca_;
    return issue(request, name == "self-signed" ? nullptr : issuer);
  }

  tls::test::Issued ca_ = tls::test::authority("Golden CA");
  tls::test::Issued other_ = tls::test::authority("Another CA");
};

// --- servers ---

struct Target {
  std::string text;  // "127.0.0.10:25"
  UniqueFd listener;
  std::deque<std::vector<std::string>> scripts;  // one for each connection, in turn
};

UniqueFd listen_at(const std::string& text, int backlog = 8) {
  const std::size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon);
  const auto address = parse_ip_literal(host) ? parse_ip_literal(host) : parse_ip(host);
  const auto port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } to{};
  const bool v4 = address.value().family() == IpAddress::Family::v4;
  if (v4) {
    to.v4.sin_family = AF_INET;
    to.v4.sin_port = port;
    std::memcpy(&to.v4.sin_addr, address->bytes().data(), 4);
  } else {
    to.v6.sin6_family = AF_INET6;
    to.v6.sin6_port = port;
    std::memcpy(&to.v6.sin6_addr, address->bytes().data(), 16);
  }
  UniqueFd fd(::socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int one = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (!v4) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one);
  const socklen_t length = v4 ? sizeof to.v4 : sizeof to.v6;
  if (::bind(fd.get(), &to.any, length) != 0 || ::listen(fd.get(), backlog) != 0) fail(text);
  return fd;
}

// A server in whose queue there is no room left: a call to it is never answered.
struct Busy {
  explicit Busy(const std::string& text) : listener(listen_at(text, 0)) {
    sockaddr_in at{};
    socklen_t length = sizeof at;
    auto* const any = reinterpret_cast<sockaddr*>(&at);
    if (::getsockname(listener.get(), any, &length) != 0) fail(text);
    caller.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(caller.get(), any, length) != 0) fail(text);
  }
  UniqueFd listener;
  UniqueFd caller;
};

// One connection, by its script; throws what went otherwise.
class Session {
 public:
  Session(int fd, Certificates& certificates, const test::ScratchFolder& folder)
      : fd_(fd),
        transport_(std::make_unique<FdTransport>(fd, fd)),
        certificates_(certificates),
        folder_(folder) {}

  void play(const std::vector<std::string>& script) {
    for (std::string step : script) {
      const std::string line = step;
      const std::string what = word(step);
      if (what == "S") {
        // What PIPELINING allows is told by the lines before this one.
        if (!buffer_.empty()) throw std::runtime_error("sent before " + line + ": " + buffer_);
        say(step + "\r\n");
      } else if (what == "S...") {
        replace_all(step, "\\r\\n", "\r\n");
        say(step);
      } else if (what == "C") {
        expect(step);
      } else if (what == "Q") {
        expect_question(step);
      } else if (what == "tls") {
        start_tls(step);
      } else if (what == "tls-1.2-fails") {
        fail_tls_1_2(step);
        return;
      } else if (what == "stall") {
        stall();
        return;
      } else if (what == "from") {
        expect_from(step);
      } else if (what == "close") {
        return;
      } else if (what == "close-notify") {
        transport_->say_goodbye();
        return;
      } else if (what == "reset") {
        const linger now{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        return;
      } else {
        throw std::invalid_argument("unknown step: " + line);
      }
    }
    if (const auto more = read_line()) throw std::runtime_error("client went on: " + *more);
  }

 private:
  static Deadline soon() { return Deadline::after(seconds(10)); }

  void say(std::string_view text) {
    while (!text.empty()) {
      const auto put = transport_->write(text, soon());
      if (!put) throw std::runtime_error("cannot say: " + std::string(text));
      text.remove_prefix(*put);
    }
  }

  std::optional<std::string> read_line() {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) {
        const std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return line;
      }
      std::array<char, 65536> block{};
      const auto got = transport_->read(block, soon());
      if (!got || *got == 0) {
        if (buffer_.empty()) return std::nullopt;
        return std::exchange(buffer_, "") + " (no line end)";
      }
      buffer_.append(block.data(), *got);
    }
  }

  void expect(const std::string& wanted) {
    const auto line = read_line();
    if (line != wanted) {
      throw std::runtime_error("expected: " + wanted + "\ngot:      " + line.value_or("(gone)"));
    }
  }

  // A netstring (sendmail's socketmap protocol), and nothing else.
  void expect_question(const std::string& wanted) {
    const std::string whole = std::to_string(wanted.size()) + ":" + wanted + ",";
    std::string got;
    while (got.size() < whole.size()) {
      std::array<char, 4096> block{};
      const auto more = transport_->read(block, soon());
      if (!more || *more == 0) break;
      got.append(block.data(), *more);
    }
    if (got != whole) throw std::runtime_error("expected: " + whole + "\ngot:      " + got);
  }

  // Whatever the client says now, nobody answers; it has to give up.
  void stall() {
    std::array<char, 65536> block{};
    const Deadline limit = soon();
    for (;;) {
      const auto got = transport_->read(block, limit);
      if (got && *got > 0) continue;
      if (limit.passed()) throw std::runtime_error("the client waits for ever");
      return;
    }
  }

  void expect_from(const std::string& wanted) const {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &length) != 0) fail("getpeername");
    const auto address = IpAddress::of(reinterpret_cast<const sockaddr*>(&peer));
    if (address.value().text() != wanted) {
      throw std::runtime_error("came from " + address->text() + ", not " + wanted);
    }
  }

  void start_tls(const std::string& certificate) {
    if (!buffer_.empty()) throw std::runtime_error("before TLS: " + buffer_);
    tls::ServerSettings settings;
    folder_.write("server.pem", certificates_.pem(certificate));
    settings.certificate_file = folder_.path("server.pem");
    auto context = tls::ServerContext::create(settings);
    if (!context) throw std::runtime_error("certificate: " + context.error().detail);
    auto session = context->accept(fd_, fd_, soon());
    if (!session) throw std::runtime_error("handshake: " + session.error().detail);
    transport_ = std::move(session->transport);
  }

  void fail_tls_1_2(const std::string& certificate) {
    folder_.write("server.pem", certificates_.pem(certificate));
    tls::test::BarePeer peer(TLS_server_method());
    peer.limit(TLS1_2_VERSION, TLS1_2_VERSION);
    peer.show(folder_.path("server.pem"));
    peer.open(fd_);
    if (peer.handshake()) throw std::runtime_error("a handshake with TLS 1.2 succeeded");
  }

  int fd_;
  std::unique_ptr<Transport> transport_;
  Certificates& certificates_;
  const test::ScratchFolder& folder_;
  std::string buffer_;
};

// All servers of a story, in one thread: the client speaks to one at a time.
class Servers {
 public:
  Servers(std::vector<Target> targets, Certificates& certificates)
      : targets_(std::move(targets)), certificates_(certificates) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
    stop_[0].reset(ends[0]);
    stop_[1].reset(ends[1]);
    thread_ = std::thread([this] { serve(); });
  }
  ~Servers() { finish(); }
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // What went otherwise than told; empty if nothing did. The client has ended.
  std::string finish() {
    stop_[1].reset();
    if (thread_.joinable()) thread_.join();
    for (const Target& target : targets_) {
      if (!target.scripts.empty()) trouble_ += target.text + " was not called\n";
    }
    targets_.clear();
    return trouble_;
  }

 private:
  void serve() {
    for (;;) {
      std::vector<pollfd> fds{{stop_[0].get(), POLLIN, 0}};
      for (const Target& target : targets_) fds.push_back({target.listener.get(), POLLIN, 0});
      ::poll(fds.data(), fds.size(), -1);
      bool any = false;
      for (std::size_t i = 0; i < targets_.size(); ++i) {
        if (fds[i + 1].revents == 0) continue;
        any = true;
        answer(targets_[i]);
      }
      if (!any && fds[0].revents != 0) return;
    }
  }

  void answer(Target& target) {
    const UniqueFd fd(::accept4(target.listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const int one = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (target.scripts.empty()) {
      trouble_ += target.text + " was called once more\n";
      return;
    }
    const auto script = target.scripts.front();
    target.scripts.pop_front();
    try {
      Session(fd.get(), certificates_, folder_).play(script);
    } catch (const std::exception& error) {
      trouble_ += target.text + ": " + error.what() + "\n";
    }
  }

  std::vector<Target> targets_;
  Certificates& certificates_;
  test::ScratchFolder folder_;
  std::array<UniqueFd, 2> stop_;
  std::string trouble_;
  std::thread thread_;
};

// --- the client ---

struct Finished {
  std::string report;
  std::string on_descriptor_2;
  int status;
};

Finished run_remote(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& variables, const test::ScratchFolder& folder) {
  const UniqueFd in(::open(folder.path("message").c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd out(::open(folder.path("report").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const UniqueFd err(::open(folder.path("err").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  std::vector<const char*> argv{"qmail-remote"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  std::vector<const char*> environment;
  for (const std::string& variable : variables) environment.push_back(variable.c_str());
  environment.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in.get(), 0);
    ::dup2(out.get(), 1);
    ::dup2(err.get(), 2);
    ::execve(QMAIL_REMOTE, const_cast<char**>(argv.data()), const_cast<char**>(environment.data()));
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {folder.read("report"), folder.read("err"), status};
}

// --- the test ---

std::optional<std::string> no_world;

class GoldenTest : public testing::Test {
 public:
  explicit GoldenTest(std::string path) : path_(std::move(path)) {}

  void TestBody() override {
    if (no_world) GTEST_SKIP() << "SKIPPED: " << *no_world;
    for (const Section& section : read_story(path_)) take(section);
    folder_.write("message", message_);
    std::filesystem::create_directories(folder_.path("home/queue/lock"));
    if (!tcpto_.empty()) folder_.write("home/queue/lock/tcpto", tcpto_file(tcpto_));
    const test::NameServer names(zone_);
    variables_.push_back("QMAILHOME=" + folder_.path("home"));
    variables_.push_back("DNSCACHEIP=" + names.address());
    variables_.push_back("RES_OPTIONS=timeout:1 attempts:1");
    std::vector<Target> targets;
    for (auto& [text, scripts] : servers_) targets.push_back({text, listen_at(text), scripts});
    std::vector<Busy> busy(busy_.begin(), busy_.end());
    Servers servers(std::move(targets), certificates_);
    const auto begun = std::chrono::steady_clock::now();
    const Finished run = run_remote(arguments_, variables_, folder_);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(30)) << "no deadline of ours";
    EXPECT_EQ(servers.finish(), "");
    EXPECT_EQ(run.status, 0);
    EXPECT_EQ(run.on_descriptor_2, "");
    if (!tcpto_after_.empty()) {
      EXPECT_EQ(read_tcpto(), tcpto_after_);
    }
    std::string report = run.report;
    replace_all(report, std::string_view("\0", 1), "\\0\n");
    if (report_.find("...") == std::string::npos) {
      EXPECT_EQ(report, report_);
    } else {
      // "..." stands for the TLS library's words.
      const std::size_t dots = report_.find("...");
      EXPECT_TRUE(report.starts_with(report_.substr(0, dots))) << report;
      EXPECT_TRUE(report.ends_with(report_.substr(dots + 3))) << report;
    }
  }

 private:
  void take(const Section& section) {
    std::string title = section.title;
    const std::string kind = word(title);
    if (kind == "Control") {
      folder_.write("home/control/" + title, joined(section.lines));
    } else if (kind == "Pem") {
      const std::string file = word(title);
      folder_.write("home/control/" + file, certificates_.pem(title));
    } else if (kind == "Environment") {
      variables_ = section.lines;
    } else if (kind == "Arguments") {
      arguments_ = section.lines;
    } else if (kind == "Message") {
      message_ = joined(section.lines);
    } else if (kind == "Message-without-end") {
      message_ = joined(section.lines);
      message_.pop_back();
    } else if (kind == "Dns") {
      zone_ = section.lines;
    } else if (kind == "Server") {
      servers_[title].push_back(section.lines);
    } else if (kind == "Uncalled") {
      servers_[title];
    } else if (kind == "Busy") {
      busy_.push_back(title);
    } else if (kind == "Tcpto") {
      tcpto_ = section.lines;
    } else if (kind == "Tcpto-after") {
      tcpto_after_ = section.lines;
    } else if (kind == "Report") {
      report_ = joined(section.lines);
    } else {
      throw std::invalid_argument("unknown section: " + section.title);
    }
  }

  // queue/lock/tcpto from "ADDRESS COUNT" of each slot; the time-outs were noted four hours ago.
  static std::string tcpto_file(const std::vector<std::string>& lines) {
    std::string file;
    for (std::string line : lines) {
      const std::string address = word(line);
      const std::time_t when = std::time(nullptr) - 4 * 3600;
      std::string slot(16, '\0');
      slot.replace(0, 4, parse_ip(address).value().bytes());
      slot[4] = static_cast<char>(std::stoi(line));
      for (unsigned k = 0; k < 4; ++k) slot[8 + k] = static_cast<char>(when >> (8 * k));
      file += slot;
    }
    return file;
  }
  std::vector<std::string> read_tcpto() const {
    const std::string file = folder_.read("home/queue/lock/tcpto");
    std::vector<std::string> lines;
    for (std::size_t at = 0; at + 16 <= file.size(); at += 16) {
      std::array<char, INET_ADDRSTRLEN> text{};
      ::inet_ntop(AF_INET, &file[at], text.data(), text.size());
      lines.push_back(text.data() + std::string(" ") + std::to_string(file[at + 4]));
    }
    return lines;
  }

  std::string path_;
  test::ScratchFolder folder_;
  std::vector<std::string> busy_;
  std::vector<std::string> tcpto_;
  std::vector<std::string> tcpto_after_;
  Certificates certificates_;
  std::vector<std::string> variables_;
  std::vector<std::string> arguments_;
  std::vector<std::string> zone_;
  std::map<std::string, std::deque<std::vector<std::string>>> servers_;
  std::string message_ = "Subject: hello\n\n.text\n";
  std::string report_;
};

}  // namespace
}  // namespace qmail::remote

int main(int argc, char** argv) {
  using qmail::remote::GoldenTest;
  testing::InitGoogleTest(&argc, argv);
  std::vector<std::filesystem::path> stories;
  for (const auto& entry : std::filesystem::directory_iterator(GOLDEN_FOLDER)) {
    if (entry.path().extension() == ".txt" && entry.path().stem() != "README") {
      stories.push_back(entry.path());
    }
  }
  std::sort(stories.begin(), stories.end());
  for (const auto& story : stories) {
    std::string name = story.stem();  // in a filter of gtest `-` begins what is left out
    std::replace(name.begin(), name.end(), '-', '_');
    testing::RegisterTest("RemoteGolden", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [path = story.string()] { return new GoldenTest(path); });
  }
  if (!testing::GTEST_FLAG(list_tests)) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
      qmail::remote::no_world = qmail::remote::enter_world();
    } catch (const std::exception& error) {
      qmail::remote::no_world = error.what();
    }
    if (qmail::remote::no_world) std::cerr << "SKIPPED: " << *qmail::remote::no_world << "\n";
  }
  return qmail::test::run_tests();
}
