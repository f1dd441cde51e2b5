#include "run_tests.h"

#include <iostream>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace qmail::test {
namespace {

bool can_be_selected(std::string_view suite, std::string_view name) {
  const auto odd = [](std::string_view part) {
    return part.find_first_of("-:*?") != std::string_view::npos || part.starts_with("DISABLED_");
  };
  return !odd(suite) && !odd(name);
}

bool all_can_be_selected() {
  bool all = true;
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  for (int i = 0; i < tests.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *tests.GetTestSuite(i);
    for (int j = 0; j < suite.total_test_count(); ++j) {
      const std::string_view name = suite.GetTestInfo(j)->name();
      if (can_be_selected(suite.name(), name)) continue;
      std::cerr << "FAILED: by the name " << suite.name() << "." << name
                << " no test is ever run\n";
      all = false;
    }
  }
  return all;
}

}  // namespace

int run_tests() {
  if (!all_can_be_selected()) return 1;
  const int status = RUN_ALL_TESTS();
  if (testing::GTEST_FLAG(list_tests)) return status;
  if (testing::UnitTest::GetInstance()->test_to_run_count() > 0) return status;
  std::cerr << "FAILED: no test was selected\n";
  return 1;
}

}  // namespace qmail::test
