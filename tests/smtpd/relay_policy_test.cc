#include "qmail-smtpd/relay_policy.h"

#include <fcntl.h>
#include <string>
#include <utility>
#include <vector>

#include <cdb.h>
#include <gtest/gtest.h>

#include "scratch_dir.h"

namespace qmail::smtpd {
namespace {

TEST(BadSenders, WholeAddressOrHost) {
  const BadSenders bad({"Joe@Spam.example", "@evil.example", "nobody"});
  for (const std::string_view sender : {"joe@spam.example", "JOE@SPAM.EXAMPLE", "x@evil.example",
                                        "a@b@EVIL.example", "nobody", "@evil.example"}) {
    EXPECT_TRUE(bad.bars(sender)) << sender;
  }
  for (const std::string_view sender :
       {"", "ann@spam.example", "x@sub.evil.example", "x@evil.example.org", "evil.example",
        "x@evil.example@ok.example", "x@nobody"}) {
    EXPECT_FALSE(bad.bars(sender)) << sender;
  }
  EXPECT_FALSE(BadSenders().bars("joe@spam.example"));
}

// A database made by libcdb itself, with empty data as qmail-newmrh makes it.
void make_cdb(const std::string& path, const std::vector<std::string>& keys) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0644));
  ASSERT_TRUE(fd);
  cdb_make maker{};
  ASSERT_EQ(cdb_make_start(&maker, fd.get()), 0);
  for (const std::string& key : keys) {
    ASSERT_EQ(cdb_make_add(&maker, key.data(), static_cast<unsigned>(key.size()), "", 0), 0);
  }
  ASSERT_EQ(cdb_make_finish(&maker), 0);
}

class RecipientHostsTest : public testing::Test {
 protected:
  RecipientHosts read() const {
    auto hosts = RecipientHosts::read(ControlDir(dir_.path()));
    EXPECT_TRUE(hosts.has_value());
    return *std::move(hosts);
  }
  static bool accepts(const RecipientHosts& hosts, std::string_view address) {
    const auto accepted = hosts.accept(address);
    EXPECT_TRUE(accepted.has_value()) << address;
    return accepted && *accepted;
  }

  ScratchDir dir_;
};

TEST_F(RecipientHostsTest, WithoutAListEveryHost) {
  make_cdb(dir_.file("morercpthosts.cdb"), {});
  const RecipientHosts hosts = read();
  EXPECT_TRUE(accepts(hosts, "x@anywhere.example"));
  EXPECT_TRUE(accepts(hosts, "x@"));
}

const std::vector<std::pair<std::string, bool>> listed_addresses = {
    {"x@example.com", true},
    {"x@EXAMPLE.Com", true},
    {"x", true},
    {"", true},
    {"x@a@example.com", true},
    {"x@sub.example.com", false},
    {"x@example.com.", false},
    {"x@example.co", false},
    {"x@wild.example", false},
    {"x@a.wild.example", true},
    {"x@a.b.Wild.Example", true},
    {"x@.wild.example", true},
    {"x@awild.example", false},
    {"x@", false},
    {"x@example.com@elsewhere", false},
    {"x@[192.0.2.9]", true},
    {"x@host.tld", true},
    {"x@tld", false},
    {"@", false},
    {"x@elsewhere.example", false}};

TEST_F(RecipientHostsTest, ListedHostsAndSuffixes) {
  dir_.put("rcpthosts", "Example.COM\n.wild.example\n[192.0.2.9]\n.tld\n");
  const RecipientHosts hosts = read();
  for (const auto& [address, accepted] : listed_addresses) {
    EXPECT_EQ(accepts(hosts, address), accepted) << address;
  }
}

TEST_F(RecipientHostsTest, TheDatabaseAnswersAsTheListDoes) {
  dir_.put("rcpthosts", "");
  std::vector<std::string> keys = {"example.com", ".wild.example", "[192.0.2.9]", ".tld", ""};
  for (int i = 0; i < 1000; ++i) keys.push_back("h" + std::to_string(i) + ".more.example");
  make_cdb(dir_.file("morercpthosts.cdb"), keys);
  const RecipientHosts hosts = read();
  for (const auto& [address, accepted] : listed_addresses) {
    EXPECT_EQ(accepts(hosts, address), accepted) << address;
  }
  for (int i = 0; i < 1000; i += 37) {
    EXPECT_TRUE(accepts(hosts, "x@H" + std::to_string(i) + ".more.example"));
  }
  EXPECT_FALSE(accepts(hosts, "x@h1000.more.example"));
}

TEST_F(RecipientHostsTest, CapitalsInTheDatabaseNeverMatch) {
  dir_.put("rcpthosts", "");
  make_cdb(dir_.file("morercpthosts.cdb"), {"Example.com"});
  EXPECT_FALSE(accepts(read(), "x@Example.com"));
}

TEST_F(RecipientHostsTest, ADamagedDatabaseIsAnErrorWhenItIsNeeded) {
  dir_.put("rcpthosts", "example.com\n");
  const std::string path = dir_.file("morercpthosts.cdb");
  make_cdb(path, {"more.example"});
  const std::string whole = dir_.get("morercpthosts.cdb");
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    dir_.put("morercpthosts.cdb", whole.substr(0, length));
    const RecipientHosts hosts = read();
    EXPECT_TRUE(accepts(hosts, "x@example.com"));
    const auto more = hosts.accept("x@more.example");
    ASSERT_FALSE(more.has_value()) << length;
    EXPECT_EQ(more.error().file, path);
    EXPECT_EQ(more.error().reason, "damaged database");
  }
}

TEST_F(RecipientHostsTest, ADatabaseWithWildPositionsIsAnErrorToo) {
  dir_.put("rcpthosts", "");
  std::string header;
  for (int i = 0; i < 512; ++i) header.append("\xff\xff\xff\xff");
  dir_.put("morercpthosts.cdb", header + std::string(64, '\0'));
  EXPECT_FALSE(read().accept("x@more.example").has_value());
}

TEST_F(RecipientHostsTest, ADirectoryInPlaceOfTheDatabase) {
  dir_.put("rcpthosts", "");
  dir_.put_directory("morercpthosts.cdb");
  const auto found = RecipientHosts::read(ControlDir(dir_.path()));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().reason, "Is a directory");
}

TEST_F(RecipientHostsTest, UnreadableFilesAreErrorsAtTheStart) {
  dir_.put_directory("rcpthosts");
  dir_.put_directory("badmailfrom");
  const ControlDir control(dir_.path());
  EXPECT_EQ(RecipientHosts::read(control).error().file, dir_.file("rcpthosts"));
  EXPECT_EQ(BadSenders::read(control).error().file, dir_.file("badmailfrom"));
  const ScratchDir other;
  other.put("rcpthosts", "");
  std::filesystem::create_symlink("morercpthosts.cdb", other.file("morercpthosts.cdb"));
  EXPECT_EQ(RecipientHosts::read(ControlDir(other.path())).error().file,
            other.file("morercpthosts.cdb"));
}

}  // namespace
}  // namespace qmail::smtpd
