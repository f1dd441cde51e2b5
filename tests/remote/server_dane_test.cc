// What is asked of TLS where control/tlspolicy says dane or dane-only: every combination of what
// DNS says and what else has a say, against the rules of qmail-control-tls(5) written down a second
// time.
#include <gtest/gtest.h>

#include "name_server.h"
#include "policy_text.h"
#include "qmail-remote/server_policy.h"
#include "scratch.h"

namespace qmail::remote {
namespace {

using test::level_text;
using test::said_by_file;

const std::string digest(64, 'a');  // 32 bytes
const IpAddress address = *parse_ip("192.0.2.1");

enum class Records { none, unusable, usable, some_usable, trouble };

struct Circumstances {
  bool only;  // dane-only
  Records records;
  bool mx_secure, address_secure;
  bool pem, excluded;
  bool login;
  std::uint16_t port;

  std::string name() const {
    constexpr const char* names[] = {"none", "unusable", "usable", "some", "trouble"};
    return std::string(names[static_cast<int>(records)]) + ".test";
  }
  std::string text() const {
    return (only ? "dane-only " : "dane ") + name() + (mx_secure ? "" : " forged MX") +
           (address_secure ? "" : " forged address") + (pem ? " pem" : "") +
           (excluded ? " excluded" : "") + (login ? " login" : "") + " " + std::to_string(port);
  }
};

std::vector<std::string> zone() {
  std::vector<std::string> lines;
  for (const char* port : {"25", "465", "587"}) {
    const std::string start = "_" + std::string(port) + "._tcp.";
    const std::string good = " TLSA 3 1 1 " + digest;
    const std::string bad = " TLSA 1 1 1 " + digest;
    const std::string unreadable = " TLSA 3 0 0 3000";
    for (const char* name : {"unusable.test", "usable.test", "some.test"}) {
      lines.push_back(start + name + " = SECURE");
    }
    lines.insert(lines.end(),
                 {start + "unusable.test" + bad, start + "unusable.test" + unreadable,
                  start + "usable.test" + good, start + "some.test" + good,
                  start + "some.test" + unreadable, start + "trouble.test = SERVFAIL"});
  }
  return lines;
}

std::string outcome_of(const Circumstances& c, const ControlDir& control, DnsClient& dns) {
  const DomainPolicy domain{"to.test",
                            said_by_file(c.only ? "dane-only" : "dane servername=x.test")};
  ServerPolicies::Credentials credentials{c.login};
  if (c.login) credentials.demand = "control/smtproutes has a password for to.test";
  ServerPolicies policies(control, domain, credentials);
  EXPECT_TRUE(policies.need_dns());
  const Exchanger server{address,          10,       c.name(),  c.mx_secure,
                         c.address_secure, c.name(), "end.test"};
  const auto policy = policies.of(server, c.port, dns);
  if (policy) return level_text(*policy);
  return policy.error().report.text + (policy.error().then == Then::give_up ? "end" : "next");
}

std::string expected_of(const Circumstances& c, const std::string& folder) {
  const std::string connecting = "; connecting to 192.0.2.1.\n";
  const std::string old_files =
      "TLS forbidden by control/notlshosts/" + c.name() + " or control/tlshosts/exhaustivelist";
  const std::string why =
      std::string("control/tlspolicy says ") + (c.only ? "dane-only" : "dane") + " for to.test";
  if (c.pem) return "host's file or end: " + folder + "/tlshosts/" + c.name() + ".pem exists";

  const Records records = c.address_secure ? c.records : Records::none;
  if (records == Records::trouble) {
    return "TLS unable to look up TLSA records of " + c.name() + connecting + "next";
  }
  const bool usable = records == Records::usable || records == Records::some_usable;
  if (c.only && records == Records::unusable) {
    return "No usable TLSA records for " + c.name() + " while " + why + connecting + "next";
  }
  if (c.only && (!usable || !c.mx_secure)) {
    return "No secure TLSA records for " + c.name() + " while " + why + connecting + "next";
  }
  if (records != Records::none) {
    if (c.excluded) return old_files + " while " + why + connecting + "next";
    if (records == Records::unusable) return "encrypt or next: " + why;
    return "records1 of " + c.name() + " for to.test end.test" +
           (c.mx_secure ? "" : " by hearsay") + " or next: " + why;
  }
  if (c.login) {
    const std::string password = "control/smtproutes has a password for to.test";
    if (c.excluded) return old_files + " while " + password + connecting + "next";
    return "encrypt or next: " + password;
  }
  if (!c.excluded) return "may, falls back";
  if (c.port != 465) return "never";
  return old_files + ", but port 465 speaks nothing else" + connecting + "end";
}

TEST(Dane, EveryCombination) {
  ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
  const test::NameServer server(zone());
  DnsClient dns(parse_name_server(server.address()));
  dns.ask_for_security();
  int cells = 0;
  const auto each_of_dns = [&](Circumstances c, const ControlDir& control,
                               const std::string& folder) {
    for (int bits = 0; bits < 16; ++bits) {
      c.only = (bits & 1) != 0;
      c.mx_secure = (bits & 2) != 0;
      c.address_secure = (bits & 4) != 0;
      c.login = (bits & 8) != 0;
      for (const std::uint16_t port : {std::uint16_t{25}, std::uint16_t{465}, std::uint16_t{587}}) {
        c.port = port;
        const int before = server.questions();
        EXPECT_EQ(outcome_of(c, control, dns), expected_of(c, folder)) << c.text();
        EXPECT_EQ(server.questions() > before, !c.pem && c.address_secure) << c.text();
        ++cells;
      }
    }
  };
  for (const Records records : {Records::none, Records::unusable, Records::usable,
                                Records::some_usable, Records::trouble}) {
    for (int files = 0; files < 4; ++files) {
      Circumstances c{};
      c.records = records;
      c.pem = (files & 1) != 0;
      c.excluded = (files & 2) != 0;
      const test::ScratchFolder folder;
      folder.write("tlshosts/unrelated", "");
      if (c.pem) folder.write("tlshosts/" + c.name() + ".pem", "");
      if (c.excluded) folder.write("notlshosts/" + c.name(), "");
      each_of_dns(c, ControlDir(folder.path()), folder.path());
    }
  }
  EXPECT_EQ(cells, 5 * 4 * 16 * 3);
}

// What an authority may vouch for, and what is sent as SNI.
TEST(Dane, Names) {
  const test::NameServer server(
      {"_25._tcp.end.test TLSA 2 0 1 " + digest, "_25._tcp.end.test = SECURE"});
  DnsClient dns(parse_name_server(server.address()));
  dns.ask_for_security();
  const test::ScratchFolder folder;
  ServerPolicies policies(ControlDir(folder.path()), {"to.test", said_by_file("dane")}, {});
  const auto names = [&](const Exchanger& exchanger) {
    const auto policy = policies.of(exchanger, 25, dns);
    const auto& tlsa = std::get<tls::Tlsa>(policy->verification);
    std::string text = policy->server_name + ":";
    for (const std::string& name : tlsa.names) text += " " + name;
    return text;
  };
  EXPECT_EQ(names({address, 0, "Mx.Test.", true, true, "end.test", ""}), "end.test: Mx.Test");
  EXPECT_EQ(names({address, 0, "mx.test", true, true, "end.test", "to.test"}),
            "end.test: to.test to.test");
  EXPECT_EQ(names({address, 0, "mx.test", true, true, "end.test", "Elsewhere.Test."}),
            "end.test: to.test Elsewhere.Test");
}

// The policy server's word counts where DNS has none.
TEST(Dane, WhatIsSaidOtherwise) {
  const test::NameServer server(zone());
  DnsClient dns(parse_name_server(server.address()));
  dns.ask_for_security();
  const test::ScratchFolder folder;
  const auto outcome = [&](const std::string& name, const char* otherwise) {
    ServerPolicies policies(
        ControlDir(folder.path()),
        {"to.test", said_by_file("dane"),
         DomainPolicy::Saying{*parse_policy(otherwise), "control/tlspolicymap"}},
        {});
    const auto policy = policies.of({address, 10, name, true, true, name, "to.test"}, 25, dns);
    return policy ? level_text(*policy) : policy.error().report.text;
  };
  const std::string map = "control/tlspolicymap says ";
  const std::string held =
      "records1 of usable.test for to.test to.test or next: control/tlspolicy "
      "says dane for to.test";
  for (const char* words : {"secure", "may", "none", "dane", "dane-only"}) {
    EXPECT_EQ(outcome("usable.test", words), held) << words;
    EXPECT_EQ(outcome("trouble.test", words),
              "TLS unable to look up TLSA records of trouble.test; connecting to 192.0.2.1.\n");
  }
  for (const char* name : {"none.test", "unusable.test"}) {
    EXPECT_EQ(outcome(name, "encrypt"), "encrypt or next: " + map + "encrypt for to.test") << name;
    EXPECT_EQ(outcome(name, "secure"),
              "chain to.test .to.test or next: " + map + "secure for to.test");
    EXPECT_EQ(outcome(name, "may"), "may, falls back") << name;
    EXPECT_EQ(outcome(name, "none"), "never") << name;
  }
  EXPECT_EQ(outcome("none.test", "dane"), "may, falls back");
  EXPECT_EQ(outcome("unusable.test", "dane"), "encrypt or next: " + map + "dane for to.test");
  EXPECT_EQ(outcome("none.test", "dane-only"),
            "No secure TLSA records for none.test while " + map +
                "dane-only for to.test; connecting to 192.0.2.1.\n");
}

// However many addresses it has, and whatever the answer is. What was found of an address without
// DNSSEC is nothing to go by for the others.
TEST(Dane, AServerIsAskedAboutOnce) {
  const test::NameServer server(zone());
  DnsClient dns(parse_name_server(server.address()));
  dns.ask_for_security();
  const test::ScratchFolder folder;
  ServerPolicies policies(ControlDir(folder.path()), {"to.test", said_by_file("dane")}, {});
  const auto outcome = [&](const std::string& name, bool secure) {
    const auto policy = policies.of({address, 10, name, true, secure, name, "to.test"}, 25, dns);
    return policy ? level_text(*policy).substr(0, 7) : "unknown";
  };
  const std::pair<const char*, const char*> servers[] = {{"usable.test", "records"},
                                                         {"some.test", "records"},
                                                         {"unusable.test", "encrypt"},
                                                         {"none.test", "may, fa"},
                                                         {"trouble.test", "unknown"}};
  int questions = 0;
  for (const int round : {1, 2, 3}) {
    for (const auto& [name, wanted] : servers) {
      EXPECT_EQ(outcome(name, false), "may, fa") << name;
      EXPECT_EQ(outcome(name, true), wanted) << name;
    }
    if (round == 1) questions = server.questions();
    EXPECT_EQ(server.questions(), questions);
  }
}

// A server without a name has no records, and cannot have.
TEST(Dane, AnAddressHasNoRecords) {
  DnsClient dns(parse_name_server("192.0.2.53"));  // never asked
  const test::ScratchFolder folder;
  const auto outcome = [&](const char* said) {
    ServerPolicies policies(ControlDir(folder.path()), {"[192.0.2.1]", said_by_file(said)}, {});
    const auto policy = policies.of({address, 0, ""}, 25, dns);
    return policy ? level_text(*policy) : policy.error().report.text;
  };
  EXPECT_EQ(outcome("dane"), "may, falls back");
  EXPECT_EQ(outcome("dane-only"),
            "No secure TLSA records for 192.0.2.1 while control/tlspolicy says dane-only for "
            "[192.0.2.1]; connecting to 192.0.2.1.\n");
}

}  // namespace
}  // namespace qmail::remote
