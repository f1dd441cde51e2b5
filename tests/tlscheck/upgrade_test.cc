// Programs made of the names that the patches' programs have in them, and sites that use them.
#include "qmail-tlscheck/upgrade.h"

#include <filesystem>

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

}  // namespace
}  // namespace qmail::tlscheck
