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

const std::string digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// As "openssl x509 -fingerprint -sha256" has it.
const std::string as_openssl =
    "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:"
    "EF";

tls::ClientCertificate of_carol(State state) {
  tls::ClientCertificate certificate{state, state == State::verified ? "" : "certificate revoked"};
  if (state == State::verified) {
    certificate.email = "carol@client.example";
    certificate.alternative_emails = {"first@client.example", "Carol@client.example", ""};
  }
  certificate.sha256 = digest;
  return certificate;
}

TEST(ClientCertificate, TheFirstNameThatIsListed) {
  const auto granted = [](State state, const std::vector<std::string>& list) {
    return judge(of_carol(state), list).granted_to.value_or("nobody");
  };
  const std::string known = "sha256:" + digest;
  EXPECT_EQ(granted(State::verified, {known, "san:carol@client.example", "CAROL@client.example"}),
            "carol@client.example");
  EXPECT_EQ(granted(State::verified, {known, "SAN:CAROL@client.example"}), "Carol@client.example");
  EXPECT_EQ(granted(State::verified, {known, "san:x@client.example"}), known);
  // Each kind of line is for its own kind of name.
  EXPECT_EQ(granted(State::verified, {"first@client.example"}), "nobody");
  EXPECT_EQ(granted(State::verified, {"san:"}), "nobody");
  EXPECT_EQ(granted(State::verified, {digest}), "nobody");
  tls::ClientCertificate forged{State::verified, "", known};
  EXPECT_EQ(judge(forged, std::vector{known}).granted_to, std::nullopt);
  forged.email = "san:carol@client.example";
  EXPECT_EQ(judge(forged, std::vector{*forged.email}).granted_to, std::nullopt);
}

// Whoever knows the certificate itself asks nobody: not for its dates, not whether it was revoked.
TEST(ClientCertificate, ADigestNeedsNobodyToVouchForIt) {
  const std::vector<std::string> list{"SHA256:" + as_openssl, "san:carol@client.example"};
  for (const State state : {State::not_verified, State::unknown}) {
    EXPECT_EQ(judge(of_carol(state), list).granted_to, "sha256:" + digest);
    const auto other = judge(of_carol(state), std::vector{"sha256:" + std::string(64, '0')});
    EXPECT_EQ(other.granted_to, std::nullopt);
    EXPECT_EQ(other.reason, "certificate revoked");
  }
  EXPECT_EQ(judge({State::none}, list).granted_to, std::nullopt);
}

TEST(ClientCertificate, DigestsThatAreNone) {
  const std::string half = digest.substr(32);
  for (const std::string& text :
       {std::string(), half, digest + "0", digest + "00", digest.substr(1) + "g", ":" + digest,
        digest + ":", half + "::" + half, digest.substr(0, 1) + ":" + digest.substr(1),
        digest + " ", " " + digest}) {
    const auto decision = judge(of_carol(State::verified), std::vector{"sha256:" + text});
    EXPECT_EQ(decision.granted_to, std::nullopt) << text;
    EXPECT_EQ(decision.no_digests, std::vector{"sha256:" + text});
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
  certificate.sha256 = digest;
  dir.put("tlsclients", "sha256:" + digest + "\n");
  EXPECT_EQ(decide_relaying(certificate, control)->granted_to, "sha256:" + digest);
}

}  // namespace
}  // namespace qmail::smtpd
