#include "qmail-remote/smtp_routes.h"

#include <utility>

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

// As if each entry stood in a line of its own, with a comment before it.
SmtpRoutes routes_of(std::vector<std::string> entries) {
  NumberedList list{std::move(entries)};
  for (std::size_t i = 1; i <= list.entries.size(); ++i) list.lines.push_back(2 * i);
  return SmtpRoutes(std::move(list));
}

std::string found(const SmtpRoutes& routes, std::string_view host) {
  const auto result = routes.find(host);
  if (!result) return result.error().file + " line " + std::to_string(result.error().line);
  const auto& route = *result;
  return route ? route->relay + " " + std::to_string(route->port) : "none";
}

TEST(SmtpRoutes, ByTable) {
  const SmtpRoutes routes = routes_of(
      {"example.org:relay.example.org", ".example.org:below:26", ".deep.example.org:deeper",
       "Upper.Example.COM:upper", "plain.test:", "twice.test:first", "twice.test:second",
       "no-colon", " blank.test:x", "192.0.2.7:addressed", ".:dot"});
  const std::pair<const char*, const char*> cases[] = {
      {"example.org", "relay.example.org 25"},
      {"EXAMPLE.org", "relay.example.org 25"},
      {"mx.example.org", "below 26"},
      {"a.b.example.org", "below 26"},
      {"x.deep.example.org", "deeper 25"},
      {"deep.example.org", "below 26"},
      {"upper.example.com", "upper 25"},
      {"plain.test", "none"},
      {"twice.test", "second 25"},
      {"no-colon", "none"},
      {"blank.test", "none"},
      {"192.0.2.7", "addressed 25"},
      {"elsewhere.net", "none"},
      {"", "none"},
      {"trailing.", "dot 25"},
  };
  for (const auto& [host, route] : cases) EXPECT_EQ(found(routes, host), route) << host;
}

TEST(SmtpRoutes, TheEmptyDomainIsEverything) {
  const SmtpRoutes routes = routes_of({":smart.host:587", "direct.test:"});
  EXPECT_EQ(found(routes, "anything.at.all"), "smart.host 587");
  EXPECT_EQ(found(routes, ""), "smart.host 587");
  EXPECT_EQ(found(routes, "direct.test"), "none");  // the first hit decides
}

TEST(SmtpRoutes, ALoginStopsTheMailItIsFor) {
  const SmtpRoutes routes =
      routes_of({"a.test:relay:587|user|password", "b.test:relay", "c.test:relay|user|pass:word",
                 "d.test:relay;587|u|p", "e.test:relay:587 user password", "a.test:relay:26|u|p"});
  EXPECT_EQ(found(routes, "a.test"), "smtproutes line 12");  // of equal ones the last
  EXPECT_EQ(found(routes, "b.test"), "relay 25");
  EXPECT_EQ(found(routes, "c.test"), "smtproutes line 6");
  EXPECT_EQ(found(routes, "d.test"), "smtproutes line 8");
  EXPECT_EQ(found(routes, "e.test"), "relay 587");  // as ever: what is behind the port is no more
  EXPECT_EQ(found(routes, "f.test"), "none");
}

TEST(SmtpRoutes, SurvivesAMove) {
  SmtpRoutes first = routes_of({"a.b:relay"});
  const SmtpRoutes second(std::move(first));
  EXPECT_EQ(found(second, "a.b"), "relay 25");
}

TEST(ParseRelay, ByTable) {
  const struct {
    const char* text;
    const char* relay;
    unsigned port;
  } cases[] = {
      {"relay", "relay", 25},
      {"relay:", "relay", 0},
      {"relay:465", "relay", 465},
      {"relay:x", "relay", 0},
      {"relay:26 # why", "relay", 26},
      {"relay:65561", "relay", 25},  // modulo 65536
      {":26", "", 26},
      {"[192.0.2.1]", "[192.0.2.1]", 25},
      {"[192.0.2.1]:26", "[192.0.2.1]", 26},
      {"192.0.2.1:26", "192.0.2.1", 26},
      {"[2001:db8::25]", "[2001:db8::25]", 25},
      {"[2001:db8::25]:465", "[2001:db8::25]", 465},
      {"[IPv6:2001:db8::25]:26", "[IPv6:2001:db8::25]", 26},
      {"[2001:db8::25]x:26", "[2001", 0},  // no address: cut at the first colon, as ever
      {"[not an address:26]:27", "[not an address", 26},
      {"2001:db8::25", "2001", 0},
  };
  for (const auto& one : cases) {
    const Route route = parse_relay(one.text);
    EXPECT_EQ(route.relay, one.relay) << one.text;
    EXPECT_EQ(route.port, one.port) << one.text;
  }
}

}  // namespace
}  // namespace qmail::remote
