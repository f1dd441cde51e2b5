#include "qmail-smtpd/starttls.h"

#include <string>

#include <gtest/gtest.h>

#include "qmail-smtpd/session.h"
#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

using Step = tls::TlsError::Step;

TEST(Starttls, FailuresAsTheClientSeesThem) {
  struct Row {
    tls::TlsError error;
    std::string reply;
  };
  const Row rows[] = {
      {{Step::library, "libssl.so.3: gone"},
       "454 TLS unable to load library: libssl.so.3: gone (#4.3.0)\r\n"},
      {{Step::context, ""}, "454 TLS unable to initialize ctx (#4.3.0)\r\n"},
      {{Step::session_id_context, "x"}, "454 TLS failed to set session_id_context: x (#4.3.0)\r\n"},
      {{Step::certificate, "error:1"}, "454 TLS missing certificate: error:1 (#4.3.0)\r\n"},
      {{Step::connection, "x"}, "454 TLS unable to initialize ssl: x (#4.3.0)\r\n"},
      {{Step::key, "a\r\nb"}, "454 TLS no valid RSA private key: a??b (#4.3.0)\r\n"},
  };
  for (const Row& row : rows) EXPECT_EQ(tls_failure_reply(row.error), row.reply);
}

TEST(Starttls, FailuresAsTheAdminSeesThem) {
  EXPECT_EQ(tls_failure_line({Step::handshake, "timed out"}),
            "TLS failed: connection failed: timed out");
  EXPECT_EQ(tls_failure_line({Step::key, "x", "control/servercert.pem", "make a new one"}),
            "TLS failed: no valid RSA private key: x; see control/servercert.pem; make a new one");
}

TEST(Starttls, TheLineForAStart) {
  tls::ServerSession session;
  session.facts = {"TLSv1.3", "TLS_AES_256_GCM_SHA384"};
  EXPECT_EQ(tls_start_line(session), "TLS started: TLSv1.3 TLS_AES_256_GCM_SHA384");
  session.facts.resumed = true;
  session.server_name = "mx.example.net\n";
  session.client.email = "relay @client.example";
  EXPECT_EQ(tls_start_line(session),
            "TLS started: TLSv1.3 TLS_AES_256_GCM_SHA384 resumed sni mx.example.net? "
            "cert relay?@client.example");
}

TEST(Starttls, TheGroupForDebugging) {
  EXPECT_EQ(group_line({"TLSv1.3", "AES", false, "X25519MLKEM768"}),
            "key exchange: X25519MLKEM768");
  EXPECT_EQ(group_line({"TLSv1.2", "AES256-SHA"}), "key exchange: without a group");
}

TEST(Starttls, TheCertificateForDebugging) {
  using State = tls::ClientCertificate::State;
  EXPECT_EQ(certificate_line({}), "client certificate: none");
  EXPECT_EQ(certificate_line({State::verified, "", "a@b", "/CN=x y", "/CN=ca"}),
            "client certificate: subject /CN=x?y issuer /CN=ca verified");
  EXPECT_EQ(certificate_line({State::not_verified, "has expired", {}, "/CN=x", "/CN=ca"}),
            "client certificate: subject /CN=x issuer /CN=ca not verified: has expired");
}

TEST(Starttls, WithoutACertificate) {
  const ScratchDir dir;
  const auto context = make_tls_context(ControlDir(dir.path()), {});
  ASSERT_FALSE(context.has_value());
  EXPECT_EQ(context.error().step, Step::certificate);
  EXPECT_EQ(context.error().file, dir.file("servercert.pem"));
}

TEST(Starttls, AnUnreadableCipherListComesLast) {
  const ScratchDir dir;
  dir.put_directory("tlsserverciphers");
  const auto context = make_tls_context(ControlDir(dir.path()), {});
  ASSERT_FALSE(context.has_value());  // not EndSession: the missing certificate is told first
  EXPECT_EQ(context.error().step, Step::certificate);
}

}  // namespace
}  // namespace qmail::smtpd
