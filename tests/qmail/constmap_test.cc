#include "qmail/constmap.h"

#include <gtest/gtest.h>

namespace qmail {
namespace {

TEST(ConstMap, KeysIgnoreCaseAndNeedEqualLength) {
  const std::vector<std::string> entries{"Example.ORG", ".example.com"};
  const ConstMap map = ConstMap::of_keys(entries);
  EXPECT_TRUE(map.contains("example.org"));
  EXPECT_TRUE(map.contains(".EXAMPLE.com"));
  EXPECT_FALSE(map.contains("example.com"));
  EXPECT_FALSE(map.contains("example.org."));
  EXPECT_FALSE(map.contains(""));
}

TEST(ConstMap, PairsSplitAtTheFirstColonAndTheLastOneCounts) {
  const std::vector<std::string> entries{"a:1:2", "b", ":relay", "A:3", "c:"};
  const ConstMap map = ConstMap::of_pairs(entries);
  EXPECT_EQ(map.find("a"), "3");
  EXPECT_EQ(map.find("b"), std::nullopt);
  EXPECT_EQ(map.find(""), "relay");
  EXPECT_EQ(map.find("C"), "");
}

}  // namespace
}  // namespace qmail
