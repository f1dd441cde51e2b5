#include "qmail/ip_address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

namespace qmail {
namespace {

TEST(IpAddress, ParsesAndPrints) {
  struct Row {
    std::string_view text;
    std::string_view printed;
  };
  const Row rows[] = {{"192.0.2.1", "192.0.2.1"},
                      {"010.000.2.001", "10.0.2.1"},
                      {"::", "::"},
                      {"2001:DB8::1", "2001:db8::1"},
                      {"::ffff:192.0.2.7", "192.0.2.7"}};
  for (const Row& row : rows) {
    const auto address = parse_ip(row.text);
    ASSERT_TRUE(address.has_value()) << row.text;
    EXPECT_EQ(address->text(), row.printed);
  }
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ", " 1.2.3.4", "1..3.4", "1.2.3.a",
        "0x1.2.3.4", ":", ":::", "1:2", "fe80::1%lo", "[::1]"}) {
    EXPECT_FALSE(parse_ip(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("::1\0", 4)).has_value());
}

TEST(IpAddress, Literals) {
  EXPECT_EQ(parse_ip_literal("[192.0.2.1]"), parse_ip("192.0.2.1"));
  EXPECT_EQ(parse_ip_literal("[2001:db8::1]"), parse_ip("2001:db8::1"));
  EXPECT_EQ(parse_ip_literal("[ipv6:2001:db8::1]"), parse_ip("2001:db8::1"));
  for (const std::string_view text :
       {"192.0.2.1", "[192.0.2.1", "192.0.2.1]", "[]", "[", "[a]", "[1.2.3.4]x"}) {
    EXPECT_FALSE(parse_ip_literal(text).has_value()) << text;
  }
}

TEST(IpAddress, RecipientLiteralsCountModulo256) {
  EXPECT_EQ(parse_v4_literal_modulo("[383.256.0.257]"), parse_ip("127.0.0.1"));
  EXPECT_EQ(parse_v4_literal_modulo("[99999999999999999999.0.0.1]"), parse_ip("255.0.0.1"));
  EXPECT_FALSE(parse_v4_literal_modulo("[1.2.3]").has_value());
  EXPECT_FALSE(parse_v4_literal_modulo("[::1]").has_value());
}

TEST(IpAddress, UnspecifiedAndSocketAddresses) {
  EXPECT_TRUE(parse_ip("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(parse_ip("::")->is_unspecified());
  EXPECT_FALSE(parse_ip("::1")->is_unspecified());
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(IpAddress::of(reinterpret_cast<const sockaddr*>(&in)), parse_ip("127.0.0.1"));
  in.sin_family = AF_UNIX;
  EXPECT_FALSE(IpAddress::of(reinterpret_cast<const sockaddr*>(&in)).has_value());
  EXPECT_FALSE(IpAddress::of(nullptr).has_value());
}

}  // namespace
}  // namespace qmail
