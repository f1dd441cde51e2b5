// Which TLSA records of a server are asked for, and which of them count.
#include "qmail-remote/tlsa.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "name_server.h"

namespace qmail::remote {
namespace {

const std::string digest(64, 'a');  // 32 bytes

std::string shown(const Result<ServerTlsa, DnsFailure>& result) {
  if (!result) return "temporary";
  if (result->records.empty()) return "none";
  return std::to_string(result->records.size()) + " " + result->base;
}

TEST(Tlsa, ByTable) {
  ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
  const std::string ee = " TLSA 3 1 1 " + digest;
  std::vector<std::string> zone;
  const auto host = [&](const std::string& name, bool secure) {
    zone.push_back(name + " A 192.0.2.1");
    if (secure) zone.push_back(name + " = SECURE");
  };
  const auto alias = [&](const std::string& name, const std::string& target, bool secure) {
    zone.push_back(name + " CNAME " + target + ".");
    if (secure) zone.push_back(name + " = SECURE");
  };
  const auto records = [&](const std::string& name, const std::string& outcome) {
    zone.push_back("_25._tcp." + name + ee);
    zone.push_back("_25._tcp." + name + " TLSA 2 0 2 " + digest + digest);
    if (!outcome.empty()) zone.push_back("_25._tcp." + name + " = " + outcome);
  };
  host("good.test", true);
  records("good.test", "SECURE");
  host("unsigned.test", false);
  records("unsigned.test", "SECURE");
  host("lied.test", true);
  records("lied.test", "");
  host("without.test", true);
  for (const std::string trouble :
       {"SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "SHORT", "SILENT"}) {
    host(trouble + ".test", true);
    records(trouble + ".test", trouble);
    alias("to-" + trouble + ".test", trouble + ".test", true);
    records("to-" + trouble + ".test", "SECURE");
  }
  alias("alias.test", "good.test", true);
  records("alias.test", "SECURE");
  alias("own.test", "without.test", true);
  records("own.test", "SECURE");
  alias("neither.test", "without.test", true);
  alias("out.test", "unsigned.test", true);
  records("out.test", "SECURE");
  alias("in.test", "good.test", false);
  records("in.test", "SECURE");
  host("elsewhere.test", true);
  alias("_25._tcp.elsewhere.test", "_25._tcp.good.test", true);

  const test::NameServer server(zone);
  DnsClient dns(parse_name_server(server.address()));
  dns.ask_for_security();
  const struct {
    std::string name;
    std::string wanted;
    int questions;
  } cases[] = {
      {"good.test", "2 good.test", 1},  {"Good.Test.", "2 Good.Test", 1},
      {"unsigned.test", "none", 0},  // whoever forges the address can leave out the records
      {"lied.test", "none", 1},         {"without.test", "none", 1},
      {"alias.test", "2 good.test", 1}, {"own.test", "2 own.test", 2},
      {"neither.test", "none", 2},      {"out.test", "2 out.test", 2},
      {"in.test", "none", 1},           {"elsewhere.test", "2 elsewhere.test", 1},
  };
  for (const auto& one : cases) {
    const auto list = addresses_of(dns, one.name, AddressPreference::v4_only);
    ASSERT_TRUE(list) << one.name;
    const int before = server.questions();
    EXPECT_EQ(shown(tlsa_of(dns, list->front(), 25)), one.wanted) << one.name;
    EXPECT_EQ(server.questions() - before, one.questions) << one.name;
  }
  for (const std::string trouble :
       {"SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "SHORT", "SILENT"}) {
    for (const std::string& name : {trouble + ".test", "to-" + trouble + ".test"}) {
      const Exchanger at{*parse_ip("192.0.2.1"), 10, name, true, true, trouble + ".test"};
      EXPECT_EQ(shown(tlsa_of(dns, at, 25)), "temporary") << name;
    }
  }
  const auto list = addresses_of(dns, "good.test", AddressPreference::v4_only);
  EXPECT_EQ(shown(tlsa_of(dns, list->front(), 26)), "none");  // of another port
  EXPECT_EQ(shown(tlsa_of(dns, Exchanger{*parse_ip("192.0.2.1"), 0, ""}, 25)), "none");
}

TEST(Tlsa, WhatIsRead) {
  const test::NameServer server({"_25._tcp.x.test TLSA 3 1 1 00ff7f", "_25._tcp.x.test = SECURE"});
  DnsClient dns(parse_name_server(server.address()));
  const auto answer = dns.tlsa("_25._tcp.x.test");
  ASSERT_TRUE(answer);
  const TlsaRecord wanted{3, 1, 1, std::string("\0\xff\x7f", 3)};
  EXPECT_EQ(answer->records, std::vector{wanted});
}

TEST(Tlsa, UsableByTable) {
  const std::string thirty_two(32, 'x');
  const std::string sixty_four(64, 'x');
  const struct {
    TlsaRecord record;
    bool usable;
  } cases[] = {
      {{3, 1, 1, thirty_two}, true},    {{2, 0, 1, thirty_two}, true},
      {{3, 0, 2, sixty_four}, true},    {{2, 1, 0, "\x30"}, false},
      {{3, 1, 0, ""}, false},           {{0, 0, 1, thirty_two}, false},
      {{1, 1, 1, thirty_two}, false},   {{4, 1, 1, thirty_two}, false},
      {{255, 1, 1, thirty_two}, false}, {{3, 2, 1, thirty_two}, false},
      {{3, 1, 1, sixty_four}, false},   {{3, 1, 2, thirty_two}, false},
      {{3, 1, 3, thirty_two}, false},   {{3, 1, 1, ""}, false},
      {{3, 1, 255, thirty_two}, false},
  };
  for (const auto& [record, usable] : cases) {
    EXPECT_EQ(is_usable(record), usable)
        << int{record.usage} << int{record.selector} << int{record.matching_type};
  }
}

}  // namespace
}  // namespace qmail::remote
