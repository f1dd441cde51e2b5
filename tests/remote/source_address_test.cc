#include "qmail-remote/source_address.h"

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

using Family = IpAddress::Family;

std::string parsed(std::string_view text, Family family) {
  const auto source = parse_source(text, family);
  if (!source) return "invalid";
  return *source ? (*source)->text() : "any";
}

TEST(SourceAddress, ByTable) {
  const struct {
    const char* text;
    const char* v4;
    const char* v6;
  } cases[] = {
      {"", "any", "any"},
      {"192.0.2.2", "192.0.2.2", "invalid"},
      {"0.0.0.0", "any", "invalid"},
      {"2001:db8::2", "invalid", "2001:db8::2"},
      {"::", "invalid", "any"},
      {"::ffff:192.0.2.2", "192.0.2.2", "invalid"},  // is the IPv4 address
      {"[2001:db8::2]", "invalid", "invalid"},
      {"192.0.2.2:25", "invalid", "invalid"},
      {" 192.0.2.2", "invalid", "invalid"},
      {"192.0.2.256", "invalid", "invalid"},
      {"mail.example", "invalid", "invalid"},
  };
  for (const auto& [text, v4, v6] : cases) {
    EXPECT_EQ(parsed(text, Family::v4), v4) << text;
    EXPECT_EQ(parsed(text, Family::v6), v6) << text;
  }
}

std::string said(const BadLine& bad) {
  return bad.file + " " + std::to_string(bad.line) + " " + bad.reason;
}

std::string name_at(const HeloHosts& hosts, std::string_view address) {
  const auto name = hosts.find(parse_ip(address).value());
  return name ? name->value_or("none") : said(name.error());
}

TEST(HeloHosts, ByTable) {
  const auto hosts = HeloHosts::read(parse_numbered_list(
      "# ADDRESS:NAME\n192.0.2.1:one.test\n[2001:db8::1]:six.test\n[192.0.2.2]:two.test\n"
      "192.0.2.3:first.test\n192.0.2.3:last.test\n192.0.2.4:\n192.0.2.5: blank.test\n"
      "192.0.2.6:\xc3\xa4.test\n192.0.2.7:[192.0.2.7]\n"));
  ASSERT_TRUE(hosts);
  const std::pair<const char*, const char*> cases[] = {
      {"192.0.2.1", "one.test"},
      {"2001:db8::1", "six.test"},
      {"::ffff:192.0.2.1", "one.test"},
      {"192.0.2.2", "two.test"},
      {"192.0.2.3", "last.test"},
      {"192.0.2.4", "helohostbyip 7 no name"},
      {"192.0.2.5", "helohostbyip 8 no name"},
      {"192.0.2.6", "helohostbyip 9 no name"},
      {"192.0.2.7", "[192.0.2.7]"},
      {"192.0.2.8", "none"},
      {"2001:db8::2", "none"},
  };
  for (const auto& [address, name] : cases) EXPECT_EQ(name_at(*hosts, address), name) << address;
  EXPECT_TRUE(HeloHosts().empty());
  EXPECT_FALSE(hosts->empty());
}

TEST(HeloHosts, WhatNobodyCanTellWhomItIsForStopsAllMail) {
  const std::pair<const char*, const char*> cases[] = {
      {"192.0.2.1:a.test\n192.0.2.2 b.test\n", "helohostbyip 2 no colon"},
      {"[2001:db8::1] six.test\n", "helohostbyip 1 no colon"},
      {"#\n2001:db8::1:six.test\n", "helohostbyip 2 no address"},
      {"mx.test:a.test\n", "helohostbyip 1 no address"},
      {":a.test\n", "helohostbyip 1 no address"},
      {"[]:a.test\n", "helohostbyip 1 no address"},
  };
  for (const auto& [text, wanted] : cases) {
    const auto hosts = HeloHosts::read(parse_numbered_list(text));
    ASSERT_FALSE(hosts) << text;
    EXPECT_EQ(said(hosts.error()), wanted) << text;
  }
}

}  // namespace
}  // namespace qmail::remote
