#include "qmail/control.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace qmail {
namespace {

using std::string_literals::operator""s;

class Control : public testing::Test {
 protected:
  Control() {
    std::string pattern = testing::TempDir() + "controlXXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Control() override { std::filesystem::remove_all(path_); }

  ControlDir dir() const { return ControlDir(path_); }
  void put(const std::string& name, const std::string& content) const {
    FILE* file = std::fopen((path_ + "/" + name).c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
    EXPECT_EQ(std::fclose(file), 0);
  }

  std::string path_;
};

TEST_F(Control, LineIsTheFirstOneWithoutTrailingSpace) {
  struct Row {
    std::string content;
    std::string line;
  };
  const Row rows[] = {{"mx.example.net\n", "mx.example.net"},
                      {"mx.example.net", "mx.example.net"},
                      {"a b \t\r\nsecond\n", "a b"},
                      {" \tleading", " \tleading"},
                      {"#comment\n", "#comment"},
                      {"", ""},
                      {"\nsecond\n", ""},
                      {"a\0b\n"s, "a\0b"s}};
  for (const Row& row : rows) {
    put("f", row.content);
    const auto line = dir().line("f");
    ASSERT_TRUE(line.has_value() && line->has_value());
    EXPECT_EQ(**line, row.line);
  }
}

TEST_F(Control, OnlyRegularFilesAreRead) {
  const std::string path = path_ + "/f";
  const auto refused = [&] {
    const auto found = dir().line("f");
    return !found && found.error().file == path && found.error().reason == "not a regular file";
  };
  ASSERT_EQ(::mkfifo(path.c_str(), 0644), 0);
  EXPECT_TRUE(refused());
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/dev/zero", path);
  EXPECT_TRUE(refused());
  std::filesystem::remove(path);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{AF_UNIX, {}};
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(refused());
  ::close(socket);
}

TEST_F(Control, AFileOfProcHasNoSizeAndIsReadAllTheSame) {
  const auto text = read_file("/proc/self/limits");
  ASSERT_TRUE(text && *text);
  EXPECT_NE((*text)->find("Max open files"), std::string::npos);
}

TEST_F(Control, AMissingFileIsNoErrorAndADirectoryIs) {
  EXPECT_FALSE(dir().line("f")->has_value());
  EXPECT_FALSE(*dir().has("f"));
  EXPECT_EQ(*dir().line_or("f", "me.example"), "me.example");
  ASSERT_EQ(::mkdir((path_ + "/f").c_str(), 0755), 0);
  EXPECT_TRUE(*dir().has("f"));
  const auto line = dir().line("f");
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().file, path_ + "/f");
  EXPECT_EQ(line.error().reason, "Is a directory");
  EXPECT_FALSE(dir().list("f").has_value());
  EXPECT_FALSE(dir().number("f").has_value());
  EXPECT_FALSE(dir().line_or("f", "me.example").has_value());
}

TEST_F(Control, ANumberThatIsNoneCountsAsMissing) {
  put("f", "30 seconds\n");
  EXPECT_EQ(*dir().number("f"), 30);
  put("f", "none\n");
  EXPECT_EQ(*dir().number("f"), std::nullopt);
}

TEST_F(Control, ListEntries) {
  put("f", "a \n\n#no\n b\nc#d\r\nx\0y\n\0z\0\nlast"s);
  const std::vector<std::string> expected{"a", " b", "c#d", "x", "y", "z", "last"};
  EXPECT_EQ(**dir().list("f"), expected);
}

TEST_F(Control, LongFilesAreReadWhole) {
  std::string content;
  std::vector<std::string> expected;
  for (int i = 0; i < 20000; ++i) {
    expected.push_back("host" + std::to_string(i) + ".example");
    content += expected.back() + "\n";
  }
  put("f", content);
  EXPECT_EQ(**dir().list("f"), expected);
}

}  // namespace
}  // namespace qmail
