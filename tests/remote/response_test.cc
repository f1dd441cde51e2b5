#include "qmail-remote/response.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace qmail::remote {
namespace {

// Feeds `bytes` in pieces of `size`; the replies found.
std::vector<Response> read_all(std::string_view bytes, std::size_t size) {
  std::vector<Response> found;
  ResponseReader reader;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, size);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      piece.remove_prefix(reader.feed(piece));
      if (reader.complete()) found.push_back(reader.take());
    }
  }
  return found;
}

TEST(ResponseReader, ByTable) {
  const struct {
    std::string bytes;
    std::vector<std::pair<int, std::string>> replies;
  } cases[] = {
      {"250 ok\r\n", {{250, "250 ok\n"}}},
      {"250\r\n", {{250, "250\n"}}},
      {"250 ok\n", {{250, "250 ok\n"}}},
      {"250 ok", {}},
      {"250-a\r\n550 b\r\n", {{550, "250-a\n550 b\n"}}},
      {"250-a\r\n450 b\r\n", {{450, "250-a\n450 b\n"}}},
      {"354-a\r\n552 b\r\n", {{552, "354-a\n552 b\n"}}},
      {"220-a\r\n550-b\r\n220 c\r\n", {{220, "220-a\n550-b\n220 c\n"}}},
      {"450-a\r\n550 b\r\n", {{450, "450-a\n550 b\n"}}},
      {"550-a\r\n250 b\r\n", {{550, "550-a\n250 b\n"}}},
      {"abc-a\r\n550 b\r\n", {{0, "abc-a\n550 b\n"}}},
      {"199-a\r\n550 b\r\n", {{199, "199-a\n550 b\n"}}},
      {"250-a\r\nabc b\r\n", {{250, "250-a\nabc b\n"}}},
      {"250-a\r\n600 b\r\n", {{250, "250-a\n600 b\n"}}},
      {"250-a\r\n354 b\r\n", {{250, "250-a\n354 b\n"}}},
      {"250-a\r\n250-b\r\n250 c\r\n220 d\r\n", {{250, "250-a\n250-b\n250 c\n"}, {220, "220 d\n"}}},
      {"2500 ok\r\n", {{250, "2500 ok\n"}}},
      {"abc ok\r\n", {{0, "abc ok\n"}}},
      {"25o ok\r\n", {{0, "25o ok\n"}}},
      {" 250 ok\r\n", {{0, " 250 ok\n"}}},
      {"-10 x\r\n", {{0, "-10 x\n"}}},
      {"000 x\r\n", {{0, "000 x\n"}}},
      {"\n250 late\r\n", {{0, "\n250 late\n"}}},
      {"9\r\n250 x\r\n", {{0, "9\n250 x\n"}}},
      {"25\n0 x\r\n", {{0, "25\n0 x\n"}}},
      {"250 a\rb\r\r\n", {{250, "250 ab\n"}}},
      {std::string("550 a\0b\n", 8), {{550, std::string("550 a\0b\n", 8)}}},
      {"250-\r\n250-\r\n250\r\n", {{250, "250-\n250-\n250\n"}}},
  };
  for (const auto& one : cases) {
    for (const std::size_t size : {1, 2, 3, 4, 5, 7, 1000}) {
      const auto found = read_all(one.bytes, size);
      ASSERT_EQ(found.size(), one.replies.size()) << one.bytes << " by " << size;
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].code, one.replies[i].first) << one.bytes << " by " << size;
        EXPECT_EQ(found[i].text, one.replies[i].second) << one.bytes << " by " << size;
      }
    }
  }
}

TEST(ResponseReader, KeepsFiveThousandBytes) {
  const std::string line(4995, 'x');
  EXPECT_EQ(read_all("250 " + line + "\r\n", 100).at(0).text, "250 " + line + "\n");
  EXPECT_EQ(read_all("250 " + line + "yz\r\n", 100).at(0).text, "250 " + line + "y");
  const auto huge =
      read_all("250-" + std::string(100000, 'y') + "\r\n250 end\r\n450 next\r\n", 999);
  ASSERT_EQ(huge.size(), 2U);
  EXPECT_EQ(huge[0].text.size(), ResponseReader::longest_text);
  EXPECT_EQ(huge[1].text, "450 next\n");
}

TEST(ResponseReader, TheRefusalIsKeptWhereTheBoundCutsItOff) {
  const std::string long_line = "250-" + std::string(6000, 'x') + "\r\n";
  for (const std::size_t size : {1, 7, 100000}) {
    const auto found = read_all(long_line + "554 virus\r\n" + long_line + "250 ok\r\n", size);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].code, 554);
    EXPECT_EQ(found[0].text, "554 virus\n");
    EXPECT_EQ(found[1].code, 250);
    EXPECT_EQ(found[1].text.size(), ResponseReader::longest_text);
    const auto huge = read_all("250-a\r\n554 " + std::string(6000, 'y') + "\r\n", size);
    EXPECT_EQ(huge.at(0).text, "554 " + std::string(4996, 'y'));
  }
}

TEST(ResponseReader, SaysWhenAReplyIsTooLong) {
  const std::string line = "250-" + std::string(996, 'x') + "\r\n";
  ResponseReader reader;
  std::size_t fed = 0;
  while (!reader.too_long()) fed += reader.feed(line);
  EXPECT_GT(fed, ResponseReader::longest_reply);
  EXPECT_LE(fed, ResponseReader::longest_reply + line.size());
}

TEST(Response, Kind) {
  using Class = Response::Class;
  const std::pair<int, Class> cases[] = {
      {200, Class::success},   {250, Class::success},   {299, Class::success},
      {300, Class::go_ahead},  {354, Class::go_ahead},  {400, Class::temporary},
      {499, Class::temporary}, {500, Class::permanent}, {599, Class::permanent},
      {0, Class::none},        {99, Class::none},       {199, Class::none},
      {600, Class::none},      {999, Class::none}};
  for (const auto& [code, kind] : cases) EXPECT_EQ((Response{code, ""}.kind()), kind) << code;
}

Extensions offered(std::string_view bytes, std::size_t size) {
  ExtensionsReader extensions;
  ResponseReader reader;
  for (; !bytes.empty() && !reader.complete(); bytes.remove_prefix(std::min(size, bytes.size()))) {
    reader.feed(bytes.substr(0, size), [&](std::string_view line) { extensions.add(line); });
  }
  return extensions.found();
}

TEST(Extensions, ByTable) {
  const std::string thousand = "250-XNOTHING " + std::string(986, 'x') + "\r\n";
  std::string far = "250-mx\r\n";
  for (int i = 0; i < 900; ++i) far += thousand;  // 900 KB
  const struct {
    std::string bytes;
    bool starttls;
    bool pipelining;
  } cases[] = {
      {"250 mx\r\n", false, false},
      {"250 STARTTLS\r\n", false, false},  // the only line names the server
      {"250-STARTTLS\r\n250 x\r\n", false, false},
      {"250-mx\r\n250 STARTTLS\r\n", true, false},
      {"250-mx\n250-starttls\n250 Pipelining\n", true, true},
      {"250-mx\r\n250-STARTTLS now please\r\n250 PIPELINING\tx\r\n", true, true},
      {"250-mx\r\n250 STARTTLS=1\r\n", true, false},
      {"250-mx\r\n250 XSTARTTLS\r\n", false, false},
      {"250-mx\r\n250 STARTTLSX\r\n", false, false},
      {"250-mx\r\n250 STARTTL\r\n", false, false},
      {"250-mx\r\n250  STARTTLS\r\n", false, false},
      {"250-mx\r\n250 AUTH STARTTLS\r\n", false, false},
      {"250-mx\r\n250 =STARTTLS\r\n", false, false},
      {"250-mx\r\n250-\r\n250-PIPELINING\r\n250\r\n", false, true},
      {"250-mx\r\n999-STARTTLS\r\n250 x\r\n", true, false},
      {"250-mx\r\n250-STARTTLS", false, false},  // not whole: who knows what it will be
      {"250-mx\r\n250-STARTTLS " + std::string(6000, 'x') + "\r\n250 PIPELINING\r\n", true, true},
      {far + "250-STARTTLS\r\n250 PIPELINING\r\n", true, true},
      {"", false, false},
  };
  for (const auto& one : cases) {
    for (const std::size_t size : {1, 3, 1000, 10000000}) {
      if (size == 1 && one.bytes.size() > 100000) continue;  // slow, and nothing new
      const Extensions got = offered(one.bytes, size);
      EXPECT_EQ(got.starttls, one.starttls) << one.bytes.substr(0, 100) << " by " << size;
      EXPECT_EQ(got.pipelining, one.pipelining) << one.bytes.substr(0, 100) << " by " << size;
    }
  }
}

}  // namespace
}  // namespace qmail::remote
