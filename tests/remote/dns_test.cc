// The DNS client and what is built on it, against a name server on loopback.
#include <algorithm>
#include <cstdlib>
#include <set>

#include <gtest/gtest.h>

#include "name_server.h"
#include "qmail-remote/address.h"
#include "qmail-remote/dns_client.h"
#include "qmail-remote/mx_resolver.h"

namespace qmail::remote {
namespace {

constexpr AddressPreference v4_first = AddressPreference::v4_first;

class DnsTest : public testing::Test {
 protected:
  // One attempt of one second, or a silent server would keep the test waiting.
  void SetUp() override { ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 1); }
};

DnsClient client_of(const test::NameServer& server) {
  return DnsClient(parse_name_server(server.address()));
}

TEST(ParseNameServer, ByTable) {
  const struct {
    const char* text;
    const char* wanted;
  } cases[] = {
      {"127.0.0.1", "127.0.0.1 53"},
      {"127.0.0.1:5353", "127.0.0.1 5353"},
      {"[127.0.0.1]:5353", "127.0.0.1 5353"},
      {"::1", "::1 53"},
      {"[::1]", "::1 53"},
      {"[::1]:5353", "::1 5353"},
      {"[IPv6:2001:db8::1]:1", "2001:db8::1 1"},
      {"", "none"},
      {"localhost", "none"},
      {"127.0.0.1:", "none"},
      {"127.0.0.1:0", "none"},
      {"127.0.0.1:65536", "none"},
      {"127.0.0.1:53x", "none"},
      {"127.0.0.1:4294967349", "none"},
      {"127.0.0.1 127.0.0.2", "none"},
  };
  for (const auto& one : cases) {
    const auto server = parse_name_server(one.text);
    EXPECT_EQ(server ? server->address.text() + " " + std::to_string(server->port) : "none",
              one.wanted)
        << one.text;
  }
}

// "none", "temporary", or the addresses.
std::string shown(const DnsClient::Outcome<IpAddress>& result) {
  if (!result) return result.error() == DnsFailure::none ? "none" : "temporary";
  std::string text;
  for (const IpAddress& address : result->records)
    text += (text.empty() ? "" : " ") + address.text();
  return text;
}

TEST_F(DnsTest, OutcomesByTable) {
  const test::NameServer server({
      "one.test A 192.0.2.1",
      "two.test A 192.0.2.1",
      "two.test A 192.0.2.2",
      "alias.test CNAME One.Test.",
      "far.test CNAME alias.test.",
      "astray.test CNAME nowhere.test.",
      "six.test AAAA 2001:db8::1",
      "failing.test = SERVFAIL",
      "refused.test = REFUSED",
      "unknown.test = NOTIMP",
      "badly.test = FORMERR",
      "silent.test = SILENT",
      "short.test = SHORT",
      "truncated.test A 192.0.2.3",
      "truncated.test = TRUNCATED",
  });
  DnsClient dns = client_of(server);
  const std::pair<const char*, const char*> cases[] = {
      {"one.test", "192.0.2.1"},
      {"ONE.test.", "192.0.2.1"},
      {"two.test", "192.0.2.1 192.0.2.2"},
      {"alias.test", "192.0.2.1"},
      {"far.test", "192.0.2.1"},
      {"astray.test", "none"},
      {"six.test", "none"},
      {"nowhere.test", "none"},
      {"failing.test", "temporary"},
      {"refused.test", "temporary"},
      {"unknown.test", "temporary"},
      {"badly.test", "none"},
      {"silent.test", "temporary"},
      {"short.test", "temporary"},
      {"truncated.test", "192.0.2.3"},
      {"two..dots", "none"},  // cannot even be asked about
  };
  for (const auto& [name, wanted] : cases) EXPECT_EQ(shown(dns.v4_addresses(name)), wanted) << name;
  EXPECT_EQ(shown(dns.v6_addresses("six.test")), "2001:db8::1");
  EXPECT_EQ(shown(dns.v6_addresses("one.test")), "none");
  EXPECT_EQ(server.questions_by_tcp(), 1);
}

// Every way not to bear EDNS, for each type of question: all that was asked is found all the same.
TEST_F(DnsTest, WhoCannotBearEdnsIsAskedWithout) {
  for (const char* way :
       {"FORMERR", "NOTIMP", "SERVFAIL", "REFUSED", "SHORT", "HEADER", "SILENT"}) {
    for (const std::string& who : {std::string("*"), std::string("mx.test")}) {
      const test::NameServer server({
          "mx.test A 192.0.2.1",
          "mx.test AAAA 2001:db8::1",
          "mx.test MX 10 mx.test.",
          "alias.test CNAME mx.test.",
          "alias.test A = TRUNCATED",
          who + " = EDNS " + way,
      });
      DnsClient dns = client_of(server);
      const std::string what = who + " " + way;
      EXPECT_EQ(shown(dns.v4_addresses("mx.test")), "192.0.2.1") << what;
      EXPECT_EQ(shown(dns.v6_addresses("mx.test")), "2001:db8::1") << what;
      EXPECT_EQ(shown(dns.v4_addresses("alias.test")), "192.0.2.1") << what;
      EXPECT_TRUE(dns.exchangers("mx.test")) << what;
      EXPECT_TRUE(dns.alias("alias.test")) << what;
      EXPECT_EQ(shown(dns.v4_addresses("nowhere.test")), "none") << what;
      // Silence is what costs time: it is borne once a delivery.
      if (way == std::string_view("SILENT")) {
        EXPECT_EQ(server.questions_with_edns(), 1) << what;
      }
    }
  }
}

TEST_F(DnsTest, EdnsThatIsNotBorneOverTcp) {
  const test::NameServer server(
      {"big.test A 192.0.2.1", "big.test = UDP TRUNCATED", "big.test = EDNS TCP FORMERR"});
  DnsClient dns = client_of(server);
  EXPECT_EQ(shown(dns.v4_addresses("big.test")), "192.0.2.1");
  EXPECT_EQ(server.questions_by_tcp(), 2);
}

TEST_F(DnsTest, EdnsIsAskedWithOnceWhereItIsBorne) {
  const test::NameServer server({"one.test A 192.0.2.1"});
  DnsClient dns = client_of(server);
  EXPECT_EQ(shown(dns.v4_addresses("one.test")), "192.0.2.1");
  EXPECT_EQ(shown(dns.v4_addresses("nowhere.test")), "none");
  EXPECT_EQ(shown(dns.v6_addresses("one.test")), "none");
  EXPECT_EQ(server.questions(), 3);
  EXPECT_EQ(server.questions_with_edns(), 3);
}

TEST_F(DnsTest, AnswersOfAnySize) {
  for (const int count : {20, 60, 1500}) {  // past 512, past EDNS's size, past 16 K
    std::vector<std::string> zone;
    for (int i = 0; i < count; ++i) {
      zone.push_back("big.test AAAA 2001:db8::" + std::to_string(i + 1));
    }
    const test::NameServer server(zone);
    DnsClient dns = client_of(server);
    const auto found = dns.v6_addresses("big.test");
    ASSERT_TRUE(found) << count;
    EXPECT_EQ(found->records.size(), static_cast<std::size_t>(count));
  }
}

TEST_F(DnsTest, AServerOnIpv6) {
  const test::NameServer server({"one.test A 192.0.2.1"}, test::NameServer::Family::v6);
  DnsClient dns = client_of(server);
  EXPECT_EQ(shown(dns.v4_addresses("one.test")), "192.0.2.1");
  EXPECT_EQ(server.questions(), 1);
}

TEST_F(DnsTest, NobodyThere) {
  DnsClient dns(NameServer{*parse_ip("127.0.0.1"), 1});
  EXPECT_EQ(shown(dns.v4_addresses("one.test")), "temporary");
}

TEST_F(DnsTest, CanonicalRecipients) {
  const test::NameServer server({
      "alias.test CNAME Two.test.",
      "Two.test CNAME three.test.",
      "three.test A 192.0.2.1",
      "loop1.test CNAME loop2.test.",
      "loop2.test CNAME loop1.test.",
      "to-nothing.test CNAME nowhere.test.",
      "bad.test = SERVFAIL",
      "to-bad.test CNAME bad.test.",
      "breakout.test CNAME x>y.test.",
      "blank.test CNAME x\ty.test.",
      "quoted.test CNAME \"x\".test.",
      "at.test CNAME a@b.test.",
      "half.test CNAME breakout.test.",
      "plain-odd.test CNAME _a-b.3.test.",
  });
  DnsClient dns = client_of(server);
  const struct {
    const char* given;
    const char* wanted;
  } cases[] = {
      {"bob@alias.test", "bob@three.test alias"},
      {"bob@alias.test.", "bob@three.test alias"},
      {"bob@three.test", "bob@three.test"},
      {"bob@nowhere.test", "bob@nowhere.test"},
      {"bob@loop1.test", "bob@loop1.test alias"},
      {"bob@to-nothing.test", "bob@nowhere.test alias"},
      {"bob@bad.test", "temporary"},
      {"bob@to-bad.test", "temporary"},
      {"bob@breakout.test", "bob@breakout.test"},
      {"bob@blank.test", "bob@blank.test"},
      {"bob@quoted.test", "bob@quoted.test"},
      {"bob@at.test", "bob@at.test"},
      {"bob@half.test", "bob@breakout.test alias"},
      {"bob@plain-odd.test", "bob@_a-b.3.test alias"},
  };
  for (const auto& one : cases) {
    const auto found = canonical(one.given, dns);
    EXPECT_EQ(found ? found->address + (found->is_alias ? " alias" : "") : "temporary", one.wanted)
        << one.given;
  }
}

std::string shown(const ExchangerList& list) {
  if (!list) {
    switch (list.error()) {
      case LookupFailure::temporary:
        return "temporary";
      case LookupFailure::no_such_host:
        return "no such host";
      case LookupFailure::no_exchanger:
        return "no exchanger";
    }
  }
  std::string text;
  for (const Exchanger& one : *list) {
    text += (text.empty() ? "" : ", ") + std::to_string(one.preference) + " " + one.name + " " +
            one.address.text();
  }
  return text;
}

TEST_F(DnsTest, ExchangersByTable) {
  const test::NameServer server({
      "example.test MX 20 Second.mx.test.",
      "example.test MX 10 first.mx.test.",
      "first.mx.test A 192.0.2.1",
      "first.mx.test AAAA 2001:db8::1",
      "Second.mx.test A 192.0.2.2",
      "plain.test A 192.0.2.3",
      "plain.test AAAA 2001:db8::3",
      "alias.test CNAME example.test.",
      "null.test MX 0 .",
      "null.test A 192.0.2.9",
      "dead.test MX 10 nowhere.test.",
      "half.test MX 10 nowhere.test.",
      "half.test MX 20 first.mx.test.",
      "soft.test MX 10 bad.test.",
      "soft.test MX 20 nowhere.test.",
      "bad.test = SERVFAIL",
      "softer.test MX 10 bad.test.",
      "softer.test MX 20 Second.mx.test.",
      "numeric.test MX 10 first.mx.test.",
      "numeric.test MX 20 192.0.2.7.",
      "six.test MX 10 six.mx.test.",
      "six.mx.test AAAA 2001:db8::6",
      "lame.test MX 10 lame.mx.test.",
      "lame.mx.test A 192.0.2.8",
      "lame.mx.test AAAA = SERVFAIL",
      "empty.test MX = REFUSED",
      "empty.test A 192.0.2.4",
      "a-fails.test A = SERVFAIL",
      "a-fails.test AAAA = SERVFAIL",
  });
  DnsClient dns = client_of(server);
  const std::pair<const char*, const char*> cases[] = {
      {"example.test",
       "10 first.mx.test 192.0.2.1, 10 first.mx.test 2001:db8::1, 20 Second.mx.test 192.0.2.2"},
      {"alias.test",
       "10 first.mx.test 192.0.2.1, 10 first.mx.test 2001:db8::1, 20 Second.mx.test 192.0.2.2"},
      {"plain.test", "0 plain.test 192.0.2.3, 0 plain.test 2001:db8::3"},
      {"null.test", "no exchanger"},
      {"dead.test", "no exchanger"},
      {"half.test", "20 first.mx.test 192.0.2.1, 20 first.mx.test 2001:db8::1"},
      {"soft.test", "temporary"},
      {"softer.test", "20 Second.mx.test 192.0.2.2"},
      {"numeric.test", "10 first.mx.test 192.0.2.1, 10 first.mx.test 2001:db8::1, 0  192.0.2.7"},
      {"six.test", "10 six.mx.test 2001:db8::6"},
      {"lame.test", "10 lame.mx.test 192.0.2.8"},
      {"empty.test", "temporary"},
      {"a-fails.test", "temporary"},
      {"nowhere.test", "no such host"},
      {"", "no such host"},
      {"[192.0.2.1]", "0  192.0.2.1"},
      {"192.0.2.01", "0  192.0.2.1"},
      {"[2001:db8::5]", "0  2001:db8::5"},
      {"192.0.2.266", "no such host"},
      {"[192.0.2.1", "no such host"},
  };
  for (const auto& [host, wanted] : cases) {
    EXPECT_EQ(shown(exchangers_of(dns, host, v4_first)), wanted) << host;
  }
  EXPECT_EQ(shown(addresses_of(dns, "example.test", v4_first)),
            "no such host");  // a relay: no exchangers
  EXPECT_EQ(shown(addresses_of(dns, "plain.test", v4_first)),
            "0 plain.test 192.0.2.3, 0 plain.test 2001:db8::3");
}

TEST_F(DnsTest, AddressPreferenceByTable) {
  const test::NameServer server({
      "both.test MX 10 mx.test.",
      "mx.test A 192.0.2.1",
      "mx.test AAAA 2001:db8::1",
      "four.test A 192.0.2.4",
      "six.test AAAA 2001:db8::6",
  });
  DnsClient dns = client_of(server);
  const std::string four_six = "10 mx.test 192.0.2.1, 10 mx.test 2001:db8::1";
  const std::string six_four = "10 mx.test 2001:db8::1, 10 mx.test 192.0.2.1";
  const struct {
    AddressPreference preference;
    const char* host;
    std::string wanted;
    int questions;
  } cases[] = {
      {AddressPreference::v4_first, "both.test", four_six, 3},
      {AddressPreference::v6_first, "both.test", six_four, 3},
      {AddressPreference::v4_only, "both.test", "10 mx.test 192.0.2.1", 2},
      {AddressPreference::v6_only, "both.test", "10 mx.test 2001:db8::1", 2},
      {AddressPreference::v4_only, "six.test", "no such host", 2},
      {AddressPreference::v6_only, "four.test", "no such host", 2},
      // Whoever writes an address means it.
      {AddressPreference::v6_only, "[192.0.2.4]", "0  192.0.2.4", 0},
  };
  for (const auto& one : cases) {
    const int before = server.questions();
    EXPECT_EQ(shown(exchangers_of(dns, one.host, one.preference)), one.wanted) << one.host;
    EXPECT_EQ(server.questions() - before, one.questions) << one.host;
  }
  std::set<std::string> seen;
  for (int i = 0; i < 60; ++i) {
    seen.insert(shown(exchangers_of(dns, "both.test", AddressPreference::any_first)));
  }
  EXPECT_EQ(seen, (std::set{four_six, six_four}));
}

TEST_F(DnsTest, EqualPreferencesComeInAnyOrder) {
  const test::NameServer server({"even.test MX 10 a.test.", "even.test MX 10 b.test.",
                                 "even.test MX 5 c.test.", "a.test A 192.0.2.1",
                                 "b.test A 192.0.2.2", "c.test A 192.0.2.3"});
  DnsClient dns = client_of(server);
  std::set<std::string> orders;
  for (int i = 0; i < 60; ++i) orders.insert(shown(exchangers_of(dns, "even.test", v4_first)));
  EXPECT_EQ(orders, (std::set<std::string>{
                        "5 c.test 192.0.2.3, 10 a.test 192.0.2.1, 10 b.test 192.0.2.2",
                        "5 c.test 192.0.2.3, 10 b.test 192.0.2.2, 10 a.test 192.0.2.1"}));
}

TEST_F(DnsTest, AnEndlessListIsCut) {
  std::vector<std::string> zone;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "mx" + std::to_string(i) + ".test";
    zone.push_back("many.test MX " + std::to_string(i) + " " + name + ".");
    zone.push_back(name + " A 192.0.2." + std::to_string(i % 200 + 1));
    for (int k = 0; k < 3; ++k) zone.push_back(name + " AAAA 2001:db8::" + std::to_string(k));
  }
  const test::NameServer server(zone);
  DnsClient dns = client_of(server);
  const auto list = exchangers_of(dns, "many.test", v4_first);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->size(), 100U);
  EXPECT_EQ(list->front().name, "mx0.test");
  EXPECT_LE(server.questions(), 110);
}

TEST_F(DnsTest, SecurityIsAskedForAndBelieved) {
  const std::vector<std::string> zone{
      "mx.test A 192.0.2.1",         "mx.test AAAA 2001:db8::1", "mx.test = SECURE",
      "alias.test CNAME Mx.test.",   "alias.test = SECURE",      "out.test CNAME plain.test.",
      "out.test = SECURE",           "plain.test A 192.0.2.2",   "in.test CNAME mx.test.",
      "loop.test CNAME loop2.test.", "loop.test A 192.0.2.3",    "loop2.test CNAME loop.test.",
  };
  const struct {
    const char* name;
    bool secure;
    const char* canonical;
  } cases[] = {
      {"mx.test", true, "mx.test"},      {"ALIAS.test", true, "Mx.test"},
      {"out.test", false, "plain.test"}, {"plain.test", false, "plain.test"},
      {"in.test", false, "mx.test"},
  };
  for (const auto family : {test::NameServer::Family::v4, test::NameServer::Family::v6}) {
    const test::NameServer server(zone, family);
    DnsClient dns = client_of(server);
    dns.ask_for_security();
    for (const auto& one : cases) {
      const auto answer = dns.v4_addresses(one.name);
      ASSERT_TRUE(answer) << one.name;
      EXPECT_EQ(answer->secure, one.secure) << one.name;
      EXPECT_EQ(answer->canonical, one.canonical) << one.name;
    }
    EXPECT_TRUE(dns.alias("out.test")->secure);
    EXPECT_TRUE(dns.v6_addresses("alias.test")->secure);
    EXPECT_FALSE(dns.alias("in.test")->secure);
    EXPECT_EQ(server.questions_about_security(), server.questions());
  }
  // Whoever does not ask for it sends the questions of old.
  const test::NameServer server(zone);
  DnsClient dns = client_of(server);
  EXPECT_FALSE(dns.v4_addresses("mx.test")->secure);
  EXPECT_EQ(server.questions_about_security(), 0);
}

// 0.0.0.0 reaches this host and is no loopback address. What resolv.conf trusts is not the server
// that is asked here. (The resolver reads RES_OPTIONS once a process.)
TEST_F(DnsTest, AServerElsewhereIsNotBelieved) {
  ::setenv("RES_OPTIONS", "timeout:1 attempts:1 trust-ad", 1);
  const test::NameServer server({"mx.test A 192.0.2.1", "mx.test = SECURE"});
  DnsClient dns(NameServer{*parse_ip("0.0.0.0"), server.port()});
  dns.ask_for_security();
  const auto answer = dns.v4_addresses("mx.test");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->secure);
}

// Whether to believe it can be known before a question.
TEST_F(DnsTest, WhomToBelieve) {
  const test::NameServer server({". SOA a.root.test.", ". = SECURE", "unsigned.test SOA ns.test."});
  DnsClient near = client_of(server);
  EXPECT_FALSE(near.origin(".")->secure);
  near.ask_for_security();  // late, but not too late
  EXPECT_TRUE(near.believes_servers());
  EXPECT_TRUE(near.origin(".")->secure);
  EXPECT_EQ(near.origin(".")->records, std::vector<std::string>{"a.root.test"});
  EXPECT_FALSE(near.origin("unsigned.test")->secure);
  DnsClient far(NameServer{*parse_ip("0.0.0.0"), server.port()});
  far.ask_for_security();
  EXPECT_FALSE(far.believes_servers());
}

TEST_F(DnsTest, SecurityWithoutEdns) {
  const test::NameServer server(
      {"mx.test A 192.0.2.1", "mx.test = SECURE", "* = EDNS FORMERR", "mx.test = EDNS FORMERR"});
  DnsClient dns = client_of(server);
  dns.ask_for_security();
  const auto answer = dns.v4_addresses("mx.test");
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->secure);
}

TEST_F(DnsTest, TheSecurityOfTheWayToAnExchanger) {
  const test::NameServer server({
      "good.test MX 10 mx.test.",
      "good.test = SECURE",
      "bad.test MX 10 mx.test.",
      "alias.test CNAME good.test.",
      "alias.test = SECURE",
      "mx.test A 192.0.2.1",
      "mx.test AAAA 2001:db8::1",
      "mx.test A = SECURE",  // of one family only
      "implicit.test A 192.0.2.2",
  });
  DnsClient dns = client_of(server);
  dns.ask_for_security();
  const auto told = [&](const char* host) {
    std::string text;
    const auto list = exchangers_of(dns, host, v4_first);
    if (!list) return std::string("none");
    for (const Exchanger& one : *list) {
      text += one.address.text() + (one.mx_secure ? " mx" : " -") +
              (one.address_secure ? " address " : " - ") + one.canonical + " " + one.domain + ";";
    }
    return text;
  };
  EXPECT_EQ(told("good.test"),
            "192.0.2.1 mx address mx.test good.test;2001:db8::1 mx - mx.test good.test;");
  EXPECT_EQ(told("bad.test"),
            "192.0.2.1 - address mx.test bad.test;2001:db8::1 - - mx.test bad.test;");
  EXPECT_EQ(told("alias.test"),
            "192.0.2.1 mx address mx.test good.test;2001:db8::1 mx - mx.test good.test;");
  EXPECT_EQ(told("implicit.test"), "192.0.2.2 mx - implicit.test ;");
  EXPECT_EQ(told("[192.0.2.9]"), "192.0.2.9 mx -  ;");
}

TEST(BetterThanMe, ByTable) {
  const IpAddress mine = *parse_ip("192.0.2.1");
  const IpAddress mine6 = *parse_ip("2001:db8::1");
  const OwnAddresses me({mine, mine6});
  const auto at = [](const char* address, std::uint16_t preference) {
    return Exchanger{*parse_ip(address), preference, "x"};
  };
  const auto left = [&](std::vector<Exchanger> list) {
    return better_than_me(std::move(list), me).size();
  };
  EXPECT_EQ(left({at("192.0.2.2", 10), at("192.0.2.3", 20)}), 2U);
  EXPECT_EQ(left({at("192.0.2.1", 10), at("192.0.2.3", 20)}), 0U);
  EXPECT_EQ(left({at("192.0.2.2", 10), at("192.0.2.1", 20), at("192.0.2.3", 30)}), 1U);
  EXPECT_EQ(left({at("192.0.2.2", 10), at("192.0.2.1", 10)}), 0U);
  EXPECT_EQ(left({at("192.0.2.2", 10), at("2001:db8::1", 20), at("192.0.2.1", 15)}), 1U);
  EXPECT_EQ(left({at("0.0.0.0", 10)}), 0U);
  EXPECT_EQ(left({at("::", 10)}), 0U);
  for (const char* loopback :
       {"127.0.0.1", "127.0.0.2", "127.255.255.254", "::1", "::ffff:127.0.0.9", "::127.0.0.9"}) {
    EXPECT_EQ(left({at(loopback, 10), at("192.0.2.2", 20)}), 0U) << loopback;
    EXPECT_EQ(left({at("192.0.2.2", 5), at(loopback, 10)}), 1U) << loopback;
  }
  for (const char* elsewhere : {"126.0.0.1", "128.0.0.1", "::2", "::126.0.0.1", "1::127.0.0.1"}) {
    EXPECT_EQ(left({at(elsewhere, 10)}), 1U) << elsewhere;
  }
}

}  // namespace
}  // namespace qmail::remote
