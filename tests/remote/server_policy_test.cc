// What is asked of TLS with one server: every combination of what has a say, against the rules of
// qmail-remote(8) written down a second time.
#include "qmail-remote/server_policy.h"

#include <gtest/gtest.h>

#include "policy_text.h"
#include "scratch.h"

namespace qmail::remote {
namespace {

using test::level_text;
using test::said_by_file;

const std::string digest(64, 'a');
const IpAddress address = *parse_ip("192.0.2.1");

struct Circumstances {
  std::string said;  // what control/tlspolicy says; empty: nothing
  bool pem, excluded, exhaustive;
  bool login, insecure;
  std::uint16_t port;
  bool named;  // the server has a name

  std::string text() const {
    return (said.empty() ? "nothing" : said) + (pem ? " pem" : "") + (excluded ? " excluded" : "") +
           (exhaustive ? " exhaustive" : "") + (login ? " login" : "") +
           (insecure ? " insecure" : "") + " " + std::to_string(port) + (named ? "" : " unnamed");
  }
};

std::string outcome_of(const Circumstances& c, const ControlDir& control) {
  DomainPolicy domain{"to.test"};
  if (!c.said.empty()) domain.said = {*parse_policy(c.said), "control/tlspolicy"};
  ServerPolicies::Credentials credentials{c.login};
  if (c.login && !c.insecure) credentials.demand = "control/smtproutes has a password for to.test";
  ServerPolicies policies(control, domain, credentials);
  DnsClient nobody(std::nullopt);
  EXPECT_FALSE(policies.need_dns());
  const auto policy = policies.of({address, 0, c.named ? "mx.test" : ""}, c.port, nobody);
  if (policy) return level_text(*policy);
  return policy.error().report.text + (policy.error().then == Then::give_up ? "end" : "next");
}

std::string level_of(const std::string& said) { return said.substr(0, said.find(' ')); }

// The names that the certificate may be for.
std::string names_wanted(const Circumstances& c) {
  if (c.said.find("match=") != std::string::npos) return " .other.test";
  if (level_of(c.said) == "secure") return " to.test .to.test";
  return c.named ? " mx.test" : "";
}

std::string expected_of(const Circumstances& c, const std::string& folder) {
  const std::string server = c.named ? "mx.test" : "192.0.2.1";
  const std::string connecting = "; connecting to 192.0.2.1.\n";
  const std::string old_files =
      "TLS forbidden by control/notlshosts/" + server + " or control/tlshosts/exhaustivelist";
  const std::string level = level_of(c.said);
  if (c.pem && c.named) return "host's file or end: " + folder + "/tlshosts/mx.test.pem exists";

  const bool said_demand = !level.empty() && level != "none" && level != "may";
  const bool login_demand = c.login && !c.insecure;
  std::string why;
  if (said_demand) {
    why = "control/tlspolicy says " + level + " for to.test";
  } else if (login_demand) {
    why = "control/smtproutes has a password for to.test";
  }
  const bool by_chain = level == "verify" || level == "secure";
  if (by_chain && names_wanted(c).empty()) {
    return "TLS unable to verify server 192.0.2.1: it has no name" + connecting + "next";
  }
  const bool forbidden = c.excluded || c.exhaustive;
  if (forbidden && !why.empty()) return old_files + " while " + why + connecting + "next";
  if (!why.empty()) {
    std::string what = "encrypt";
    if (by_chain) what = "chain" + names_wanted(c);
    if (level == "fingerprint") what = level;
    return what + " or next: " + why;
  }
  if (c.port == 465 && forbidden) {
    return old_files + ", but port 465 speaks nothing else" + connecting + "end";
  }
  if (c.port == 465 && level == "none") {
    return "TLS forbidden by control/tlspolicy for to.test, but port 465 speaks nothing else" +
           connecting + "end";
  }
  if (forbidden || level == "none") return "never";
  return level == "may" && !c.login ? "may, falls back" : "may";
}

TEST(ServerPolicies, EveryCombination) {
  const std::string said[] = {"",
                              "none",
                              "may",
                              "encrypt",
                              "verify",
                              "secure",
                              "secure match=.other.test",
                              "fingerprint match=" + digest};
  int cells = 0;
  for (int files = 0; files < 8; ++files) {
    const test::ScratchFolder folder;
    folder.write("tlshosts/unrelated", "");
    folder.write("notlshosts/unrelated", "");
    const bool pem = (files & 1) != 0;
    const bool excluded = (files & 2) != 0;
    const bool exhaustive = (files & 4) != 0;
    if (pem) folder.write("tlshosts/mx.test.pem", "");
    if (excluded) folder.write("notlshosts/mx.test", "");
    if (excluded) folder.write("notlshosts/192.0.2.1", "");
    if (exhaustive) folder.write("tlshosts/exhaustivelist", "");
    const ControlDir control(folder.path());
    for (const std::string& words : said) {
      for (int login = 0; login < 3; ++login) {
        for (const std::uint16_t port :
             {std::uint16_t{25}, std::uint16_t{465}, std::uint16_t{587}}) {
          for (const bool named : {true, false}) {
            const Circumstances c{words,     pem,       excluded, exhaustive,
                                  login > 0, login > 1, port,     named};
            EXPECT_EQ(outcome_of(c, control), expected_of(c, folder.path())) << c.text();
            ++cells;
          }
        }
      }
    }
  }
  EXPECT_EQ(cells, 8 * 8 * 3 * 3 * 2);
}

TlsPolicy policy_with(const ControlDir& control, const std::string& destination,
                      const std::string& said) {
  ServerPolicies policies(control, {destination, said_by_file(said)}, {});
  DnsClient nobody(std::nullopt);
  return *policies.of({address, 0, "Mx.Test."}, 25, nobody);
}

TEST(ServerPolicies, Authorities) {
  const test::ScratchFolder folder;
  const ControlDir control(folder.path());
  const auto with = [&](const char* said) { return policy_with(control, "to.test", said); };
  const auto anchors = [](const TlsPolicy& policy) {
    return std::get<tls::Anchors>(policy.verification);
  };
  EXPECT_EQ(with("secure").authorities, "the system's authorities");
  EXPECT_EQ(anchors(with("secure")).file, "");
  folder.write("tlsca.pem", "");
  EXPECT_EQ(with("verify").authorities, folder.path("tlsca.pem"));
  EXPECT_EQ(anchors(with("verify")).file, folder.path("tlsca.pem"));
  EXPECT_FALSE(anchors(with("verify")).partial_chains);
  EXPECT_EQ(with("secure tafile=mine.pem").authorities, folder.path("mine.pem"));
  EXPECT_EQ(anchors(with("secure tafile=/mine.pem")).file, "/mine.pem");
  EXPECT_TRUE(anchors(with("secure tafile=/mine.pem")).partial_chains);
}

TEST(ServerPolicies, Names) {
  const test::ScratchFolder folder;
  const ControlDir control(folder.path());
  const auto sni = [&](const char* destination, const char* said) {
    return policy_with(control, destination, said).server_name;
  };
  EXPECT_EQ(sni("to.test", "may"), "Mx.Test");
  EXPECT_EQ(sni("to.test", "may servername=hostname"), "Mx.Test");
  EXPECT_EQ(sni("to.test", "may servername=nexthop"), "to.test");
  EXPECT_EQ(sni("[192.0.2.1]", "may servername=nexthop"), "");
  EXPECT_EQ(sni("to.test", "may servername=other.test."), "other.test");
  const auto policy =
      policy_with(control, "to.test", "secure match=hostname:nexthop:.a.test.:b.test.");
  const auto& anchors = std::get<tls::Anchors>(policy.verification);
  EXPECT_EQ(anchors.names, (std::vector<std::string>{"Mx.Test", "to.test", "b.test"}));
  EXPECT_EQ(anchors.domains, (std::vector<std::string>{"a.test"}));
  EXPECT_EQ(policy.wanted, (std::vector<std::string>{"Mx.Test", "to.test", ".a.test.", "b.test."}));
}

}  // namespace
}  // namespace qmail::remote
