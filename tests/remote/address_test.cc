#include "qmail-remote/address.h"

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

TEST(Quoted, ByTable) {
  const struct {
    const char* given;
    const char* wire;
  } cases[] = {
      {"", ""},
      {"bob", "bob"},  // no @: as it is
      {"no at \"quotes\"", "no at \"quotes\""},
      {"#@[]", "#@[]"},  // the double bounce's sender
      {"bob@example.org", "bob@example.org"},
      {"Bob.Lee@Example.ORG", "Bob.Lee@Example.ORG"},
      {"a!#$%&'*+-/=?^_`{|}~9@x", "a!#$%&'*+-/=?^_`{|}~9@x"},
      {"@example.org", "\"\"@example.org"},
      {".bob@x", "\".bob\"@x"},
      {"bob.@x", "\"bob.\"@x"},
      {"b..b@x", "\"b..b\"@x"},
      {"b.b@x", "b.b@x"},
      {".@x", "\".\"@x"},
      {"two words@x", "\"two words\"@x"},
      {"say \"hi\"\\@x", "\"say \\\"hi\\\"\\\\\"@x"},
      {"a@b@x", "\"a@b\"@x"},
      {"(c)<d>[e]:;,@x", "\"(c)<d>[e]:;,\"@x"},
      {"\xe4@x", "\"\xe4\"@x"},
      {"\x01\x7f@x", "\"\x01\x7f\"@x"},
      {"bob@", "bob@"},
      {"bob@sp ace\"", "bob@sp ace\""},  // the domain is never touched
  };
  for (const auto& one : cases) EXPECT_EQ(quoted(one.given), one.wire) << one.given;
}

TEST(Quoted, LineBreaks) {
  EXPECT_FALSE(has_line_break("bob@example.org"));
  EXPECT_FALSE(has_line_break(""));
  EXPECT_TRUE(has_line_break("bob\n@example.org"));
  EXPECT_TRUE(has_line_break("\rbob@example.org"));
  EXPECT_TRUE(has_line_break("bob@example.org\r\nRCPT TO:<x@y>"));
}

// What needs no question: the DNS client given here has nobody to ask.
TEST(Canonical, WithoutDns) {
  DnsClient nobody(NameServer{*parse_ip("127.0.0.1"), 1});
  const struct {
    const char* given;
    const char* canonical;
    bool alias;
  } cases[] = {
      {"bob", "bob", true},
      {"", "", true},
      {"bob@", "bob@", false},
      {"bob@.", "bob@", true},
      {"bob@[192.0.2.1]", "bob@[192.0.2.1]", false},
      {"bob@odd]", "bob@odd]", false},
      {"a@b@[192.0.2.1].", "a@b@[192.0.2.1]", true},
      {"bob@[192.0.2.1]............", "bob@[192.0.2.1]..", true},  // ten steps
  };
  for (const auto& one : cases) {
    const auto found = canonical(one.given, nobody);
    ASSERT_TRUE(found) << one.given;
    EXPECT_EQ(found->address, one.canonical) << one.given;
    EXPECT_EQ(found->is_alias, one.alias) << one.given;
  }
}

}  // namespace
}  // namespace qmail::remote
