#include "qmail-smtpd/data_decoder.h"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace qmail::smtpd {

std::ostream& operator<<(std::ostream& out, DataDecoder::Status status) {
  return out << static_cast<int>(status);
}

namespace {

using std::string_literals::operator""s;
using Status = DataDecoder::Status;

struct Decoded {
  Status status = Status::more;
  std::string text;
  std::size_t used = 0;
  bool operator==(const Decoded&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Decoded& decoded) {
  return out << decoded.status << " after " << decoded.used << ": "
             << testing::PrintToString(decoded.text);
}

// Feeds `pieces` one after the other, each from and to memory of exactly the size promised.
Decoded decode(const std::vector<std::string>& pieces) {
  DataDecoder decoder;
  Decoded all;
  for (const std::string& piece : pieces) {
    const auto input = std::make_unique<char[]>(piece.size());
    piece.copy(input.get(), piece.size());
    const std::size_t room = piece.size() + DataDecoder::held_back;
    const auto output = std::make_unique<char[]>(room);
    const auto progress = decoder.decode({input.get(), piece.size()}, output.get());
    EXPECT_LE(progress.stored, room);
    all.status = progress.status;
    all.text.append(output.get(), progress.stored);
    all.used += progress.used;
    if (progress.status != Status::more) break;
    EXPECT_EQ(progress.used, piece.size());
  }
  return all;
}

struct Row {
  std::string wire;
  Status status;
  std::string text;
};

const Row table[] = {
    {".\r\n", Status::end, ""},
    {"\r\n.\r\n", Status::end, "\n"},
    {"a\r\n.\r\n", Status::end, "a\n"},
    {"a\r\nb\r\n\r\n.\r\n", Status::end, "a\nb\n\n"},
    // dots
    {"..\r\n.\r\n", Status::end, ".\n"},
    {".a\r\n.\r\n", Status::end, "a\n"},
    {"...\r\n.\r\n", Status::end, "..\n"},
    {"a.\r\n.b.c\r\n.\r\n", Status::end, "a.\nb.c\n"},
    {".\r.\r\n.\r\n", Status::end, ".\r.\n"},
    {".\rx\r\n.\r\n", Status::end, ".\rx\n"},
    {".\r\r\n.\r\n", Status::end, ".\r\n"},
    {".\r\r\r\n.\r\n", Status::end, ".\r\r\n"},
    // bare CRs
    {"a\rb\r\n.\r\n", Status::end, "a\rb\n"},
    {"a\r.\r\n.\r\n", Status::end, "a\r.\n"},
    {"a\r.\r.\r\n.\r\n", Status::end, "a\r.\r.\n"},
    {"a\r\r\n.\r\n", Status::end, "a\r\n"},
    {"\ra\r\n.\r\n", Status::end, "\ra\n"},
    {"\r\r\n.\r\n", Status::end, "\r\n"},
    // bare LFs
    {"\n", Status::bare_lf, ""},
    {"a\n", Status::bare_lf, "a"},
    {".\n", Status::bare_lf, ""},
    {"a\r\n.\n", Status::bare_lf, "a\n"},
    {"a\r\n\n", Status::bare_lf, "a\n"},
    {"a\r\n.a\n", Status::bare_lf, "a\na"},
    {"a\r\n.\r.\n", Status::bare_lf, "a\n.\r."},
    {"a\rb\n", Status::bare_lf, "a\rb"},
    // anything else is data
    {"\0\xff\x01\x80\r\n.\r\n"s, Status::end, "\0\xff\x01\x80\n"s},
    {"a\r\n.\0\r\n.\r\n"s, Status::end, "a\n\0\n"s},
    {"a\r\n\0.\r\n.\r\n"s, Status::end, "a\n\0.\n"s},
    // not complete
    {"", Status::more, ""},
    {"a", Status::more, "a"},
    {"a\r", Status::more, "a"},
    {"a\r\n", Status::more, "a\n"},
    {"a\r\n.", Status::more, "a\n"},
    {"a\r\n.\r", Status::more, "a\n"},
};

TEST(DataDecoder, Table) {
  for (const Row& row : table) {
    EXPECT_EQ(decode({row.wire}), (Decoded{row.status, row.text, row.wire.size()})) << row.wire;
  }
}

TEST(DataDecoder, WhatFollowsTheEndIsNotUsed) {
  EXPECT_EQ(decode({"a\r\n.\r\nMAIL FROM:<>\r\n"}), (Decoded{Status::end, "a\n", 6}));
}

TEST(DataDecoder, AnyChunkingGivesTheSame) {
  for (const Row& row : table) {
    const std::string& wire = row.wire;
    const Decoded whole = decode({wire});
    for (std::size_t a = 0; a <= wire.size(); ++a) {
      for (std::size_t b = a; b <= wire.size(); ++b) {
        EXPECT_EQ(decode({wire.substr(0, a), wire.substr(a, b - a), wire.substr(b)}), whole)
            << testing::PrintToString(wire) << " cut at " << a << " and " << b;
      }
    }
    std::vector<std::string> bytes;
    for (const char byte : wire) bytes.emplace_back(1, byte);
    EXPECT_EQ(decode(bytes), whole) << "byte by byte";
  }
}

}  // namespace
}  // namespace qmail::smtpd
