// What an administrator narrows, on both sides: versions and TLS 1.3's suites.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_pki.h"
#include "test_session.h"

namespace qmail::tls::test {
namespace {

constexpr ParameterFiles server_parameter_files{"tlsserverciphers", "serverciphersuite",
                                                "tlsservermethod"};
constexpr ParameterFiles client_parameter_files{"tlsclientciphers", "clientciphersuite",
                                                "tlsclientmethod"};

class ParametersTest : public testing::Test {
 protected:
  ServerSettings server(const Parameters& parameters) const {
    return {.certificate_file = certificate_, .parameters = parameters};
  }
  // "TLSv1.3 SUITE" as our server and our client settle it, or "none".
  std::string settled(const Parameters& of_server, const Parameters& of_client) const {
    auto server_context = ServerContext::create(server(of_server));
    auto client_context = ClientContext::create({.parameters = of_client});
    if (!server_context || !client_context) return "no context";
    const Meeting met = meet(*server_context, *client_context);
    if (!met.server || !met.client) return "none";
    EXPECT_EQ(met.client->facts.cipher, met.server->facts.cipher);
    return met.server->facts.version + " " + met.server->facts.cipher;
  }
  static Parameters versions(const std::string& list) {
    return {.versions = {list, "control/versions"}};
  }
  static Parameters suites(const std::string& list) { return {.suites = {list, "control/suites"}}; }
  // Of the server's context and of the client's, which must say the same.
  std::string refusal(const Parameters& parameters) const {
    const auto of_server = ServerContext::create(server(parameters));
    const auto of_client = ClientContext::create({.parameters = parameters});
    if (of_server || of_client) return "accepted";
    EXPECT_EQ(of_server.error().step, TlsError::Step::parameters);
    EXPECT_EQ(of_client.error().detail, of_server.error().detail);
    return of_server.error().detail;
  }
  std::vector<std::string> warnings(const Parameters& parameters) const {
    std::vector<std::string> texts;
    const auto context = ServerContext::create(server(parameters));
    EXPECT_TRUE(context);
    for (const Warning& warning : context->warnings()) {
      texts.push_back(warning.file + ": " + warning.reason);
    }
    return texts;
  }

  const Folder folder_;
  const Issued ca_ = authority("ca");
  const std::string certificate_ =
      folder_.file("servercert.pem", server_certificate("mx.example.org", ca_).both());
};

TEST_F(ParametersTest, ExactlyTheVersionsNamed) {
  const Parameters any;
  const Parameters tls12 = versions("TLSv1_2");
  const Parameters tls13 = versions("tlsv1_3");
  for (const auto& [one, other] : {std::pair(tls12, any), std::pair(any, tls12)}) {
    EXPECT_THAT(settled(one, other), testing::StartsWith("TLSv1.2 "));
  }
  for (const auto& [one, other] : {std::pair(tls13, any), std::pair(any, tls13)}) {
    EXPECT_THAT(settled(one, other), testing::StartsWith("TLSv1.3 "));
  }
  EXPECT_EQ(settled(tls12, tls13), "none");
  EXPECT_EQ(settled(tls13, tls12), "none");
  EXPECT_THAT(settled(versions("TLSv1_2:TLSv1_3"), tls12), testing::StartsWith("TLSv1.2 "));
  EXPECT_THAT(settled(versions("TLSv1_3:TLSv1_2"), tls13), testing::StartsWith("TLSv1.3 "));
  EXPECT_THAT(settled(versions("SSLv23"), tls12), testing::StartsWith("TLSv1.2 "));
  EXPECT_THAT(settled(versions("TLSv1_3:SSLv23"), tls12), testing::StartsWith("TLSv1.2 "));
}

TEST_F(ParametersTest, VersionsBelowTheFloorAreReadOver) {
  EXPECT_THAT(settled(versions("TLSv1:TLSv1_1:SSLv3:TLSv1_2"), {}),
              testing::StartsWith("TLSv1.2 "));
  EXPECT_THAT(warnings(versions("TLSv1:TLSv1_2")),
              testing::ElementsAre("control/versions: TLSv1 is no longer spoken"));
}

TEST_F(ParametersTest, WithoutAVersionThereIsNoContext) {
  for (const char* list : {"TLSv1", "TLSv1:SSLv3", "TLSv1_4", "TLSv1_2:TLSv1_4", ":"}) {
    EXPECT_EQ(refusal(versions(list)), "control/versions names no version") << list;
  }
}

TEST_F(ParametersTest, SuitesInTheirOrderUnknownOnesSkipped) {
  constexpr const char* chacha = "TLS_CHACHA20_POLY1305_SHA256";
  constexpr const char* aes128 = "TLS_AES_128_GCM_SHA256";
  const std::string both = std::string(chacha) + ":" + aes128;
  EXPECT_EQ(settled(suites(chacha), {}), std::string("TLSv1.3 ") + chacha);
  EXPECT_EQ(settled({}, suites(aes128)), std::string("TLSv1.3 ") + aes128);
  EXPECT_EQ(settled(suites(both), {}), std::string("TLSv1.3 ") + chacha);
  EXPECT_EQ(settled(suites("TLS_NONSENSE:" + both + ":AES128-SHA"), {}),
            std::string("TLSv1.3 ") + chacha);
  EXPECT_EQ(settled(suites("TLS_AES_128_CCM_SHA256"), suites("TLS_AES_128_CCM_SHA256")),
            "TLSv1.3 TLS_AES_128_CCM_SHA256");
  EXPECT_THAT(warnings(suites("TLS_NONSENSE:" + both)), testing::IsEmpty());
}

TEST_F(ParametersTest, WithoutASuiteTls12IsLeft) {
  for (const char* list : {"TLS_NONSENSE", "ECDHE-ECDSA-AES128-GCM-SHA256"}) {
    EXPECT_THAT(settled(suites(list), {}), testing::StartsWith("TLSv1.2 ")) << list;
    EXPECT_THAT(settled({}, suites(list)), testing::StartsWith("TLSv1.2 ")) << list;
    EXPECT_THAT(warnings(suites(list)),
                testing::ElementsAre("control/suites: names no cipher suite"));
  }
}

// What would make every handshake fail is found before one begins.
TEST_F(ParametersTest, NothingLeftToSpeakIsNoContext) {
  Parameters only13 = versions("TLSv1_3");
  only13.suites = {"TLS_NONSENSE", "control/suites"};
  EXPECT_EQ(refusal(only13), "control/suites names no cipher suite");
  Parameters only12 = versions("TLSv1_2");
  only12.ciphers = {"NO-SUCH-CIPHER", "control/ciphers"};
  EXPECT_EQ(refusal(only12), "control/ciphers names no cipher");
  Parameters neither = suites("TLS_NONSENSE");
  neither.ciphers = {"NO-SUCH-CIPHER", "control/ciphers"};
  EXPECT_EQ(refusal(neither), "control/suites names no cipher suite");
}

TEST_F(ParametersTest, FilesMayHoldLines) {
  const ControlDir control(folder_.path("."));
  folder_.file("tlsservermethod", "TLSv1_2\n# a remark\n\nTLSv1_3 \r\n");
  folder_.file("serverciphersuite", "A\nB:C\n");
  folder_.file("tlsserverciphers", "\n");
  const auto read = read_parameters(control, server_parameter_files);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->versions.list, "TLSv1_2:TLSv1_3");
  EXPECT_EQ(read->versions.origin, control.file("tlsservermethod"));
  EXPECT_EQ(read->suites.list, "A:B:C");
  EXPECT_EQ(read->ciphers.list, "DEFAULT");
  const auto of_client = read_parameters(control, client_parameter_files);
  ASSERT_TRUE(of_client);
  EXPECT_EQ(of_client->versions.list, "");

  const auto instead = read_parameters(control, server_parameter_files, Ciphers{"HIGH", "there"});
  ASSERT_TRUE(instead);
  EXPECT_EQ(instead->ciphers.list, "HIGH");
  EXPECT_EQ(instead->suites.list, "A:B:C");
}

TEST_F(ParametersTest, WhatCannotBeReadIsNamed) {
  const ControlDir control(folder_.path("."));
  for (const char* name : {"tlsclientciphers", "clientciphersuite", "tlsclientmethod"}) {
    std::filesystem::create_directory(folder_.path(name));
    const auto read = read_parameters(control, client_parameter_files);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().file, control.file(name));
    std::filesystem::remove(folder_.path(name));
  }
}

}  // namespace
}  // namespace qmail::tls::test
