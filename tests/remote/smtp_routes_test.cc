#include "qmail-remote/smtp_routes.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

// As if each entry stood in a line of its own, with a comment before it.
SmtpRoutes routes_of(const std::vector<std::string>& entries) {
  std::string text;
  for (const std::string& entry : entries) text += "# x\n" + entry + "\n";
  return SmtpRoutes(parse_numbered_list(text));
}

std::string found(const SmtpRoutes& routes, std::string_view host) {
  const auto result = routes.find(host);
  if (!result) {
    const BadLine& bad = result.error();
    return bad.file + " line " + std::to_string(bad.line) + ": " + bad.reason;
  }
  const auto& route = *result;
  if (!route) return "none";
  std::string text = route->relay + " " + std::to_string(route->port);
  if (!route->login) return text;
  const Credentials& who = route->login->credentials;
  if (who.by_certificate()) text += " by certificate";
  text.append(" ").append(who.user.view()).append(" / ").append(who.password.view());
  return text + " (" + route->login->why + ")";
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

TEST(SmtpRoutes, Logins) {
  const SmtpRoutes routes =
      routes_of({"a.test:relay:26|u|p", "b.test:relay", "c.test:Relay.Test.|joe|pa|ss:w ord",
                 "d.test:relay:587||", "e.test:relay:587 user password",
                 "a.test:[192.0.2.1]:587|user|password", "f.test:relay|joe", "g.test:relay||p",
                 "h.test:relay|u|", "i.test:|u|p", "j.test::25|u|p", "k.test:relay|u|p\t ",
                 std::string("l.test:relay|u|p\0q", 18), "m.test:|", "n.test:relay|||",
                 "o.test:relay;587|u|p"});
  const std::pair<const char*, const char*> cases[] = {
      {"a.test",
       "[192.0.2.1] 587 user / password (control/smtproutes has a password for [192.0.2.1])"},
      {"b.test", "relay 25"},
      {"c.test",
       "Relay.Test. 25 joe / pa|ss:w ord (control/smtproutes has a password for relay.test)"},
      {"d.test", "relay 587 by certificate  /  (control/smtproutes has a password for relay)"},
      {"e.test", "relay 587"},  // as ever: what is behind the port is no more
      {"f.test", "smtproutes line 14: no password"},
      {"g.test", "smtproutes line 16: empty user"},
      {"h.test", "smtproutes line 18: empty password"},
      {"i.test", "smtproutes line 20: no relay"},
      {"j.test", "smtproutes line 22: no relay"},
      {"k.test", "relay 25 u / p (control/smtproutes has a password for relay)"},
      {"l.test", "smtproutes line 26: bad value"},
      {"m.test", "smtproutes line 28: no relay"},
      {"n.test", "smtproutes line 30: empty user"},
      {"o.test", "relay;587 25 u / p (control/smtproutes has a password for relay;587)"},
      {"z.test", "none"},
  };
  for (const auto& [host, route] : cases) EXPECT_EQ(found(routes, host), route) << host;
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
