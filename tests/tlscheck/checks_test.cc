// Each mistake an admin can make is planted in a control directory that is otherwise in order, and
// must be named; and the directory that is in order gets no complaint.
#include "qmail-tlscheck/checks.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utime.h>

#include <cdb.h>
#include <gtest/gtest.h>

#include "name_server.h"
#include "qmail-tlscheck/tcp_rules.h"
#include "qmail/control.h"
#include "qmail/unique_fd.h"
#include "test_pki.h"

namespace qmail::tlscheck {
namespace {

using tls::test::authority;
using tls::test::client_certificate;
using tls::test::day;
using tls::test::issue;
using tls::test::Issued;
using tls::test::KeyForm;
using tls::test::KeyKind;
using tls::test::server_certificate;

class ChecksTest : public testing::Test {
 protected:
  ChecksTest() {
    std::filesystem::create_directories(control("tlshosts"));
    std::filesystem::create_directories(control("notlshosts"));
    for (const char* folder : {"", "tlshosts", "notlshosts"}) set_mode(folder, 0710);
    put("me", "mx.example.org\n");
    put("servercert.pem", server_.both() + ca_.pem());
    put("clientcert.pem", client_certificate("mx@example.org", ca_).both() + ca_.pem());
    put("tlsserverciphers", "HIGH:!aNULL\n");
    put("tlsclientciphers", "DEFAULT:!aNULL\nECDHE+AESGCM\n@SECLEVEL=2\n");
    put("dh2048.pem", tls::test::dh_pem(2048));
    put("tlsclients", "# who may relay\nalice@example.org\n");
    put("clientca.pem", ca_.pem());
    put("clientcrl.pem", tls::test::revocation_list(ca_, {}));
    put("tlsticketkeys", std::string(160, 'k'));
    put("tlshosts/mx.example.net.pem", ca_.pem());
    put("notlshosts/old.example.net", "");
  }

  std::string control(const std::string& name) const { return folder_.path("control/" + name); }
  void put(const std::string& name, const std::string& content) const {
    folder_.file("control/" + name, content);
    ASSERT_EQ(::chmod(control(name).c_str(), 0640), 0);
  }
  void set_mode(const std::string& name, mode_t mode) const {
    ASSERT_EQ(::chmod(control(name).c_str(), mode), 0);
  }
  void remove(const std::string& name) const { std::filesystem::remove(control(name)); }

  Findings check() const {
    Settings settings;
    settings.now = std::time(nullptr);
    // Neither owns the files; both are in their group.
    settings.smtpd = Account{"qmaild", ::geteuid() + 1, {::getegid()}};
    settings.remote = Account{"qmailr", ::geteuid() + 2, {::getegid()}};
    return check_all(ControlDir(folder_.path("control")), settings);
  }
  // Exactly the planted mistake is named: `file` at that level, with `words` in the text.
  void expect(Level level, const std::string& file, const std::string& words) const {
    bool found = false;
    std::string all;
    for (const Finding& finding : check().all()) {
      all += finding.file + ": " + finding.text + "\n";
      found = found || (finding.level == level && finding.file == control(file) &&
                        finding.text.find(words) != std::string::npos);
    }
    EXPECT_TRUE(found) << "not found: " << file << ": " << words << "\nin:\n" << all;
  }
  void expect_only_ok_of(const std::string& file) const {
    for (const Finding& finding : check().all()) {
      if (finding.file != control(file)) continue;
      EXPECT_EQ(finding.level, Level::ok) << finding.text;
    }
  }
  void expect_in_no_finding(const std::string& words) const {
    for (const Finding& finding : check().all()) {
      EXPECT_EQ(finding.text.find(words), std::string::npos)
          << finding.file << ": " << finding.text;
    }
  }
  void expect_nothing_of(const std::string& file) const {
    for (const Finding& finding : check().all()) {
      EXPECT_NE(finding.file, control(file)) << finding.text;
    }
  }

  tls::test::Folder folder_;
  Issued ca_ = authority("Test CA");
  Issued server_ = server_certificate("mx.example.org", ca_);
};

TEST_F(ChecksTest, NothingToComplainOf) {
  for (const Finding& finding : check().all()) {
    EXPECT_EQ(finding.level, Level::ok) << finding.file << ": " << finding.text;
  }
  EXPECT_EQ(check().exit_status(), 0);
  EXPECT_GE(check().all().size(), 10U);
}

TEST_F(ChecksTest, TheCertificateIsDescribed) {
  expect(Level::ok, "servercert.pem",
         "CN=mx.example.org; names mx.example.org; issued by CN=Test CA; key EC 256; expires ");
}

TEST_F(ChecksTest, NamesThatWouldForgeALineOrDriveATerminal) {
  using namespace std::string_literals;
  tls::test::Request request;
  request.subject = {{NID_commonName, "mx.example.org\nok   b"}};
  request.dns_names = {"mx.example.org", "a\nfail b: c", "\x1b[2J\x7f\xff\0"s};
  put("servercert.pem", issue(request, &ca_).both() + ca_.pem());
  expect(Level::ok, "servercert.pem",
         "CN=mx.example.org\\0Aok   b; names mx.example.org, a?fail?b:?c, ?[2J???; issued by ");
}

TEST_F(ChecksTest, NoMe) {
  remove("me");
  expect(Level::fail, "me", "is not there");
}

TEST_F(ChecksTest, NoServerCertificate) {
  remove("servercert.pem");
  expect(Level::warn, "servercert.pem", "does not offer STARTTLS");
}

TEST_F(ChecksTest, GarbageForACertificate) {
  put("servercert.pem", "garbage\n");
  expect(Level::fail, "servercert.pem", "cannot be used");
}

TEST_F(ChecksTest, AFifoIsNamedAndNotWaitedFor) {
  for (const char* name : {"servercert.pem", "clientca.pem", "clientcert.pem", "tlsticketkeys"}) {
    remove(name);
    ASSERT_EQ(::mkfifo(control(name).c_str(), 0640), 0);
  }
  for (const char* name : {"servercert.pem", "clientca.pem", "clientcert.pem", "tlsticketkeys"}) {
    bool named = false;
    for (const Finding& finding : check().all()) {
      named = named || (finding.level != Level::ok && finding.file == control(name));
    }
    EXPECT_TRUE(named) << name;
  }
}

TEST_F(ChecksTest, NoKey) {
  put("servercert.pem", server_.pem());
  expect(Level::fail, "servercert.pem", "holds no private key");
}

TEST_F(ChecksTest, AnothersKey) {
  put("servercert.pem",
      server_.pem() + tls::test::key_pem(tls::test::key(KeyKind::rsa), KeyForm::pkcs8));
  expect(Level::fail, "servercert.pem", "not that of the first certificate");
}

TEST_F(ChecksTest, AFileThatIsCutOff) {
  const std::string issuer = ca_.pem();
  const std::string cut = server_.both() + issuer.substr(0, issuer.size() / 2);
  for (const char* name : {"servercert.pem", "clientcert.pem"}) {
    put(name, cut);
    expect(Level::fail, name, "is damaged or cut off (certificates that can be read: 1): error:");
    put(name, server_.both() + issuer + issuer.substr(0, issuer.size() / 2));
    expect(Level::fail, name, "is damaged or cut off (certificates that can be read: 2): error:");
  }
}

// A renewed certificate is judged where it lies, before it replaces the old one.
TEST_F(ChecksTest, ACandidateIsJudgedByItself) {
  const auto judged = [&](const std::string& content) {
    const Settings settings{{}, {}, std::time(nullptr)};
    Findings found;
    check_candidate({ControlDir(folder_.path("control")), settings},
                    folder_.file("candidate.pem", content), found);
    for (const Finding& finding : found.all()) {
      EXPECT_EQ(finding.file, folder_.path("candidate.pem"));
    }
    return found.exit_status();
  };
  put("servercert.pem", "garbage\n");
  const std::string good = server_.both() + ca_.pem();
  EXPECT_EQ(judged(good), 0);
  EXPECT_EQ(judged(server_.pem() + "\xef\xbb\xbf" + ca_.pem() + server_.key_pem()), 0);
  EXPECT_EQ(judged(good + ca_.pem().substr(0, 200)), 2);
  EXPECT_EQ(judged(good + "-----BEGIN CERTIFI"), 2);
  EXPECT_EQ(judged(server_.pem()), 2);
  EXPECT_EQ(judged(server_certificate("elsewhere.example.org", ca_).both() + ca_.pem()), 1);
  const std::string short_key =
      server_certificate("mx.example.org", ca_, KeyKind::weak_rsa).both() + ca_.pem();
  EXPECT_EQ(judged(short_key), 2);
  put("tlsserverciphers", "HIGH:@SECLEVEL=0\n");
  EXPECT_EQ(judged(short_key), 0);
}

TEST_F(ChecksTest, AnEncryptedKey) {
  put("servercert.pem",
      server_.pem() + tls::test::key_pem(tls::test::key(KeyKind::ecdsa), KeyForm::encrypted_pkcs8));
  expect(Level::fail, "servercert.pem", "encrypted");
  put("clientcert.pem",
      server_.pem() + tls::test::key_pem(tls::test::key(KeyKind::ecdsa), KeyForm::encrypted_pkcs8));
  expect(Level::fail, "clientcert.pem", "encrypted");
}

TEST_F(ChecksTest, AnExpiredCertificateOneFromTheFutureAndOneAboutToExpire) {
  tls::test::Request request;
  request.subject = {{NID_commonName, "mx.example.org"}};
  request.from = -3 * day;
  request.until = -day;
  put("servercert.pem", issue(request, &ca_).both() + ca_.pem());
  expect(Level::fail, "servercert.pem", "expired ");
  request.from = day;
  request.until = 90 * day;
  put("servercert.pem", issue(request, &ca_).both() + ca_.pem());
  expect(Level::fail, "servercert.pem", "is not valid before ");
  request.from = -day;
  request.until = 5 * day;
  put("servercert.pem", issue(request, &ca_).both() + ca_.pem());
  expect(Level::warn, "servercert.pem", "expires ");
}

TEST_F(ChecksTest, AChainThatIsNotComplete) {
  put("servercert.pem", server_.both());
  expect(Level::warn, "servercert.pem", "put the issuer's certificate behind the first one");
}

TEST_F(ChecksTest, ACertificateForAnotherHost) {
  put("me", "other.example.org\n");
  expect(Level::warn, "servercert.pem", "does not name this host: control/me is other.example.org");
}

TEST_F(ChecksTest, AFileTheProgramCannotRead) {
  for (const char* name : {"servercert.pem", "clientcert.pem", "tlshosts/mx.example.net.pem",
                           "tlsserverciphers", "tlsclientciphers"}) {
    set_mode(name, 0600);
  }
  expect(Level::fail, "tlsserverciphers", "cannot be read by qmaild");
  expect(Level::fail, "tlsclientciphers", "cannot be read by qmailr");
  expect(Level::fail, "servercert.pem", "cannot be read by qmaild");
  expect(Level::fail, "clientcert.pem", "cannot be read by qmailr");
  expect(Level::fail, "tlshosts/mx.example.net.pem", "cannot be read by qmailr");
}

TEST_F(ChecksTest, AFolderTheProgramCannotSearch) {
  for (const char* name : {"tlshosts", "notlshosts"}) {
    set_mode(name, 0700);
    expect(Level::fail, name,
           "cannot be searched by qmailr, as whom qmail-remote runs, so all mail is deferred: "
           "chmod 755");
    set_mode(name, 0740);  // to list it is not enough
    expect(Level::fail, name, "cannot be searched by qmailr");
    set_mode(name, 0711);
    expect_nothing_of(name);
    remove(name + std::string("/mx.example.net.pem"));
    remove(name + std::string("/old.example.net"));
    remove(name);
    expect_nothing_of(name);
  }
}

TEST_F(ChecksTest, AControlFolderTheProgramsCannotSearch) {
  set_mode("", 0700);
  const std::string folder = folder_.path("control");
  std::vector<std::string> texts;
  for (const Finding& finding : check().all()) {
    if (finding.level == Level::fail && finding.file == folder) texts.push_back(finding.text);
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "cannot be searched by qmaild, as whom qmail-smtpd runs, so no mail is "
                       "accepted: chmod 755",
                       "cannot be searched by qmailr, as whom qmail-remote runs, so all mail is "
                       "deferred: chmod 755"}));
}

// Most of them count as there for the programs: what they stand for is wanted, and cannot be had.
TEST_F(ChecksTest, LinksThatLeadNowhere) {
  const std::vector<std::string> names{"servercert.pem",   "clientcert.pem",
                                       "tlsserverciphers", "tlsclientciphers",
                                       "dh2048.pem",       "tlsticketkeys",
                                       "tlsclients",       "clientca.pem",
                                       "clientcrl.pem",    "tlshosts/mx.example.net.pem"};
  for (const std::string& name : names) {
    const std::string content = **read_file(control(name));
    remove(name);
    std::filesystem::create_symlink("nowhere", control(name));
    expect(Level::fail, name, "is a symbolic link that leads nowhere");
    for (const Finding& finding : check().all()) {
      EXPECT_EQ(finding.text.find("cannot be read by"), std::string::npos) << finding.file;
      EXPECT_TRUE(finding.file != control(name) || finding.level != Level::ok) << finding.text;
    }
    remove(name);
    put(name, content);
  }
  EXPECT_EQ(check().exit_status(), 0);
}

TEST_F(ChecksTest, AFolderThatIsALinkThatLeadsNowhere) {
  std::filesystem::remove_all(control("tlshosts"));
  std::filesystem::create_symlink("nowhere", control("tlshosts"));
  expect(Level::fail, "tlshosts", "is a symbolic link that leads nowhere");
}

TEST_F(ChecksTest, AKeyThatEverybodyCanRead) {
  ASSERT_EQ(::chmod(control("servercert.pem").c_str(), 0644), 0);
  expect(Level::fail, "servercert.pem", "can be read by everybody");
  ASSERT_EQ(::chmod(control("tlsticketkeys").c_str(), 0644), 0);
  expect(Level::fail, "tlsticketkeys", "can be read by everybody");
}

TEST_F(ChecksTest, CiphersThatMeanNothing) {
  put("tlsserverciphers", "HIGH:NO-SUCH-CIPHER\n");
  expect(Level::warn, "tlsserverciphers", "names no cipher this OpenSSL has: NO-SUCH-CIPHER");
  put("tlsclientciphers", "NONSENSE\n");
  expect(Level::fail, "tlsclientciphers", "NONSENSE");
}

TEST_F(ChecksTest, SuitesAndVersions) {
  constexpr const char* unknown = "names something that is not known, or no longer spoken: ";
  for (const char* file : {"serverciphersuite", "clientciphersuite"}) {
    put(file, "TLS_AES_128_GCM_SHA256:TLS_NONSENSE\n");
    expect(Level::warn, file, std::string(unknown) + "TLS_NONSENSE");
    put(file, "TLS_NONSENSE\n");
    expect(Level::fail, file, "names no cipher suite");
    put(file, "TLS_AES_128_GCM_SHA256\n");
    expect(Level::ok, file, "TLS_AES_128_GCM_SHA256");
  }
  for (const char* file : {"tlsservermethod", "tlsclientmethod"}) {
    put(file, "TLSv1:TLSv1_2\n");
    expect(Level::warn, file, std::string(unknown) + "TLSv1");
    put(file, "TLSv1_4\n");
    expect(Level::fail, file, "TLS fails");
    put(file, "TLSv1_2\nTLSv1_3\n");
    expect(Level::ok, file, "TLSv1_2:TLSv1_3");
  }
}

TEST_F(ChecksTest, WordsThatACipherListMayBeginWith) {
  for (const char* list : {"DEFAULT:@SECLEVEL=1\n", "DEFAULT@SECLEVEL=0\n", "SUITEB128\n"}) {
    put("tlsserverciphers", list);
    EXPECT_EQ(check().exit_status(), 0) << list;
  }
  // Elsewhere OpenSSL does not know them.
  for (const char* list : {"HIGH:DEFAULT\n", "@SECLEVEL=1:DEFAULT\n"}) {
    put("tlsserverciphers", list);
    expect(Level::warn, "tlsserverciphers",
           "names no cipher this OpenSSL has: DEFAULT (it counts only as the first word)");
  }
  put("tlsserverciphers", "SUITEB128:NONSENSE\n");
  expect(Level::warn, "tlsserverciphers", "names no cipher this OpenSSL has: NONSENSE");
  put("tlsserverciphers", "HIGH:!DEFAULT\n");
  expect(Level::warn, "tlsserverciphers", "names no cipher this OpenSSL has: !DEFAULT");
}

TEST_F(ChecksTest, TheCertificateMustMeetTheSecurityLevelOfTheCiphers) {
  const auto with_key = [&](KeyKind kind) {
    return server_certificate("mx.example.org", ca_, kind).both() + ca_.pem();
  };
  put("servercert.pem", with_key(KeyKind::rsa));
  EXPECT_EQ(check().exit_status(), 0);
  put("tlsserverciphers", "# RSA with 3072 bits or more\nHIGH\n@SECLEVEL=3\n");
  expect(Level::fail, "servercert.pem", "cannot be used, TLS fails: ");
  expect(Level::warn, "dh2048.pem", "not looked at before servercert.pem can be used");
  expect(Level::warn, "tlsticketkeys", "not looked at before servercert.pem can be used");
  put("servercert.pem", with_key(KeyKind::weak_rsa));
  put("tlsserverciphers", "HIGH:@SECLEVEL=0\n");
  EXPECT_EQ(check().exit_status(), 0);
  put("tlsserverciphers", "HIGH:@SECLEVEL=2\n");
  expect(Level::fail, "servercert.pem", "cannot be used, TLS fails: ");
}

TEST_F(ChecksTest, AFaultIsNamedOnce) {
  put("tlsserverciphers", "NONSENSE\n");
  const auto all = check().all();
  const auto says_so = [](const Finding& finding) {
    return finding.text.find("TLS 1.2 will not work") != std::string::npos;
  };
  EXPECT_EQ(std::count_if(all.begin(), all.end(), says_so), 1);
}

TEST_F(ChecksTest, WeakOrDamagedParameters) {
  put("dh2048.pem", tls::test::dh_pem(1024));
  expect(Level::warn, "dh2048.pem", "shorter than 2048 bits");
  put("dh2048.pem", "garbage\n");
  expect(Level::warn, "dh2048.pem", "no DH parameters");
}

TEST_F(ChecksTest, TicketKeysThatAreBadOrOld) {
  put("tlsticketkeys", "short");
  expect(Level::warn, "tlsticketkeys", "");
  put("tlsticketkeys", std::string(80, 'k'));
  const utimbuf old{0, std::time(nullptr) - 3 * day};
  ASSERT_EQ(::utime(control("tlsticketkeys").c_str(), &old), 0);
  expect(Level::warn, "tlsticketkeys", "is unchanged since");
}

TEST_F(ChecksTest, TlsclientsThatCannotMatch) {
  put("tlsclients", "alice@example.org\nbob\n carol@example.org\nDave <dave@example.org>\n");
  expect(Level::warn, "tlsclients", "cannot match a certificate's mail address: bob");
  expect(Level::warn, "tlsclients", ":  carol@example.org");
  expect(Level::warn, "tlsclients", "Dave <dave@example.org>");
  expect(Level::ok, "tlsclients", "1 addresses may relay");
  put("tlsclients", "# nobody\n");
  expect(Level::warn, "tlsclients", "lists nobody");
  const std::string digest(64, 'a');
  put("tlsclients", "sha256:" + digest + "\nsan:alice@example.org\nsan:\nsha256:" + digest + "a\n");
  expect(Level::warn, "tlsclients", "is no fingerprint (64 hexadecimal digits): sha256:aaa");
  expect(Level::warn, "tlsclients", "cannot match a certificate's mail address: san:");
  expect(Level::ok, "tlsclients", "1 addresses may relay");
  expect(Level::ok, "tlsclients", "1 certificates may relay, whatever their dates");
  remove("clientca.pem");
  expect(Level::warn, "tlsclients", "there is no clientca.pem, so nobody relays by an address");
  put("tlsclients", "sha256:" + digest + "\n");
  for (const Finding& finding : check().all()) {
    if (finding.file == control("tlsclients")) {
      EXPECT_EQ(finding.level, Level::ok) << finding.text;
    }
  }
}

TEST_F(ChecksTest, LinesThatAreNotWhatTheyLookLike) {
  put("rcpthosts",
      "example.org\n\xef\xbb\xbf"
      "example.net\n");
  expect(Level::fail, "rcpthosts", "line 2 has a byte order mark in it");
  put("databytes",
      "\xef\xbb\xbf"
      "1000000\n");  // no number for qmail, so no limit
  expect(Level::fail, "databytes", "line 1 has a byte order mark in it");
  put("smtproutes", "example.com:relay.example.com\xc2\xa0\n");
  expect(Level::fail, "smtproutes", "line 1 has a no-break space in it");
}

// What qmail-remote's own reader says.
TEST_F(ChecksTest, WhatStopsEveryDelivery) {
  const struct {
    const char* file;
    const char* good;
    const char* bad;
    const char* words;
  } cases[] = {
      {"pipelining", "data\nQUIT\n", "data\nall\n", "line 2: unknown word all"},
      {"mailparams", "Size\n8bitmime smtputf8\n", "size dsn\n", "line 1: unknown word dsn"},
      {"addresspreference", "ipv4only\n", "ipv5\n", "line 1: unknown word ipv5"},
      {"outgoingip", "192.0.2.1\n", "::1\n", "is no address of its family"},
      {"helohostbyip", "192.0.2.1:mx\n", "# a\nmx\n", "line 2: "},
      {"authsenders", ":relay\n", "relay\n", "line 1: no colon"},
  };
  for (const auto& one : cases) {
    put(one.file, one.good);
    expect_nothing_of(one.file);
    put(one.file, one.bad);
    expect(Level::fail, one.file, std::string(one.words));
    expect(Level::fail, one.file, "qmail-remote defers all mail");
    put(one.file, one.good);
    set_mode(one.file, 0600);
    expect(Level::fail, one.file, "qmailr");
    remove(one.file);
    std::filesystem::create_directory(control(one.file));
    expect(Level::fail, one.file, "qmail-remote defers all mail");
    remove(one.file);
  }
}

TEST_F(ChecksTest, PasswordsThatEverybodyCanRead) {
  for (const char* name : {"smtproutes", "authsenders"}) {
    put(name, "example.com:relay.example.com|user|secret\n");
    expect(Level::warn, name, "whoever answers there gets it");
    put("tlshosts/relay.example.com.pem", server_.pem());
    expect_nothing_of(name);
    set_mode(name, 0644);
    expect(Level::fail, name, "can be read by everybody on this machine and holds a password");
    put(name, "example.com:relay.example.com\n");
    set_mode(name, 0644);
    expect_nothing_of(name);
    remove(name);
    remove("tlshosts/relay.example.com.pem");
  }
}

TEST_F(ChecksTest, AFolderThatIsAFile) {
  std::filesystem::remove_all(control("notlshosts"));
  put("notlshosts", "");
  expect(Level::warn, "notlshosts", "a list of hosts is another qmail's");
  std::filesystem::remove_all(control("tlshosts"));
  put("tlshosts", "");
  expect(Level::warn, "tlshosts", "cannot be listed");
}

TEST_F(ChecksTest, HalfOfRelaying) {
  remove("clientca.pem");
  expect(Level::warn, "tlsclients", "there is no clientca.pem");
  put("clientca.pem", "");
  expect(Level::fail, "clientca.pem", "holds no certificate");
  put("clientca.pem", server_.pem());
  expect(Level::warn, "clientca.pem", "is no authority");
  remove("tlsclients");
  expect(Level::warn, "clientca.pem", "there is no tlsclients");
}

TEST_F(ChecksTest, RevocationLists) {
  put("clientcrl.pem", "garbage\n");
  expect(Level::fail, "clientcrl.pem", "cannot be used, so nobody relays");
  put("clientcrl.pem", tls::test::revocation_list(ca_, {}, -3 * day, -day));
  expect(Level::fail, "clientcrl.pem", "expired ");
  const Issued other = authority("Other CA");
  put("clientcrl.pem", tls::test::revocation_list(other, {}));
  expect(Level::ok, "clientcrl.pem", "CN=Other CA, an authority that is not in clientca.pem");
  expect(Level::fail, "clientcrl.pem", "holds no list of CN=Test CA");
  const Issued impostor = authority("Test CA", KeyKind::other_rsa);
  put("clientcrl.pem", tls::test::revocation_list(impostor, {}));
  expect(Level::fail, "clientcrl.pem", "did not sign");
}

TEST_F(ChecksTest, HostsToBeVerified) {
  put("tlshosts/a.example.net.pem", "garbage\n");
  expect(Level::fail, "tlshosts/a.example.net.pem", "all mail to this host is deferred");
  put("tlshosts/b.example.net.pem", server_.pem());
  expect(Level::fail, "tlshosts/b.example.net.pem", "no server can be verified with it");
  tls::test::Request request;
  request.subject = {{NID_commonName, "Old CA"}};
  request.from = -3 * day;
  request.until = -day;
  put("tlshosts/c.example.net.pem", issue(request, nullptr).pem());
  expect(Level::fail, "tlshosts/c.example.net.pem", "expired ");
  put("tlshosts/d.example.net", ca_.pem());
  expect(Level::warn, "tlshosts/d.example.net", "has no effect");
  put("tlshosts/E.example.net.pem", ca_.pem());
  expect(Level::warn, "tlshosts/E.example.net.pem", "capitals in its name");
}

TEST_F(ChecksTest, Policies) {
  put("me", "mx.example.org\n");
  put("smtproutes", "routed.test:relay.test\n");
  put("tlspolicy",
      "twice.test:may\nrouted.test:secure\nbad.test:sometimes\nTwice.test:none\n"
      "dot.test.:may\nrelay.test:secure tafile=other.pem\n");
  put("other.pem", "nothing\n");
  put("tlsca.pem", ca_.pem());
  expect(Level::warn, "tlspolicy", "line 1 has no effect: line 4 is for the same");
  expect(Level::warn, "tlspolicy",
         "line 2 has no effect: smtproutes sends mail for routed.test to relay.test");
  expect(Level::fail, "tlspolicy",
         "line 3: unknown level sometimes: mail for bad.test is deferred");
  expect(Level::warn, "tlspolicy", "line 5 has no effect: what mail goes to");
  expect(Level::fail, "other.pem", "all mail that needs it is deferred");
  expect(Level::warn, "tlsca.pem", "has no effect");
  put("tlspolicy", ":secure\n");
  put("tlsca.pem", "nothing\n");
  expect(Level::fail, "tlsca.pem", "all mail that needs it is deferred");
  put("tlspolicy", ":secure\nb secure\n");
  expect(Level::fail, "tlspolicy", "line 2: no colon: qmail-remote defers all mail");
}

// Whether a line has an effect hangs on what mail can go to at all.
TEST_F(ChecksTest, PoliciesOfRelays) {
  const auto no_effect = [&](int line, const std::string& why) {
    expect(Level::warn, "tlspolicy", "line " + std::to_string(line) + " has no effect: " + why);
  };
  // The relay's line counts, wherever mail for the relay itself goes.
  put("smtproutes", "routed.test:relay.test\nrelay.test:other.test\n");
  put("tlspolicy", "relay.test:sometimes\n");
  expect(Level::fail, "tlspolicy",
         "line 1: unknown level sometimes: mail for relay.test is deferred");
  put("tlspolicy", "relay.test:encrypt\n:may\n");
  expect_only_ok_of("tlspolicy");
  // So does one for all below a domain.
  put("smtproutes", ":smarthost.isp.test:587\n");
  put("tlspolicy", ".isp.test:encrypt\n");
  expect_only_ok_of("tlspolicy");
  // Nothing goes by DNS.
  put("tlspolicy", ".isp.test:encrypt\n:may\n.other.test:encrypt\npartner.test:encrypt\n");
  for (const int line : {2, 3, 4}) no_effect(line, "all it is for has a route");
  put("smtproutes", ":smarthost.isp.test\npartner.test:\n");
  no_effect(2, "all it is for has a route");
  no_effect(3, "smtproutes sends mail for .other.test to smarthost.isp.test");
  put("tlspolicy", ".isp.test:encrypt\npartner.test:encrypt\n");
  expect_only_ok_of("tlspolicy");
  // By sender.
  remove("smtproutes");
  put("authsenders", "a@b.test:a.isp.test\n:b.isp.test\n");
  put("tlspolicy", "a.isp.test:encrypt\npartner.test:encrypt\n:may\n");
  no_effect(2, "all it is for has a route");
  put("authsenders", "a@b.test:\n:a.isp.test\n");  // but for his
  expect_only_ok_of("tlspolicy");
  remove("authsenders");
  put("tlspolicy", ".:encrypt\n");
  no_effect(1, "what mail goes to is looked for without a final dot");
}

// What the older files, the port or the form of an address keep from being done.
TEST_F(ChecksTest, PoliciesAgainstWhatElseIsThere) {
  put("notlshosts/relay.test", "");
  put("smtproutes", "a.test:relay.test\nb.test:smtps.test:465\nc.test:mx.example.net\n");
  put("tlspolicy", "relay.test:secure\nsmtps.test:none\nmx.example.net:encrypt\n");
  expect(Level::fail, "smtproutes",
         "all mail to relay.test is deferred: TLS forbidden by control/notlshosts/relay.test or "
         "control/tlshosts/exhaustivelist while control/tlspolicy says secure for relay.test");
  expect(Level::fail, "smtproutes",
         "all mail to smtps.test is deferred: TLS forbidden by control/tlspolicy for smtps.test, "
         "but port 465 speaks nothing else");
  remove("notlshosts/relay.test");
  expect_in_no_finding("all mail to relay.test");
  // The files of single hosts.
  put("smtproutes", "c.test:mx.example.net\nmx.example.net:\n");
  put("tlspolicy", "mx.example.net:encrypt\n");
  expect_only_ok_of("tlspolicy");  // its exchangers may be others
  put("smtproutes", "c.test:mx.example.net\nmx.example.net:elsewhere.test\n");
  expect(Level::warn, "tlspolicy",
         "line 1 has no effect: what counts is " + control("tlshosts/mx.example.net.pem"));
  remove("smtproutes");
  // Addresses.
  put("tlspolicy",
      "[192.0.2.1]:secure\n[192.0.2.2]:dane\n[192.0.2.3]:dane-only\n"
      "[192.0.2.4]:secure match=mx.test\n");
  expect(Level::fail, "tlspolicy",
         "line 1: mail for [192.0.2.1] is deferred: TLS unable to verify server 192.0.2.1: it has "
         "no name");
  expect(Level::warn, "tlspolicy", "line 2: dane is may here: an address has no TLSA records");
  expect(Level::fail, "tlspolicy",
         "line 3: mail for [192.0.2.3] is deferred: No secure TLSA records for 192.0.2.3");
  expect_in_no_finding("line 4");
  // A list that forbids TLS with everybody else.
  put("tlshosts/exhaustivelist", "");
  put("tlspolicy", "a.test:may\nb.test:encrypt\nc.test:dane\n");
  expect(Level::warn, "tlspolicy",
         "line 1 has no effect: " + control("tlshosts/exhaustivelist") + " forbids TLS");
  expect(Level::warn, "tlspolicy", "line 2: mail for b.test is deferred, unless the server has");
  expect(Level::warn, "tlspolicy",
         "line 3: mail for c.test to servers with TLSA records is deferred, unless the server");
}

TEST_F(ChecksTest, RoutesThatCannotBeUsed) {
  put("smtproutes", "a.test:relay.test|user\nb.test:relay.test\na.test:|user|secret\n");
  put("authsenders", ":relay.test||secret\n");
  const std::string deferred = ": the mail that it is for is deferred";
  expect(Level::fail, "smtproutes", "line 3: no relay" + deferred);
  expect(Level::fail, "authsenders", "line 1: empty user" + deferred);
  expect_in_no_finding("secret");
}

TEST_F(ChecksTest, FilesOfOtherFamiliesAboutDeliveries) {
  put("tlsdestinations", "partner.test\n");
  expect(Level::warn, "tlsdestinations",
         "another qmail's: it has no effect here; lost is: servers that must have TLS or be "
         "verified (here: control/tlspolicy)");
  put("notlshosts_auto", "");
  expect(Level::warn, "notlshosts_auto", "(here: may in control/tlspolicy)");
}

// Takes connections on control/map and answers each with the same.
class PolicyServer {
 public:
  PolicyServer(const std::string& path, std::string answer)
      : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(at.sun_path, sizeof at.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::chmod(path.c_str(), 0777), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    thread_ = std::thread([this, answer = std::move(answer)] {
      for (;;) {
        const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client) return;
        std::array<char, 256> question{};
        if (::read(client.get(), question.data(), question.size()) <= 0) continue;
        static_cast<void>(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL));
      }
    });
  }
  ~PolicyServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  PolicyServer(const PolicyServer&) = delete;
  PolicyServer& operator=(const PolicyServer&) = delete;

 private:
  UniqueFd listener_;
  std::thread thread_;
};

TEST_F(ChecksTest, PolicyMap) {
  const std::string deferred = ": qmail-remote defers all mail that it asks about";
  put("tlspolicymap", "inet:localhost:8461:postfix\n");
  expect(Level::fail, "tlspolicymap", "line 1: bad value: qmail-remote defers all mail");
  put("tlspolicymap", "unix:" + control("map") + ":postfix\n");
  expect(Level::fail, "tlspolicymap", "no policy to be had: No such file or directory" + deferred);
  put("tlsca.pem", ca_.pem());
  ASSERT_EQ(::chmod(folder_.path("").c_str(), 0755), 0);
  {
    const PolicyServer server(control("map"), "9:NOTFOUND ,");
    expect(Level::ok, "tlspolicymap", "the policy server answers");
    expect_nothing_of("tlsca.pem");
    ASSERT_EQ(::chmod(control("map").c_str(), 0755), 0);
    expect(Level::fail, "tlspolicymap",
           "qmailr may not connect to " + control("map") + " (" + control("map") +
               "): chown or chmod it" + deferred);
    ASSERT_EQ(::chmod(control("map").c_str(), 0777), 0);
    set_mode("", 0700);
    expect(Level::fail, "tlspolicymap", "qmailr may not connect to " + control("map") + " (");
    set_mode("", 0710);
    const auto not_asked = [&](const std::string& why) {
      expect(Level::warn, "tlspolicymap", "has no effect, nobody is asked: " + why);
    };
    put("smtproutes", ":relay.test\n");
    not_asked("all mail has a route");
    put("smtproutes", ":relay.test\na.test:\n.b.test:\n");
    put("tlspolicy", "a.test:may\n");
    expect_only_ok_of("tlspolicymap");
    put("tlspolicy", "a.test:may\n.b.test:may\n:may\n");
    not_asked("all mail without a route has a line of its own in");
    remove("smtproutes");
    expect_only_ok_of("tlspolicymap");
    put("tlspolicy", ":dane-only\n");
    not_asked("the default in " + control("tlspolicy") + " is dane-only");
    put("tlspolicy", ":sometimes\n");
    not_asked("the default in " + control("tlspolicy") + " cannot be used");
    remove("tlspolicy");
    put("authsenders", ":relay.test\n");
    not_asked("all mail has a route");
    remove("authsenders");
  }
  remove("map");
  {
    const PolicyServer server(control("map"), "10:TEMP later,");
    expect(Level::fail, "tlspolicymap", "no policy to be had: TEMP later" + deferred);
  }
  remove("map");
  const PolicyServer server(control("map"), "10:OK secured,");
  expect(Level::fail, "tlspolicymap",
         "the policy server says secured: unknown level secured" + deferred);
}

TEST_F(ChecksTest, DaneWhereNothingCanBeSecure) {
  using test::NameServer;
  put("tlspolicy", ":dane\npartner.test:dane-only\n");
  const auto with = [&](const std::string& address, Level level, const std::string& words) {
    ::setenv("DNSCACHEIP", address.c_str(), 1);
    expect(level, "tlspolicy", words);
    ::unsetenv("DNSCACHEIP");
  };
  ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
  const NameServer validates({". SOA a.root.test.", ". = SECURE"});
  with(validates.address(), Level::ok, "dane: the name server validates");
  with("192.0.2.53", Level::warn, "dane is may here: a name server that is asked is not on");
  with("192.0.2.53", Level::fail, "mail for who is dane-only is deferred: a name server");
  const NameServer trusts_anybody({". SOA a.root.test."});
  with(trusts_anybody.address(), Level::warn, "the root's SOA has no AD");
  const NameServer broken({". = SERVFAIL"});
  with(broken.address(), Level::warn, "gives no answer for the root");
  put("tlspolicy", ":may\n");
  with("192.0.2.53", Level::ok, "policies: 1");
}

TEST_F(ChecksTest, ContradictionsAndAnEmptyList) {
  put("notlshosts/mx.example.net", "");
  expect(Level::warn, "notlshosts/mx.example.net", "demands TLS");
  remove("tlshosts/mx.example.net.pem");
  put("tlshosts/exhaustivelist", "");
  expect(Level::warn, "tlshosts/exhaustivelist", "uses TLS with nobody");
}

// --- certificates beside servercert.pem, and by name ---

TEST_F(ChecksTest, SecondCertificate) {
  put("servercert.pem", server_certificate("mx.example.org", ca_, KeyKind::rsa).both() + ca_.pem());
  put("servercert-ec.pem", server_certificate("mx.example.org", ca_).both() + ca_.pem());
  expect(Level::ok, "servercert-ec.pem", "key EC 256");
  put("servercert-ec.pem",
      server_certificate("mx.example.org", ca_, KeyKind::other_rsa).both() + ca_.pem());
  expect(Level::warn, "servercert-ec.pem", "same type");
  put("servercert-ec.pem", server_certificate("mx.example.org", ca_).pem());
  expect(Level::fail, "servercert-ec.pem", "is shown alone");
  put("servercert-ec.pem", server_certificate("mx.example.com", ca_).both() + ca_.pem());
  expect(Level::warn, "servercert-ec.pem", "does not name this host");
  remove("servercert.pem");
  expect(Level::warn, "servercert-ec.pem", "has no effect");
}

TEST_F(ChecksTest, CertificatesByName) {
  std::filesystem::create_directories(control("servercerts/one.example.org"));
  std::filesystem::create_directories(control("servercerts/*.example.net"));
  for (const char* folder :
       {"servercerts", "servercerts/one.example.org", "servercerts/*.example.net"})
    set_mode(folder, 0710);
  const std::string one = "servercerts/one.example.org/servercert.pem";
  const std::string under = "servercerts/*.example.net/servercert.pem";
  put(one, server_certificate("one.example.org", ca_).both() + ca_.pem());
  put(under, server_certificate("*.example.net", ca_).both() + ca_.pem());
  expect(Level::ok, one, "names one.example.org");
  expect(Level::ok, under, "names *.example.net");
  EXPECT_EQ(check().exit_status(), 0);

  put(under, server_certificate("mx.example.net", ca_).both() + ca_.pem());
  expect(Level::warn, under, "does not name *.example.net");
  put(one, server_certificate("one.example.org", ca_).pem());
  expect(Level::fail, one, "the usual certificate is shown in its place");
  put(one, server_certificate("one.example.org", ca_, KeyKind::secp256k1).both());
  expect(Level::fail, one, "no client can use its key");
  put(one, server_certificate("one.example.org", ca_).both() + ca_.pem());
  ASSERT_EQ(::chmod(control(one).c_str(), 0600), 0);
  expect(Level::fail, one, "qmaild");
  put("servercerts/one.example.org/servercert-ec.pem",
      server_certificate("one.example.org", ca_).both() + ca_.pem());
  expect(Level::warn, "servercerts/one.example.org/servercert-ec.pem", "same type");
  remove(one);
  expect(Level::fail, one, "is not there");
}

TEST_F(ChecksTest, NamesThatNobodyIsLookedForBy) {
  for (const char* name : {"One.example.org", "*.org", "192.0.2.1", "a..b", "*", "mx.*.org"}) {
    const std::string folder = std::string("servercerts/") + name;
    std::filesystem::create_directories(control(folder));
    expect(Level::warn, folder, "has no effect");
  }
}

// --- what else a service's variables ask for ---

class VariablesTest : public ChecksTest {
 protected:
  // What is said beside "ok", with a service that sets these variables.
  std::vector<std::string> said(const std::string& variables) const {
    std::filesystem::create_directories(folder_.path("svc"));
    folder_.file("svc/run", "#!/bin/sh\n" + variables + "\nexec tcpserver 0 25 bin/qmail-smtpd\n");
    Settings settings;
    settings.smtpd = Account{"qmaild", ::geteuid() + 1, {::getegid()}};
    settings.services = {folder_.path("svc")};
    return lines_of(settings);
  }
  std::vector<std::string> lines_of(const Settings& settings) const {
    Findings found;
    check_variables({ControlDir(folder_.path("control")), settings}, found);
    std::vector<std::string> lines;
    for (const Finding& finding : found.all()) {
      const char* level = finding.level == Level::fail   ? "fail "
                          : finding.level == Level::warn ? "warn "
                                                         : "ok ";
      lines.push_back(level + finding.text);
    }
    return lines;
  }
  void one(const std::string& variables, const std::string& words) const {
    const auto lines = said(variables);
    ASSERT_EQ(lines.size(), 1U) << variables << testing::PrintToString(lines);
    EXPECT_NE(lines[0].find(words), std::string::npos) << lines[0];
  }
  // What tcprules(1) makes of rules: keys, and "+NAME=VALUE" or "D" with a NUL behind.
  static void make_database(const std::string& file,
                            const std::vector<std::pair<std::string, std::string>>& rules) {
    std::filesystem::remove(file);
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT, 0640);
    cdb_make make{};
    ::cdb_make_start(&make, fd);
    for (const auto& [key, rule] : rules) {
      ::cdb_make_add(&make, key.data(), static_cast<unsigned>(key.size()), rule.data(),
                     static_cast<unsigned>(rule.size()));
    }
    ::cdb_make_finish(&make);
    ::close(fd);
  }
  // The same assignment for an address, once in tcprules' source and once in its database, must be
  // said to be the same.
  void one_in_rules(const std::string& address, const std::string& name, const std::string& value,
                    const std::string& words) const {
    Settings settings;
    settings.smtpd = Account{"qmaild", ::geteuid() + 1, {::getegid()}};
    settings.rules = {folder_.file("tcp.smtp", "# " + name + "=\"none\"\n" + address +
                                                   ":allow,A=\"\"," + name + "=/" + value +
                                                   "/,Z=\"z\"\n:allow\n")};
    if (value.find('/') != std::string::npos) {
      settings.rules = {folder_.file(
          "tcp.smtp", address + ":allow," + name + "=\"" + value + "\"  \n198.51.100.1:deny\n")};
    }
    const auto of_source = lines_of(settings);
    settings.rules = {folder_.path("tcp.smtp.cdb")};
    using namespace std::string_literals;
    make_database(settings.rules.front(), {{"127.", "+RELAYCLIENT=\0"s},
                                           {address, "+A=\0+"s + name + "=" + value + "\0"s}});
    auto of_database = lines_of(settings);
    for (std::string& line : of_database) {
      const std::size_t at = line.find(".cdb");
      if (at != std::string::npos) line.erase(at, 4);
    }
    EXPECT_EQ(of_database, of_source);
    if (words.empty()) {
      EXPECT_TRUE(of_source.empty()) << testing::PrintToString(of_source);
      return;
    }
    ASSERT_EQ(of_source.size(), 1U) << name << testing::PrintToString(of_source);
    EXPECT_NE(of_source[0].find(words), std::string::npos) << of_source[0];
  }
  std::string program(const std::string& name, mode_t mode) const {
    folder_.file(name, "#!/bin/sh\n");
    EXPECT_EQ(::chmod(folder_.path(name).c_str(), mode), 0);
    return folder_.path(name);
  }
};

TEST_F(VariablesTest, LimitsThatAreNoNumbers) {
  const std::string good =
      "export MAXRECIPIENTS=100 BRTLIMIT=20 DATABYTES=5000000 SMTPD_GREETDELAY=5 "
      "SMTPD_MAXERRORS=20 SMTPD_MAXTIME=$HOURS";
  EXPECT_TRUE(said(good).empty());
  for (const char* name : {"MAXRECIPIENTS", "BRTLIMIT", "DATABYTES", "SMTPD_GREETDELAY",
                           "SMTPD_MAXERRORS", "SMTPD_MAXTIME"}) {
    one(std::string("export ") + name + "=lots", "warn " + std::string(name) + " is no number");
  }
}

// What tcprules gives to some is judged as what a run script gives to all.
TEST_F(VariablesTest, LimitsInRulesThatAreNoNumbers) {
  for (const char* name : {"MAXRECIPIENTS", "BRTLIMIT", "DATABYTES", "SMTPD_GREETDELAY",
                           "SMTPD_MAXERRORS", "SMTPD_MAXTIME"}) {
    one_in_rules(
        "192.0.2.", name, "lots",
        "warn 192.0.2.: " + std::string(name) + " is no number, so it limits nothing: lots");
    one_in_rules("2001:db8::1", name, "$FIVE", "warn 2001:db8::1: " + std::string(name));
    one_in_rules("", name, "-1", "warn everybody: " + std::string(name));
    one_in_rules("192.0.2.", name, "20", "");
    one_in_rules("192.0.2.", name, "", "");
  }
}

TEST_F(VariablesTest, WhatElseRulesAskFor) {
  const std::string good = program("good", 0755);
  one_in_rules("192.0.2.", "RCPTCHECK", good, "");
  one_in_rules("192.0.2.", "RCPTCHECK", "/nowhere", "fail 192.0.2.: RCPTCHECK: /nowhere is no");
  one_in_rules("192.0.2.", "ENABLE_SPP", "", "and no session begins without it");
  one_in_rules("192.0.2.", "SMTPAUTH", "?", "warn 192.0.2.: warning: SMTPAUTH: ? is not known");
  one_in_rules("192.0.2.", "SMTPAUTH", "-", "");
  one_in_rules("192.0.2.5", "PROXYPROTOCOL", "1", "");
  one_in_rules("", "PROXYPROTOCOL", "0", "");
  one_in_rules("", "PROXYPROTOCOL", "1", "warn everybody: believes everybody who connects");
  one_in_rules("192.0.2.5", "PROXYRULES", "/nowhere", "(PROXYRULES), and no session begins");
}

// The rules of a service are those its run script gives to tcpserver; those of a proxy's clients
// are looked at with the proxy.
TEST_F(VariablesTest, RulesAreFoundWhereAServiceNamesThem) {
  using namespace std::string_literals;
  const std::string rules = folder_.path("rules.cdb");
  const std::string inner = folder_.path("inner.cdb");
  make_database(rules, {{"192.0.2.", "+SMTPD_MAXTIME=never\0"s}});
  make_database(inner, {{"198.51.100.", "+SMTPD_MAXERRORS=few\0"s}});
  std::filesystem::create_directories(folder_.path("svc/env"));
  folder_.file("svc/env/RULES", rules + "\n");
  Settings settings;
  settings.services = {folder_.path("svc")};
  for (const std::string& option : {"-x " + rules, "-x '" + rules + "'", "-x" + rules,
                                    "-vRx " + rules, "-c 5 -x \"$RULES\""s}) {
    folder_.file("svc/run", "#!/bin/sh\nexec tcpserver " + option + " 0 25 bin/qmail-smtpd\n");
    const auto lines = lines_of(settings);
    ASSERT_EQ(lines.size(), 1U) << option;
    EXPECT_NE(lines[0].find("warn 192.0.2.: SMTPD_MAXTIME is no number"), std::string::npos);
  }
  make_database(rules, {{"192.0.2.5", "+PROXYPROTOCOL=1\0+PROXYRULES="s + inner + "\0"s}});
  const auto lines = lines_of(settings);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[1].find("warn 198.51.100.: SMTPD_MAXERRORS is no number"), std::string::npos);
}

// Damaged, of any length, or not there: nothing is said of what is not known, and nobody falls.
TEST_F(VariablesTest, RulesThatCannotBeRead) {
  using namespace std::string_literals;
  const std::string file = folder_.path("tcp.smtp.cdb");
  make_database(file, {{"192.0.2.", "+SMTPD_MAXTIME=never\0"s}, {"", "+A=b"s}});
  const std::string whole = **read_file(file);
  for (std::size_t size = 0; size < whole.size(); size += 61) {
    folder_.file("tcp.smtp.cdb", whole.substr(0, size));
    (void)tcp_rules_in(file);
  }
  for (std::size_t at = 0; at < whole.size(); at += 31) {
    std::string other = whole;
    other[at] = '\xff';
    folder_.file("tcp.smtp.cdb", other);
    (void)tcp_rules_in(file);
  }
  EXPECT_FALSE(tcp_rules_in(folder_.path("nowhere")));
  folder_.file("tcp.smtp",
               "127.:allow,A\n1:allow,A=\n:deny,=\"x\"\n2:allow,A=\"b\n#:allow,A=\"b\"\n");
  const auto rules = tcp_rules_in(folder_.path("tcp.smtp"));
  ASSERT_TRUE(rules);
  EXPECT_TRUE(rules->empty());
}

TEST_F(VariablesTest, ProgramsThatAreAsked) {
  const std::string good = program("good", 0755);
  const std::string mine = program("mine", 0700);
  const std::string text = program("text", 0644);
  one("export ENABLE_SPP=1", "and no session begins without it: there is no such file");
  put("smtpplugins", "[rcpt]\n" + good + "\n:anything at all\n[pass]\n/nowhere\n");
  one("export ENABLE_SPP=1", "ok 2 programs are asked");
  one("", "ok 2 programs are asked");
  for (const std::string& bad : {mine, text, std::string("/nowhere"), folder_.path("svc")}) {
    put("smtpplugins", "[mail]\n" + bad + "\n");
    one("export ENABLE_SPP=1",
        "fail " + bad +
            (bad == mine ? " cannot be run by qmaild" : " is no program that can be run"));
    one("", "fail " + bad);
  }
  remove("smtpplugins");
  put("others", "[data]\n/nowhere\n");
  one("export ENABLE_SPP=1 SPPCONFFILE=" + control("others"), "fail /nowhere is no program");
  EXPECT_TRUE(said("export RCPTCHECK=" + good).empty());
  one("export RCPTCHECK=" + mine, "cannot be run by qmaild: recipients get 421");
  one("export RCPTCHECK=/nowhere", "is no program that can be run: recipients get 421");
  EXPECT_TRUE(said("export RCPTCHECK=").empty());
}

TEST_F(VariablesTest, AProxy) {
  one("export PROXYPROTOCOL=1", "warn believes everybody who connects to be the proxy");
  EXPECT_TRUE(said("export PROXYPROTOCOL=0").empty());
  const std::string file = control("rules.cdb");
  const std::string rules = "export PROXYRULES=" + file;
  const auto database = [&](const std::string& key, std::string_view rule) {
    make_database(file, {{key, std::string(rule)}});
  };
  one(rules, "fail asked for by " + folder_.path("svc/run") +
                 " (PROXYRULES), and no session begins without it: there is no such file");
  database("192.0.2.", std::string_view("+RELAYCLIENT=\0", 14));
  one(rules, "ok says nothing of clients that it does not name");
  database("", std::string_view("D\0", 2));
  one(rules, "ok denies clients that it does not name");
  database("", std::string_view("+A=b\0", 6));
  one(rules, "ok takes clients that it does not name");
  std::filesystem::resize_file(file, 100);
  one(rules, "no session begins without it: damaged database");
}

}  // namespace
}  // namespace qmail::tlscheck
