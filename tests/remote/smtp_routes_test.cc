#include "qmail-remote/smtp_routes.h"

#include <utility>

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

std::string found(const SmtpRoutes& routes, std::string_view host) {
  const auto route = routes.find(host);
  return route ? route->relay + " " + std::to_string(route->port) : "none";
}

TEST(SmtpRoutes, ByTable) {
  const SmtpRoutes routes({"example.org:relay.example.org", ".example.org:below:26",
                           ".deep.example.org:deeper", "Upper.Example.COM:upper",
                           "plain.test:", "twice.test:first", "twice.test:second", "no-colon",
                           " blank.test:x", "192.0.2.7:addressed", ".:dot"});
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
  const SmtpRoutes routes({":smart.host:587", "direct.test:"});
  EXPECT_EQ(found(routes, "anything.at.all"), "smart.host 587");
  EXPECT_EQ(found(routes, ""), "smart.host 587");
  EXPECT_EQ(found(routes, "direct.test"), "none");  // the first hit decides
}

TEST(SmtpRoutes, SurvivesAMove) {
  SmtpRoutes first({"a.b:relay"});
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
