#include "qmail-remote/report.h"

#include <array>
#include <unistd.h>

#include <gtest/gtest.h>

#include "qmail-remote/messages.h"

namespace qmail::remote {
namespace {

std::string written(const Reports& reports, const MessageReport& message) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  reports.finish(ends[1], message.status, message.text);
  ::close(ends[1]);
  std::array<char, 4096> buffer{};
  const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
  ::close(ends[0]);
  return {buffer.data(), static_cast<std::size_t>(got)};
}

TEST(Reports, LettersTextsAndNuls) {
  Reports reports;
  EXPECT_EQ(written(reports, deferred("later\n")), std::string("Zlater\n\0", 8));
  reports.add(RecipientStatus::accepted, "");
  reports.add(RecipientStatus::permanent, "no\n");
  reports.add(RecipientStatus::temporary, "not now\n");
  EXPECT_EQ(written(reports, failed("x\n")), std::string("r\0hno\n\0snot now\n\0Dx\n\0", 21));
  EXPECT_EQ(written(reports, {MessageStatus::accepted, "y\n"}),
            std::string("r\0hno\n\0snot now\n\0Ky\n\0", 21));
}

TEST(Reports, TextOfOthersIsMadeSafe) {
  EXPECT_EQ(printable("a b\tc\x7f\xe9!~"),
            "a?b?c?"
            "?!~");
  EXPECT_EQ(one_line("a\nb\tc \xe9\x7f"), "a?b?c \xe9?");
  EXPECT_EQ(without_nul(std::string_view("a\0b\xe9\n", 5)), "a?b\xe9\n");
}

// Whole sentences, as people and programs have searched for them for twenty years.
TEST(Messages, ByTable) {
  const std::pair<std::string, const char*> cases[] = {
      {connection_died("192.0.2.1", "", ""),
       "Connected to 192.0.2.1 but connection died. (#4.4.2)\n"},
      {connection_died("192.0.2.1", "Possible duplicate! ", "timed out"),
       "Connected to 192.0.2.1 but connection died. Possible duplicate! timed out (#4.4.2)\n"},
      {no_such_host("a b").text, "Sorry, I couldn't find any host named a?b. (#5.1.2)\n"},
      {tls_connect_failed("error:1\n"), "TLS connect failed: error:1?"},
      {tls_connect_failed(""), "TLS connect failed"},
      {name_not_verified("mx", received_certificate_for("Mail eXchanger")),
       "TLS unable to verify server mx: received certificate for Mail?eXchanger"},
      {quoted_reply(""), ""},
      {quoted_reply("550 no\n"), "Remote host said: 550 no\n"},
      {tls_facts("TLSv1.3", "AES", "/CN=a\n", "", ""),
       "STARTTLS proto=TLSv1.3; cipher=AES; subject=/CN=a?;\n"},
      {tls_facts("TLSv1.3", "AES", "", "/CN=ca", "X25519"),
       "STARTTLS proto=TLSv1.3; cipher=AES; issuer=/CN=ca; group=X25519;\n"},
      {tls_forbidden_while("mx.test", "somebody has a password"),
       "TLS forbidden by control/notlshosts/mx.test or control/tlshosts/exhaustivelist while "
       "somebody has a password"},
      {tls_forbidden_on_465("mx.test"),
       "TLS forbidden by control/notlshosts/mx.test or control/tlshosts/exhaustivelist, but port "
       "465 speaks nothing else"},
  };
  for (const auto& [got, wanted] : cases) EXPECT_EQ(got, wanted);
}

}  // namespace
}  // namespace qmail::remote
