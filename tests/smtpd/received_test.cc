#include "qmail-smtpd/received.h"

#include <string>

#include <gtest/gtest.h>

namespace qmail::smtpd {
namespace {

using std::string_literals::operator""s;

TEST(Received, Cleaned) {
  EXPECT_EQ(cleaned("aZ09.@%+/=:-"), "aZ09.@%+/=:-");
  EXPECT_EQ(cleaned("a_b[c] d\te\nf\xe9(\"'<>;,\\\x7f\0"s), "a?b?c??d?e?f???????????");
  EXPECT_EQ(cleaned(""), "");
}

TEST(Received, Date) {
  struct Row {
    std::int64_t seconds;
    std::string date;
  };
  const Row rows[] = {
      {0, "1 Jan 1970 00:00:00 -0000"},           {951782400, "29 Feb 2000 00:00:00 -0000"},
      {1767225599, "31 Dec 2025 23:59:59 -0000"}, {1767225600, "1 Jan 2026 00:00:00 -0000"},
      {1783260309, "5 Jul 2026 14:05:09 -0000"},  {4102444800, "1 Jan 2100 00:00:00 -0000"},
  };
  for (const Row& row : rows) EXPECT_EQ(trace_date(row.seconds), row.date);
}

TEST(Received, Field) {
  struct Row {
    Trace trace;
    std::string field;
  };
  const Row rows[] = {
      {{"client.example", "client.example", {}, "192.0.2.7", "mx.example", "SMTP"},
       "Received: from client.example (192.0.2.7)\n"
       "  by mx.example with SMTP; 1 Jan 1970 00:00:00 -0000\n"},
      {{"client.example", "CLIENT.Example", {}, "192.0.2.7", "mx.example", "SMTP"},
       "Received: from client.example (192.0.2.7)\n"
       "  by mx.example with SMTP; 1 Jan 1970 00:00:00 -0000\n"},
      {{"unknown", "", "joe", "2001:db8::7", "mx.example", "SMTP"},
       "Received: from unknown (HELO ) (joe@2001:db8::7)\n"
       "  by mx.example with SMTP; 1 Jan 1970 00:00:00 -0000\n"},
      {{"a\nb", "x y\r", "", "i p", "l_l", "ESMTPS (C_C encrypted)\n  (cert a_b@c)"},
       "Received: from a?b (HELO x?y?) (@i?p)\n"
       "  by l?l with ESMTPS (C_C encrypted)\n  (cert a_b@c); 1 Jan 1970 00:00:00 -0000\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(received_field(row.trace, 0), row.field);
}

}  // namespace
}  // namespace qmail::smtpd
