#include "qmail-smtpd/client_certificate.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

using State = tls::ClientCertificate::State;

TEST(ClientCertificate, Judged) {
  const std::vector<std::string> list = {"relay@client.example", "Other@Client.example"};
  struct Row {
    tls::ClientCertificate certificate;
    std::optional<std::vector<std::string>> clients;
    std::optional<std::string> granted_to;
    std::string reason;
  };
  const std::string unlisted = "email address not in my list of tlsclients";
  const Row rows[] = {
      {{State::verified, "", "relay@client.example"}, list, "relay@client.example", ""},
      {{State::verified, "", "RELAY@client.example"}, list, "RELAY@client.example", ""},
      {{State::verified, "", "other@client.example"}, list, "other@client.example", ""},
      {{State::verified, "", "x@client.example"}, list, {}, unlisted},
      {{State::verified, "", "relay@client.exampl"}, list, {}, unlisted},
      {{State::verified, "", "relay@client.example\nX: y"}, list, {}, unlisted},
      {{State::verified, "", ""}, list, {}, unlisted},
      {{State::verified, "", "relay@client.example"}, std::vector<std::string>(), {}, unlisted},
      {{State::verified, "", {}}, list, {}, "contains no email address"},
      {{State::not_verified, "certificate has expired", "relay@client.example"},
       list,
       {},
       "certificate has expired"},
      {{State::none}, list, {}, ""},
      {{State::verified, "", "relay@client.example"}, {}, {}, ""},  // no tlsclients
      {{State::not_verified, "certificate has expired"}, {}, {}, ""},
  };
  for (const Row& row : rows) {
    const CertificateDecision decision = judge(row.certificate, row.clients);
    EXPECT_EQ(decision.granted_to, row.granted_to);
    EXPECT_EQ(decision.reason, row.reason);
  }
}

TEST(ClientCertificate, TheListIsReadWhenItIsNeeded) {
  const ScratchDir dir;
  const ControlDir control(dir.path());
  const tls::ClientCertificate certificate{State::verified, "", "relay@client.example"};
  EXPECT_EQ(decide_relaying(certificate, control)->granted_to, std::nullopt);
  dir.put("tlsclients", "# comment\n\nrelay@client.example \n");
  EXPECT_EQ(decide_relaying(certificate, control)->granted_to, "relay@client.example");
  const ScratchDir other;
  other.put_directory("tlsclients");
  EXPECT_EQ(decide_relaying(certificate, ControlDir(other.path())).error().file,
            other.file("tlsclients"));
}

TEST(ClientCertificate, WhatCannotBeReadIsNoRefusal) {
  const ScratchDir dir;
  const ControlDir control(dir.path());
  tls::ClientCertificate certificate{State::unknown, "Permission denied"};
  certificate.file = "control/clientca.pem";
  EXPECT_EQ(decide_relaying(certificate, control)->reason, "");  // this host relays for nobody
  dir.put("tlsclients", "relay@client.example\n");
  const auto decision = decide_relaying(certificate, control);
  ASSERT_FALSE(decision);
  EXPECT_EQ(decision.error().file, "control/clientca.pem");
  EXPECT_EQ(decision.error().reason, "Permission denied");
}

}  // namespace
}  // namespace qmail::smtpd
