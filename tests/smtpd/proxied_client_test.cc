// The rules for a proxy's clients, as the real tcprules(1) makes them.
#include "qmail-smtpd/proxied_client.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include <cdb.h>
#include <gtest/gtest.h>

#include "qmail/environment.h"
#include "qmail/unique_fd.h"
#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

// The environment is the process's: each test has its own (ctest_each), and leaves it behind.
class ProxiedClient : public testing::Test {
 protected:
  ProxiedClient() {
    for (const auto& [name, value] :
         {std::pair("TCPREMOTEIP", "192.0.2.1"), std::pair("TCPREMOTEHOST", "proxy.example.net"),
          std::pair("RELAYCLIENT", "")}) {
      ::setenv(name, value, 1);
    }
    ::unsetenv("PROXYRULES");
    ::unsetenv("DATABYTES");
  }

  // The rules as tcprules has them from now on.
  void rules(const std::string& text) {
    dir_.put("rules", text);
    const std::string made = "tcprules '" + dir_.file("rules.cdb") + "' '" + dir_.file("tmp") +
                             "' <'" + dir_.file("rules") + "'";
    ASSERT_EQ(std::system(made.c_str()), 0);
    ::setenv("PROXYRULES", dir_.file("rules.cdb").c_str(), 1);
  }

  std::optional<EndSession> take(std::string_view header) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    const UniqueFd ours(ends[0]);
    UniqueFd theirs(ends[1]);
    EXPECT_EQ(::write(theirs.get(), header.data(), header.size()),
              static_cast<ssize_t>(header.size()));
    theirs.reset();
    auto trouble = take_client_of_proxy(ours.get(), ControlDir(dir_.path()));
    std::array<char, 100> rest{};
    const ssize_t left = ::read(ours.get(), rest.data(), rest.size());
    rest_.assign(rest.data(), left > 0 ? static_cast<std::size_t>(left) : 0);
    return trouble;
  }
  static std::string line(const std::string& address) {
    const bool six = address.find(':') != std::string::npos;
    return "PROXY " + (six ? "TCP6 " + address + " ::1" : "TCP4 " + address + " 203.0.113.1") +
           " 4000 25\r\n";
  }
  // RELAYCLIENT of a client of that address; "none" without, "denied" where it is sent away.
  std::string relayclient(const std::string& address) {
    const auto trouble = take(line(address));
    if (trouble && trouble->log_line.find("denied by") != std::string::npos) return "denied";
    EXPECT_FALSE(trouble) << trouble->log_line;
    return environment_variable("RELAYCLIENT").value_or("none");
  }

  ScratchDir dir_;
  std::string rest_;
};

TEST_F(ProxiedClient, IsWhomTheEnvironmentNames) {
  ::setenv("TCPREMOTEINFO", "ident", 1);
  ::setenv("TCPLOCALHOST", "mx.example.net", 1);
  EXPECT_FALSE(take("PROXY TCP4 198.51.100.9 203.0.113.1 4000 2525\r\nHELO x\r\n"));
  EXPECT_EQ(rest_, "HELO x\r\n");
  EXPECT_EQ(environment_variable("TCPREMOTEIP"), "198.51.100.9");
  EXPECT_EQ(environment_variable("TCPREMOTEPORT"), "4000");
  EXPECT_EQ(environment_variable("TCPLOCALIP"), "203.0.113.1");
  EXPECT_EQ(environment_variable("TCPLOCALPORT"), "2525");
  EXPECT_EQ(environment_variable("TCPLOCALHOST"), "mx.example.net");
  for (const char* gone : {"TCPREMOTEHOST", "TCPREMOTEINFO", "RELAYCLIENT"}) {
    EXPECT_FALSE(environment_variable(gone)) << gone;
  }
}

TEST_F(ProxiedClient, TheProxyItselfStaysButDoesNotRelay) {
  EXPECT_FALSE(take("PROXY UNKNOWN\r\n"));
  EXPECT_EQ(environment_variable("TCPREMOTEIP"), "192.0.2.1");
  EXPECT_EQ(environment_variable("TCPREMOTEHOST"), "proxy.example.net");
  EXPECT_FALSE(environment_variable("RELAYCLIENT"));
}

TEST_F(ProxiedClient, NothingIsSaidToWhoSendsNoHeader) {
  const auto trouble = take("EHLO a\r\n");
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->reply, "");
  EXPECT_EQ(trouble->log_line, "PROXY header: something else was sent");
  const auto nothing = take("");
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->log_line, "PROXY header: missing");
}

// No longer than timeoutsmtpd says, and never longer than five seconds.
TEST_F(ProxiedClient, IsNotWaitedForLongerThanAnybodyElse) {
  dir_.put("timeoutsmtpd", "1\n");
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const auto start = std::chrono::steady_clock::now();
  const auto trouble = take_client_of_proxy(ours.get(), ControlDir(dir_.path()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->log_line, "PROXY header: timed out");
}

TEST_F(ProxiedClient, RulesByAddress) {
  rules(
      "198.51.100.66:deny\n"
      "198.51.100.7:allow,RELAYCLIENT=\"@seven\",DATABYTES=\"50\"\n"
      "198.51.100.:allow,RELAYCLIENT=\"@net\"\n"
      "198.:allow,RELAYCLIENT=\"@198\"\n"
      "10.0.0.1-9:allow,RELAYCLIENT=\"@range\"\n"
      "=proxy.example.net:allow,RELAYCLIENT=\"@name\"\n");
  EXPECT_EQ(relayclient("198.51.100.7"), "@seven");
  EXPECT_EQ(environment_variable("DATABYTES"), "50");
  EXPECT_EQ(relayclient("198.51.100.8"), "@net");
  EXPECT_EQ(relayclient("198.51.101.8"), "@198");
  EXPECT_EQ(relayclient("10.0.0.5"), "@range");
  EXPECT_EQ(relayclient("10.0.0.10"), "none");
  EXPECT_EQ(relayclient("19.8.51.1"), "none");
  EXPECT_EQ(relayclient("198.51.100.66"), "denied");
  rules("198.:allow\n:allow,RELAYCLIENT=\"@rest\"\n");
  EXPECT_EQ(relayclient("198.51.100.66"), "none");
  EXPECT_EQ(relayclient("203.0.113.9"), "@rest");
  EXPECT_EQ(relayclient("2001:db8::9"), "@rest");
  rules(":deny\n");
  EXPECT_EQ(relayclient("203.0.113.9"), "denied");
}

TEST_F(ProxiedClient, RulesCountForTheProxyItselfToo) {
  rules("192.0.2.1:allow,RELAYCLIENT=\"@proxy\"\n");
  EXPECT_FALSE(take("PROXY UNKNOWN\r\n"));
  EXPECT_EQ(environment_variable("RELAYCLIENT"), "@proxy");
}

// tcprules of plain ucspi-tcp knows no IPv6 (its line ends at the first colon); where it does, it
// makes the keys that are made here.
TEST_F(ProxiedClient, RulesForIpv6) {
  rules("10.:allow\n");
  const std::string text =
      "2001:db8::9:allow,RELAYCLIENT=\"@nine\"\n"
      "2001:db8::allow,RELAYCLIENT=\"@net\"\n"
      ":allow,RELAYCLIENT=\"@rest\"\n";
  dir_.put("rules6", text);
  const std::string made = "tcprules '" + dir_.file("rules.cdb") + "' '" + dir_.file("tmp") +
                           "' <'" + dir_.file("rules6") + "' 2>/dev/null";
  if (std::system(made.c_str()) != 0) {
    const UniqueFd fd(::open(dir_.file("rules.cdb").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
    cdb_make maker{};
    ASSERT_EQ(cdb_make_start(&maker, fd.get()), 0);
    const auto add = [&](std::string_view key, std::string_view value) {
      const std::string data = "+RELAYCLIENT=" + std::string(value) + std::string(1, '\0');
      cdb_make_add(&maker, key.data(), static_cast<unsigned>(key.size()), data.data(),
                   static_cast<unsigned>(data.size()));
    };
    add("2001:db8::9", "@nine");
    add("2001:db8:", "@net");
    add("", "@rest");
    ASSERT_EQ(cdb_make_finish(&maker), 0);
  }
  EXPECT_EQ(relayclient("2001:db8::9"), "@nine");
  EXPECT_EQ(relayclient("2001:0DB8:0:0::9"), "@nine");
  EXPECT_EQ(relayclient("2001:db8::8"), "@net");
  EXPECT_EQ(relayclient("2001:db8:1:2:3:4:5:6"), "@net");
  EXPECT_EQ(relayclient("2001:db9::9"), "@rest");
}

TEST_F(ProxiedClient, RulesThatCannotBeRead) {
  for (const char* file : {"", "nowhere.cdb", "."}) {
    ::setenv("PROXYRULES", dir_.file(file).c_str(), 1);
    const auto trouble = take(line("198.51.100.9"));
    ASSERT_TRUE(trouble);
    EXPECT_EQ(trouble->reply, "421 unable to read controls (#4.3.0)\r\n");
  }
  rules("198.51.100.9:allow,RELAYCLIENT=\"\"\n");
  const std::string whole = dir_.get("rules.cdb");
  for (const std::size_t size : {0U, 1U, 2000U, 2050U, 2070U}) {  // the tables and slots at the end
    dir_.put("rules.cdb", whole.substr(0, size));
    const auto trouble = take(line("198.51.100.9"));
    ASSERT_TRUE(trouble) << size;
    EXPECT_EQ(trouble->log_line, "unable to read " + dir_.file("rules.cdb") + ": damaged database");
    EXPECT_FALSE(environment_variable("RELAYCLIENT"));
  }
  // A record that says it is longer than the file, or than any could be.
  constexpr std::size_t length_of_data = 2048 + 4;
  for (const char* length : {"\xff\xff\0\0", "\xff\xff\xff\x7f"}) {
    std::string damaged = whole;
    damaged.replace(length_of_data, 4, length, 4);
    dir_.put("rules.cdb", damaged);
    const auto trouble = take(line("198.51.100.9"));
    ASSERT_TRUE(trouble);
    EXPECT_EQ(trouble->log_line, "unable to read " + dir_.file("rules.cdb") + ": damaged database");
  }
}

}  // namespace
}  // namespace qmail::smtpd
