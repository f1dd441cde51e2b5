#include "qmail-smtpd/proxy_header.h"

#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

namespace qmail::smtpd {
namespace {

using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string four = "\xc6\x33\x64\x09\xcb\x00\x71\x01\x0f\xa0\x09\xdd"s;
const std::string sixteen = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x09";

std::string version_2(char command, char family, const std::string& rest) {
  return signature + command + family + static_cast<char>(rest.size() >> 8U) +
         static_cast<char>(rest.size()) + rest;
}

std::string shown(const ProxyHeaderStep& step) {
  if (const auto* more = std::get_if<ProxyHeaderGoesOn>(&step)) {
    return std::to_string(more->more) + " more";
  }
  if (const auto* none = std::get_if<NoProxyHeader>(&step)) return std::string(none->reason);
  const auto& ends = std::get<ProxyHeader>(step).ends;
  if (!ends) return "itself";
  const auto text = [](const Endpoint& end) {
    return end.address.text() + " " + std::to_string(end.port);
  };
  return text(ends->client) + " to " + text(ends->server);
}

std::string read(const std::string& bytes) { return shown(read_proxy_header(bytes)); }

TEST(ProxyHeader, Lines) {
  EXPECT_EQ(read("PROXY TCP4 198.51.100.9 203.0.113.1 4000 25\r\n"),
            "198.51.100.9 4000 to 203.0.113.1 25");
  EXPECT_EQ(read("PROXY TCP6 2001:DB8::9 ::1 65535 0\r\n"), "2001:db8::9 65535 to ::1 0");
  EXPECT_EQ(read("PROXY TCP6 ::ffff:198.51.100.9 ::1 1 2\r\n"), "198.51.100.9 1 to ::1 2");
  EXPECT_EQ(read("PROXY UNKNOWN\r\n"), "itself");
  EXPECT_EQ(read("PROXY UNKNOWN  what\rever 1\r\n"), "itself");
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n"), "itself");
}

TEST(ProxyHeader, NoLines) {
  for (const std::string rest : {"PROXY\r\n",
                                 "PROXY \r\n",
                                 "PROXY TCP4\r\n",
                                 "PROXY TCP5 198.51.100.9 203.0.113.1 4000 25\r\n",
                                 "PROXY tcp4 198.51.100.9 203.0.113.1 4000 25\r\n",
                                 "PROXY UNKNOWNx\r\n",
                                 "PROXY UNKNOWN\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 4000 25\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 4000 25 \r\n",
                                 "PROXY TCP4  198.51.100.9 203.0.113.1 4000 25\r\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 4000\r\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1\r\n",
                                 "PROXY TCP4 ::1 ::1 4000 25\r\n",
                                 "PROXY TCP6 198.51.100.9 203.0.113.1 4000 25\r\n",
                                 "PROXY TCP4 ::ffff:198.51.100.9 203.0.113.1 4000 25\r\n",
                                 "PROXY TCP4 198.51.100.09 203.0.113.1 4000 25\r\n",
                                 "PROXY TCP4 198.51.100.999 203.0.113.1 4000 25\r\n",
                                 "PROXY TCP6 fe80::1%lo ::1 4000 25\r\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 65536 25\r\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 4000 04000\r\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 -1 25\r\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 000000 25\r\n",
                                 "PROXY TCP4 198.51.100.9 203.0.113.1 4000 \r\n"}) {
    EXPECT_TRUE(std::holds_alternative<NoProxyHeader>(read_proxy_header(rest))) << rest;
  }
  EXPECT_EQ(read("PROXY UNKNOWN " + std::string(93, 'x')), "a line over 107 bytes");
  EXPECT_EQ(read("EHLO a\r\n"), "something else was sent");
  EXPECT_EQ(read("X"), "something else was sent");
  EXPECT_EQ(read("\r\n\r\n\r"), "something else was sent");
}

TEST(ProxyHeader, Binary) {
  EXPECT_EQ(read(version_2(0x21, 0x11, four)), "198.51.100.9 4000 to 203.0.113.1 2525");
  EXPECT_EQ(read(version_2(0x21, 0x11, four + "more than that")),
            "198.51.100.9 4000 to 203.0.113.1 2525");
  EXPECT_EQ(read(version_2(0x21, 0x21, sixteen + sixteen + "\x0f\xa0\x00\x19"s)),
            "2001:db8::9 4000 to 2001:db8::9 25");
  EXPECT_EQ(read(version_2(0x21, 0x21,
                           sixteen + sixteen + "\x0f\xa0\x00\x19"s + std::string(2048 - 36, 'x'))),
            "2001:db8::9 4000 to 2001:db8::9 25");
  for (const std::string& header :
       {version_2(0x20, 0x11, four), version_2(0x20, 0, ""), version_2(0x20, 0x77, "x"),
        version_2(0x21, 0, ""), version_2(0x21, 0x31, std::string(216, 'x'))}) {
    EXPECT_EQ(read(header), "itself");
  }
}

TEST(ProxyHeader, NotBinary) {
  EXPECT_EQ(read(version_2(0x11, 0x11, four)), "unknown version");
  EXPECT_EQ(read(version_2(0x31, 0x11, four)), "unknown version");
  EXPECT_EQ(read(version_2(0x22, 0x11, four)), "unknown command");
  EXPECT_EQ(read(version_2(0x21, 0x12, four)), "unknown kind of connection");
  EXPECT_EQ(read(version_2(0x21, 0x41, four)), "unknown kind of connection");
  EXPECT_EQ(read(version_2(0x21, 0x11, four.substr(1))), "too short for its addresses");
  EXPECT_EQ(read(version_2(0x21, 0x21, std::string(35, 'x'))), "too short for its addresses");
  EXPECT_EQ(read(signature + "\x21\x11\x08\x01"), "longer than 2048 bytes");
  EXPECT_EQ(read(signature + "\x21\x11\xff\xff"), "longer than 2048 bytes");
}

// What it asks for is never more than the header has, and it asks until all is there.
TEST(ProxyHeader, InPieces) {
  for (const std::string& header :
       {"PROXY TCP4 198.51.100.9 203.0.113.1 4000 25\r\n"s, "PROXY UNKNOWN\r\n"s,
        "PROXY UNKNOWN a\rb\r\r\n"s, version_2(0x21, 0x11, four + "xyz"), version_2(0x20, 0, ""),
        version_2(0x21, 0x21, std::string(2048, '\0'))}) {
    for (std::size_t have = 0; have < header.size(); ++have) {
      const auto step = read_proxy_header(header.substr(0, have));
      const auto* more = std::get_if<ProxyHeaderGoesOn>(&step);
      ASSERT_NE(more, nullptr) << header << " after " << have;
      EXPECT_GE(more->more, 1U);
      EXPECT_LE(more->more, header.size() - have) << header << " after " << have;
    }
    EXPECT_TRUE(std::holds_alternative<ProxyHeader>(read_proxy_header(header))) << header;
  }
}

}  // namespace
}  // namespace qmail::smtpd
