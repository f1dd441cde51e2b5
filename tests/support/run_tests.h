// What stands in for RUN_ALL_TESTS() in every test program. gtest is content when nothing was
// selected, and in a filter
// `-`, `:`, `*` and `?` are no part of a name: a test whose name has one of them would be called by
// ctest, and not run.
#pragma once

namespace qmail::test {

// The exit status: 1 also when no test was selected, or when a test can never be selected by its
// name.
int run_tests();

}  // namespace qmail::test
