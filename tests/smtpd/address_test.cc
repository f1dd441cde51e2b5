#include "qmail-smtpd/address.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "qmail-smtpd/parameters.h"
#include "qmail/ip_address.h"

namespace qmail::smtpd {
namespace {

TEST(Address, Extracted) {
  struct Row {
    std::string argument;
    std::string address;
  };
  const Row rows[] = {
      {"FROM:<joe@example.org>", "joe@example.org"},
      {"FROM:<>", ""},
      {"FROM: <joe@example.org>", "joe@example.org"},
      {"FROM:<joe@example.org> SIZE=100 BODY=8BITMIME", "joe@example.org"},
      {"<joe@example.org>", "joe@example.org"},
      {"rubbish:x<joe@example.org>", "joe@example.org"},
      {"FROM:joe@example.org SIZE=1", "joe@example.org"},
      {"FROM:   joe@example.org", "joe@example.org"},
      {"FROM:\tjoe@example.org", "\tjoe@example.org"},
      {"FROM:joe@example.org>", "joe@example.org>"},
      {"FROM:<joe@example.org", "joe@example.org"},
      {"joe@example.org", ""},
      {"", ""},
      {"FROM:", ""},
      {"FROM:  ", ""},
      {"FROM:<a b@example.org>", "a b@example.org"},
      // quotes and backslashes
      {R"(FROM:<"joe smith"@example.org>)", "joe smith@example.org"},
      {R"(FROM:<"joe>smith"@example.org>)", "joe>smith@example.org"},
      {R"(FROM:"joe <x>"@example.org)", "x"},  // the first bracket counts, quoted or not
      {R"(FROM:"joe smith"@example.org x)", "joe smith@example.org"},
      {R"(FROM:<joe\>smith@example.org>)", "joe>smith@example.org"},
      {R"(FROM:<joe\"smith@example.org>)", "joe\"smith@example.org"},
      {R"(FROM:<"a\"b"@example.org>)", "a\"b@example.org"},
      {R"(FROM:<a\\b>)", "a\\b"},
      {R"(FROM:<joe\)", "joe"},
      {R"(FROM:<"joe@example.org> SIZE=1)", "joe@example.org> SIZE=1"},
      // source routes
      {"FROM:<@a.example,@b.example:joe@example.org>", "joe@example.org"},
      {"FROM:<@a.example>", ""},
      {"FROM:<@a:b:c>", "b:c"},
      {"FROM:@a.example:joe@example.org", "joe@example.org"},
      {"FROM:<@\">\":x>", "x"},
      {"FROM:<\xff\x01@example.org>", "\xff\x01@example.org"},
      {"FROM:<a@b@c>", "a@b@c"},
  };
  for (const Row& row : rows) EXPECT_EQ(extract_address(row.argument), row.address) << row.argument;
}

class Literals : public testing::Test {
 protected:
  const OwnAddresses own_{
      {IpAddress::v4({127, 0, 0, 1}), IpAddress::v4({192, 0, 2, 25}), *parse_ip("2001:db8::25")}};
  const std::optional<std::string> host_ = "mx.example.net";
};

TEST_F(Literals, OursBecomeTheHostName) {
  struct Row {
    std::string from;
    std::string to;
  };
  const Row rows[] = {
      {"joe@[127.0.0.1]", "joe@mx.example.net"},
      {"joe@[192.0.2.25]", "joe@mx.example.net"},
      {"joe@[0.0.0.0]", "joe@mx.example.net"},
      {"joe@[448.256.2.0025]", "joe@mx.example.net"},  // each number modulo 256
      {"a@b@[127.0.0.1]", "a@b@mx.example.net"},
      {"@[127.0.0.1]", "@mx.example.net"},
      {"joe@[192.0.2.26]", "joe@[192.0.2.26]"},
      {"joe@[127.0.0.1", "joe@[127.0.0.1"},
      {"joe@127.0.0.1", "joe@127.0.0.1"},
      {"joe@[127.0.0.1]x", "joe@[127.0.0.1]x"},
      {"joe@[127.0.0.1]@b", "joe@[127.0.0.1]@b"},
      {"joe@[127.0.1]", "joe@[127.0.1]"},
      {"joe@[2001:db8::25]", "joe@[2001:db8::25]"},
      {"joe@[IPv6:2001:db8::25]", "joe@[IPv6:2001:db8::25]"},
      {"[127.0.0.1]", "[127.0.0.1]"},
      {"joe", "joe"},
      {"", ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(with_local_name(row.from, *host_, own_), row.to);
    EXPECT_EQ(parse_address("FROM:<" + row.from + ">", host_, own_),
              row.from.starts_with("@") ? "" : row.to);
  }
  EXPECT_EQ(parse_address("FROM:<joe@[127.0.0.1]>", std::nullopt, own_), "joe@[127.0.0.1]");
}

TEST_F(Literals, TheLengthCountsAfterTheReplacement) {
  const std::string fits = std::string(longest_address - 12, 'a') + "@example.org";
  EXPECT_EQ(parse_address("TO:<" + fits + ">", host_, own_), fits);
  EXPECT_EQ(parse_address("TO:<a" + fits + ">", host_, own_), std::nullopt);
  const std::string literal = std::string(longest_address - 13, 'a') + "@[127.0.0.1]";  // 898
  EXPECT_EQ(parse_address("TO:<" + literal + ">", std::nullopt, own_), literal);
  EXPECT_EQ(parse_address("TO:<" + literal + ">", host_, own_), std::nullopt);  // 900
}

TEST(Parameters, StandBehindTheAddress) {
  EXPECT_EQ(behind_address("FROM:<a@b> SIZE=1"), " SIZE=1");
  EXPECT_EQ(behind_address("FROM:a@b SIZE=1"), "SIZE=1");
  EXPECT_EQ(behind_address("FROM:<@x:a@b>SIZE=1"), "SIZE=1");
  EXPECT_EQ(behind_address("FROM:<\"> SIZE=1\"@b> X"), " X");
  EXPECT_EQ(behind_address("FROM:<a SIZE=1"), "");
  EXPECT_EQ(behind_address(""), "");
}

TEST(Parameters, Size) {
  for (const char* more :
       {"SIZE=1001", "size=1001x", " X SIZE=2000", "SIZE=1 SIZE=1001", "SIZE=0001001",
        "SIZE=18446744073709551617", "SIZE=99999999999999999999999999"}) {
    EXPECT_TRUE(announces_more(more, 1000)) << more;
  }
  for (const char* not_more : {"", " ", "SIZE=1000", "SIZE=", "SIZE=x9999", "SIZE=-5000",
                               "XSIZE=5000", "SIZE = 5000", "SIZE=0000000000001000"}) {
    EXPECT_FALSE(announces_more(not_more, 1000)) << not_more;
  }
}

}  // namespace
}  // namespace qmail::smtpd
