#include "qmail-remote/response.h"

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
      {"250-a\r\n550 b\r\n", {{250, "250-a\n550 b\n"}}},
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

TEST(Extensions, ByTable) {
  const struct {
    const char* text;
    bool starttls;
    bool pipelining;
  } cases[] = {
      {"250 mx\n", false, false},
      {"250 STARTTLS\n", false, false},  // the only line names the server
      {"250-STARTTLS\n250 x\n", false, false},
      {"250-mx\n250 STARTTLS\n", true, false},
      {"250-mx\n250-starttls\n250 Pipelining\n", true, true},
      {"250-mx\n250-STARTTLS now please\n250 PIPELINING\tx\n", true, true},
      {"250-mx\n250 STARTTLS=1\n", true, false},
      {"250-mx\n250 XSTARTTLS\n", false, false},
      {"250-mx\n250 STARTTLSX\n", false, false},
      {"250-mx\n250 STARTTL\n", false, false},
      {"250-mx\n250  STARTTLS\n", false, false},
      {"250-mx\n250 AUTH STARTTLS\n", false, false},
      {"250-mx\n250 =STARTTLS\n", false, false},
      {"250-mx\n\n25\n250-\n250-PIPELINING\n250\n", false, true},
      {"250-mx\n999-STARTTLS\n250 x\n", true, false},
      {"250-mx\n250-STARTTLS", false, false},  // cut off: who knows what it was
      {"", false, false},
  };
  for (const auto& one : cases) {
    const Extensions got = offered_extensions({250, one.text});
    EXPECT_EQ(got.starttls, one.starttls) << one.text;
    EXPECT_EQ(got.pipelining, one.pipelining) << one.text;
  }
}

}  // namespace
}  // namespace qmail::remote
