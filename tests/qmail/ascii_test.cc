#include "qmail/ascii.h"

#include <gtest/gtest.h>

namespace qmail {
namespace {

TEST(Ascii, LeadingNumber) {
  struct Row {
    std::string_view text;
    std::optional<std::uint32_t> number;
  };
  const Row good[] = {{"0", 0},          {"1200", 1200},   {"007", 7},
                      {"12x9", 12},      {"5 6", 5},       {"4294967295", 4294967295},
                      {"4294967296", 0}, {"4294967297", 1}};
  for (const Row& row : good) EXPECT_EQ(leading_number(row.text), row.number) << row.text;
  for (const std::string_view bad : {"", " 5", "-1", "+1", "x", "\t7"}) {
    EXPECT_EQ(leading_number(bad), std::nullopt) << bad;
  }
}

TEST(Ascii, CaseIsIgnoredForAsciiLettersOnly) {
  EXPECT_TRUE(equal_ignoring_case("MaIl", "mAiL"));
  EXPECT_FALSE(equal_ignoring_case("mail", "mailx"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));  // 0x20 apart, but no letters
  EXPECT_FALSE(equal_ignoring_case("\xc4", "\xe4"));
  EXPECT_EQ(to_lower(std::string_view("A@Z[\xc4\0", 6)), std::string("a@z[\xc4\0", 6));
  EXPECT_TRUE(starts_with_ignoring_case("Received: x", "rEceived"));
  EXPECT_FALSE(starts_with_ignoring_case("rec", "received"));
}

TEST(Ascii, TrailingSpace) {
  EXPECT_EQ(without_trailing_space(" a b \t\r\n"), " a b");
  EXPECT_EQ(without_trailing_space(" \t"), "");
  EXPECT_EQ(without_trailing_space(""), "");
  EXPECT_EQ(without_trailing_space(std::string_view("a\0 ", 3)), std::string_view("a\0", 2));
}

}  // namespace
}  // namespace qmail
