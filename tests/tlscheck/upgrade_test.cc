// Programs made of the names that the patches' programs have in them, and sites that use them.
#include "qmail-tlscheck/upgrade.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include <gtest/gtest.h>

#include "qmail-tlscheck/known_names.h"
#include "qmail-tlscheck/retired_names.h"
#include "test_pki.h"

namespace qmail::tlscheck {
namespace {

using namespace std::string_literals;

void put(const tls::test::Folder& folder, const std::string& name, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(folder.path(name)).parent_path());
  folder.file(name, content);
}

class Upgrade : public testing::Test {
 protected:
  Upgrade() { put(folder_, "control/me", "mx.example.org\n"); }

  std::vector<std::string> told(const std::string& programs,
                                const std::vector<VariableSet>& variables = {}) const {
    std::vector<std::string> lines;
    const ControlDir control(folder_.path("control"));
    for (const Finding& finding : check_upgrade(control, programs, variables).all()) {
      const char* level = finding.level == Level::fail ? "fail " : "warn ";
      if (finding.level != Level::ok)
        lines.push_back(level + finding.file.substr(finding.file.rfind('/') + 1));
    }
    return lines;
  }
  void has(std::string_view name) const { put(folder_, "control/" + std::string(name), ""); }

  tls::test::Folder folder_;
};

using Lines = std::vector<std::string>;

TEST_F(Upgrade, NamesWhatTheOldProgramKnowsAndOursDoesNot) {
  for (const char* name : {"badrcptto", "rcpthosts", "spfexp", "somebodysown", "locals"}) has(name);
  const std::string old =
      "\x7f"
      "ELF\0control/badrcptto\0control/rcpthosts\0control/spfexp\0somebodysown\0control/me\0"s;
  EXPECT_EQ(told(old), (Lines{"fail badrcptto", "warn somebodysown", "warn spfexp"}));
}

TEST_F(Upgrade, APartOfANameIsNoName) {
  has("badrcptto");
  EXPECT_EQ(told("\0control/badrcptto.cdb\0notbadrcptto\0badrcptto"s), Lines());
}

TEST_F(Upgrade, Variables) {
  const std::vector<VariableSet> variables{{"run", "CHKUSER_START"},
                                           {"run", "RELAYCLIENT"},
                                           {"run", "PATH"},
                                           {"run", "OWN"},
                                           {"run", "UNHEARDOF"}};
  EXPECT_EQ(told("\0CHKUSER_START\0RELAYCLIENT\0PATH\0OWN\0"s, variables),
            (Lines{"fail run", "warn run"}));
}

TEST_F(Upgrade, WhereVariablesAreSet) {
  put(folder_, "svc/run", "#!/bin/sh\n# OLD=1\nexport A1=x B_2=y\nexec env C='z' tcpserver\n");
  put(folder_, "svc/env/SMTPAUTH", "");
  put(folder_, "rules", "127.:allow,RELAYCLIENT=\"\",RBL=\"1\"\n#10.:allow,OLD=\"\"\n");
  put(folder_, "rules.cdb",
      "\1\0\0\0"
      "127.+RELAYCLIENT=\0+QMAILQUEUE=bin/q\0"s);
  const auto names = [&](const std::string& place) {
    std::string all;
    for (const VariableSet& set : variables_set_in(folder_.path(place))) all += set.name + " ";
    return all;
  };
  EXPECT_EQ(names("svc"), "A1 B_2 C SMTPAUTH ");
  EXPECT_EQ(names("rules"), "RELAYCLIENT RBL ");
  EXPECT_EQ(names("rules.cdb"), "RELAYCLIENT QMAILQUEUE ");
  EXPECT_EQ(names("nowhere"), "");
}

// Every row of each family's list is named at its level, and nothing that still works; the family
// is known by it.
TEST_F(Upgrade, TheListsOfTheFamilies) {
  std::size_t recognized = 0;
  for (const Family& family : families()) {
    std::string old;
    std::vector<VariableSet> variables{{"x/rules", "RELAYCLIENT"}};
    std::size_t expected = 0;
    const tls::test::Folder folder;
    for (const KnownFile& known : known_files) {
      if (known.name.find('/') == std::string_view::npos) {
        put(folder, "control/" + std::string(known.name), "");
        old += "control/" + std::string(known.name) + '\0';
      }
    }
    for (const RetiredName& row : retired_files()) {
      if (row.families.find(family.letter) == std::string_view::npos) continue;
      put(folder, "control/" + std::string(row.name), "");
      old += "control/" + std::string(row.name) + '\0';
      if (!is_known_file(row.name)) ++expected;
    }
    for (const RetiredName& row : retired_variables()) {
      if (row.families.find(family.letter) == std::string_view::npos) continue;
      variables.push_back({"x/rules", std::string(row.name)});
      old += std::string(row.name) + '\0';
      if (!is_known_variable(row.name)) ++expected;
    }
    const auto all = check_upgrade(ControlDir(folder.path("control")), old, variables).all();
    std::size_t lost = 0;
    for (const Finding& finding : all) {
      lost += finding.text.find("lost is: ") != std::string::npos ? 1U : 0U;
      EXPECT_EQ(finding.text.find("it has no effect any more"), std::string::npos) << finding.text;
      recognized += finding.text.find(std::string(family.name)) != std::string::npos ? 1U : 0U;
    }
    EXPECT_EQ(lost, expected) << family.name;
    EXPECT_GT(expected, 0U) << family.name;
  }
  EXPECT_EQ(recognized, families().size());
}

// --- run scripts, as the families' sites have them: what stands behind qmail-smtpd ---

class RunScript : public Upgrade {
 protected:
  // What the checks of services and the upgrade from `old` say of it.
  Lines said(const std::string& script, const std::string& old = "") const {
    put(folder_, "svc/run", "#!/bin/sh\n" + script);
    const ControlDir control(folder_.path("control"));
    const auto service = service_in(folder_.path("svc"));
    if (!service) return {"not a service"};
    Lines lines;
    const Findings found = check_upgrade(control, old, {}, {*service});
    for (const Finding& finding : found.all()) {
      const char* level = finding.level == Level::fail ? "fail " : "warn ";
      if (finding.level != Level::ok) lines.push_back(level + finding.text);
    }
    return lines;
  }
  std::string program(const std::string& name) const {
    put(folder_, name, "#!/bin/sh\nexit 1\n");
    std::filesystem::permissions(folder_.path(name), std::filesystem::perms::all);
    return folder_.path(name);
  }
  void SetUp() override { put(folder_, "control/servercert.pem", ""); }
};

TEST_F(RunScript, GoesOnAsItIs) {
  const std::string checker = program("vchkpw");
  // sagredo: SMTPAUTH, no host; /bin/true alone on port 25.
  EXPECT_EQ(said("export SMTPAUTH=\"!\"\nexec softlimit -m 1 \\\n tcpserver -v 0 587 \\\n"
                 " /var/qmail/bin/qmail-smtpd " +
                 checker + " /bin/true 2>&1\n"),
            Lines());
  EXPECT_EQ(said("exec tcpserver 0 25 /var/qmail/bin/qmail-smtpd /bin/true 2>&1\n"), Lines());
  // qmailtoaster: all of it in variables.
  EXPECT_EQ(said("SMTPD=\"/var/qmail/bin/qmail-smtpd\"\nVCHKPW=\"" + checker +
                 "\"\n"
                 "export REQUIRE_AUTH=1\nexec tcpserver 0 587 $SMTPD $VCHKPW /bin/true 2>&1\n"),
            Lines());
  // smtpd-auth, indimail: with the host.
  EXPECT_EQ(said("exec tcpserver 0 25 qmail-smtpd mx.example.org " + checker + " true\n"), Lines());
  // Ours: a folder for envdir.
  put(folder_, "svc/env/CHECKPASSWORD", checker + " true\n");
  put(folder_, "svc/env/SMTPAUTH", "!\n");
  EXPECT_EQ(said("checkpassword=${CHECKPASSWORD-}\nexec tcpserver \"$home/bin/qmail-smtpd\" "
                 "$checkpassword\n"),
            Lines());
}

TEST_F(RunScript, AsksForWhatIsNotThere) {
  const auto fails = [&](const std::string& script, const std::string& text) {
    const Lines lines = said(script);
    ASSERT_EQ(lines.size(), 1U) << script << (lines.empty() ? "" : lines.back());
    EXPECT_TRUE(lines[0].starts_with("fail ")) << lines[0];
    EXPECT_NE(lines[0].find(text), std::string::npos) << lines[0];
  };
  fails("export SMTPAUTH=''\nexec tcpserver 0 587 qmail-smtpd\n",
        "no checkpassword program stands");
  fails("SMTPAUTH='!' exec tcpserver 0 587 qmail-smtpd\n", "no checkpassword program stands");
  fails("exec tcpserver 0 25 qmail-smtpd /nowhere/vchkpw true\n", "there is no such program");
  // HOST without an argument behind the program is taken for the program.
  fails("exec tcpserver 0 25 qmail-smtpd mx.example.org " + program("vchkpw") + "\n",
        "mx.example.org stands where a checkpassword program should");
  fails("export SMTPAUTH=\nexec tcpserver 0 25 qmail-smtpd /bin/true\n", "/bin/true stands where");
  fails("exec tcpserver 0 25 qmail-smtpd mx.example.org true " + program("vchkpw") + "\n",
        "true stands where");
  fails("export SMTPAUTH='!-'\nexec tcpserver 0 587 qmail-smtpd\n",
        "demands a login and offers none");
  fails("export SMTPAUTH=external\nexec tcpserver 0 587 qmail-smtpd\n",
        "control/tlsclients, which says who may");
  std::filesystem::remove(folder_.path("control/servercert.pem"));
  fails("exec tcpserver 0 25 qmail-smtpd " + program("vchkpw") + " true\n", "servercert.pem");
}

TEST_F(RunScript, WhatIsNotKnownIsNotJudged) {
  EXPECT_EQ(said("exec tcpserver 0 25 qmail-smtpd $(cat /etc/checker) true\n"), Lines());
  EXPECT_EQ(said("exec tcpserver 0 25 other-smtpd\n"), Lines{"not a service"});
}

TEST_F(RunScript, MeansSomethingElseNow) {
  const std::string run = "exec tcpserver 0 25 qmail-smtpd " + program("vchkpw") + " true\n";
  EXPECT_EQ(said(run, "\0SMTPAUTH\0"s).size(), 1U);
  EXPECT_EQ(said("export SMTPAUTH=-\n" + run, "\0SMTPAUTH\0"s), Lines());
  EXPECT_EQ(said("export FORCETLS=1\n" + run, "\0FORCETLS\0"s).size(), 1U);
  EXPECT_EQ(said("export FORCETLS=0\n" + run, "\0FORCETLS\0"s), Lines());
  EXPECT_EQ(said(run, "\0SUBMISSIONPORT\0"s).size(), 1U);
  EXPECT_EQ(said("export SMTPAUTH=!\n" + run, "\0SUBMISSIONPORT\0"s), Lines());
}

TEST_F(RunScript, LoginsAtRelays) {
  const std::string run = "exec tcpserver 0 25 qmail-smtpd\n";
  const auto levels = [&](const std::string& routes) {
    put(folder_, "control/smtproutes", routes);
    std::filesystem::permissions(folder_.path("control/smtproutes"),
                                 std::filesystem::perms::owner_read);
    std::string all;
    for (const std::string& line : said(run)) {
      EXPECT_EQ(line.find("ecret"), std::string::npos) << line;
      all += line.substr(0, 4) + " ";
    }
    std::filesystem::remove(folder_.path("control/smtproutes"));
    return all;
  };
  EXPECT_EQ(levels("a.test:relay.test:587\n#b:relay user secret\n"), "");
  EXPECT_EQ(levels(":relay.test:587|user|secret\n"), "warn ");
  EXPECT_EQ(levels(":relay.test:587 user secret\n"), "fail ");       // indimail, qmailtoaster
  EXPECT_EQ(levels(":relay.test;587|user|secret\n"), "fail warn ");  // aQmail
  EXPECT_EQ(levels(":[192.0.2.1]:587|user|sec ret\n"), "warn ");
  put(folder_, "control/tlshosts/relay.test.pem", "");
  EXPECT_EQ(levels(":relay.test:587|user|secret\n"), "");
  EXPECT_EQ(levels(":other.test|user|secret\n"), "warn ");
  put(folder_, "control/notlshosts/other.test", "");
  EXPECT_EQ(levels(":other.test|user|secret\n"), "fail ");
  EXPECT_EQ(levels(":other.test:465|user|secret\n"), "warn ");
  put(folder_, "control/tlshosts/exhaustivelist", "");
  EXPECT_EQ(levels(":third.test|user|secret\n"), "fail ");
}

// The names that sites of the families lose, as their sources and manuals have them: each is
// named, or still works.
TEST_F(Upgrade, WhatTheFamiliesAreKnownToHave) {
  const std::vector<std::pair<char, std::string>> files{
      {'S', "notlshosts_auto"}, {'S', "spfbehavior"},    {'S', "validrcptto"},
      {'S', "badhelo"},         {'S', "dnsbllist"},      {'J', "validrcptto.cdb"},
      {'Q', "spfbehavior"},     {'Q', "badmailto"},      {'A', "tlsdestinations"},
      {'A', "domaincerts"},     {'A', "domainips"},      {'I', "maxrecipients"},
      {'I', "tlsadomains"},     {'I', "domainbindings"}, {'I', "bindroutes"},
      {'I', "spfbehavior"},     {'X', "authtypes"},      {'X', "forcesslauth"},
      {'X', "smtproutes.d"},    {'L', "smtpcert"},       {'L', "relaymailfrom"},
  };
  const std::vector<std::pair<char, std::string>> variables{
      {'S', "CHKUSER_START"}, {'Q', "CHKUSER_START"},  {'A', "UCSPITLS"},
      {'A', "LOCALMFCHECK"},  {'A', "TARPITCOUNT"},    {'A', "TARPITDELAY"},
      {'I', "TARPITCOUNT"},   {'I', "GREETDELAY"},     {'I', "MASQUERADE"},
      {'I', "SECURE_AUTH"},   {'I', "AUTH_SMTP"},      {'I', "DANE_VERIFICATION"},
      {'L', "AUTHREQUIRED"},  {'H', "SUBMISSIONPORT"}, {'H', "TLSREQUIRED"},
  };
  const auto listed = [](std::span<const RetiredName> table, char family, std::string_view name) {
    return std::any_of(table.begin(), table.end(), [&](const RetiredName& row) {
      return row.name == name && row.families.find(family) != std::string_view::npos;
    });
  };
  for (const auto& [family, name] : files) {
    EXPECT_TRUE(is_known_file(name) || listed(retired_files(), family, name)) << family << name;
  }
  for (const auto& [family, name] : variables) {
    EXPECT_TRUE(is_known_variable(name) || listed(retired_variables(), family, name))
        << family << name;
  }
  // What every family's sites have and goes on.
  for (const char* name : {"SMTPAUTH", "FORCETLS", "DISABLETLS", "REQUIRE_AUTH", "REQUIREAUTH",
                           "ALLOW_INSECURE_AUTH", "FORCEAUTHMAILFROM", "BRTLIMIT", "MAXRECIPIENTS",
                           "DENY_TLS", "FORCE_TLS", "SMTPD_GREETDELAY", "DROP_PRE_GREET"}) {
    EXPECT_TRUE(is_known_variable(name)) << name;
    for (const RetiredName& row : retired_variables()) EXPECT_NE(row.name, name);
  }
}

}  // namespace
}  // namespace qmail::tlscheck
