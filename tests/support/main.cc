#include <gmock/gmock.h>

#include "run_tests.h"

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  return qmail::test::run_tests();
}
