#include "qmail-smtpd/hop_counter.h"

#include <string>

#include <gtest/gtest.h>

namespace qmail::smtpd {
namespace {

int count(const std::string& text, std::size_t piece) {
  HopCounter counter;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    counter.look_at(std::string_view(text).substr(at, piece));
  }
  return counter.hops();
}

TEST(HopCounter, CountsHeaderLinesInAnyPieces) {
  struct Row {
    std::string text;
    int hops;
  };
  const Row rows[] = {
      {"", 0},
      {"Received: from a\r\n", 1},
      {"RECEIVED\r\n", 1},
      {"receivedthing: x\r\n", 1},
      {"Receive: x\r\n", 0},
      {"Received", 0},  // the line is not complete
      {"Delivered-To: x\r\ndElIvErEd\r\nreceived:\r\n", 3},
      {"Deliver: x\r\n", 0},
      {" Received: x\r\n", 0},
      {"Subject: Received: x\r\n", 0},
      {"Received: a\r\n\r\nReceived: b\r\n", 1},  // the body does not count
      {"\r\nReceived: a\r\n", 0},
      {"Received: a\r\n \r\nReceived: b\r\n", 2},  // not the end of the header
      {"Received: a\r\n\r\r\nReceived: b\r\n", 2},
      {".Received: a\r\n", 0},  // as it is on the wire
      {"x\rReceived: a\r\n", 0},
  };
  for (const Row& row : rows) {
    for (std::size_t piece = 1; piece <= row.text.size() + 1; ++piece) {
      EXPECT_EQ(count(row.text, piece), row.hops) << row.text << " in pieces of " << piece;
    }
  }
}

TEST(HopCounter, AHundredIsTooMany) {
  HopCounter counter;
  for (int i = 0; i < 99; ++i) counter.look_at("Received: x\r\n");
  EXPECT_FALSE(counter.too_many());
  counter.look_at("Delivered-To: x\r\n");
  EXPECT_TRUE(counter.too_many());
}

}  // namespace
}  // namespace qmail::smtpd
