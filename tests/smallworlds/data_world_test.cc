// The two halves of DATA over every byte string up to ten bytes of {CR, LF, '.', 'a', NUL}, whole
// and in every split into two pieces (the empty pieces included), against models that are read off
// RFC 5321 (4.5.2) and the README ("Differences from the patch"). Nothing is sampled.
#include <array>
#include <cstring>
#include <string_view>

#include <gtest/gtest.h>

#include "every_string.h"
#include "qmail-remote/data_encoder.h"
#include "qmail-smtpd/data_decoder.h"

namespace qmail::test {
namespace {

using remote::DataEncoder;
using smtpd::DataDecoder;
using Status = DataDecoder::Status;

constexpr std::string_view alphabet("\r\n.a\0", 5);
constexpr std::size_t longest = 10;
constexpr std::size_t strings = 12207031;  // (5^11 - 1) / 4

// A byte string that costs no allocation: some hundred million of them are made here.
struct Bytes {
  std::array<char, 32> data{};
  std::size_t size = 0;

  void add(char c) { data[size++] = c; }
  std::string_view view() const { return {data.data(), size}; }
};

struct Decoded {
  Status status = Status::more;
  std::size_t used = 0;
  Bytes output{};
};

// --- what the decoder must do ---

// A line's text, CR LF taken off, or as much of it as has come: its dot goes, except before a CR.
void store_text(std::string_view text, Bytes& output) {
  if (!text.empty() && text[0] == '.' && (text.size() == 1 || text[1] != '\r')) {
    text.remove_prefix(1);
  }
  for (const char c : text) output.add(c);
}

Decoded decoder_model(std::string_view input) {
  Decoded result;
  std::size_t line = 0;  // where the line at hand begins
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (input[i] != '\n') continue;
    result.used = i + 1;
    const bool line_end = i > line && input[i - 1] == '\r';
    const std::string_view text = input.substr(line, line_end ? i - 1 - line : i - line);
    if (line_end && text == ".") return {Status::end, result.used, result.output};
    store_text(text, result.output);
    if (!line_end) return {Status::bare_lf, result.used, result.output};
    result.output.add('\n');
    line = i + 1;
  }
  // The last line is not whole: a CR at its end is held back, and so is a dot that may be the end.
  std::string_view rest = input.substr(line);
  result.used = input.size();
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  if (rest != ".") store_text(rest, result.output);
  return result;
}

// --- what it does ---

void decode_more(DataDecoder& decoder, std::string_view input, Decoded& result) {
  const auto progress = decoder.decode(input, result.output.data.data() + result.output.size);
  result.status = progress.status;
  result.used += progress.used;
  result.output.size += progress.stored;
}

bool same(const Decoded& a, const Decoded& b) {
  return a.status == b.status && a.used == b.used && a.output.view() == b.output.view();
}

TEST(DataWorld, DecoderAgreesWithItsModelInEverySplit) {
  std::size_t wrong = 0;
  const auto compare = [&](std::string_view input, std::size_t cut, const Decoded& got,
                           const Decoded& wanted) {
    if (same(got, wanted) || ++wrong > 10) return;
    ADD_FAILURE() << "\"" << shown(input) << "\" cut at " << cut << ": status "
                  << static_cast<int>(got.status) << ", used " << got.used << ", output \""
                  << shown(got.output.view()) << "\"; wanted " << static_cast<int>(wanted.status)
                  << ", " << wanted.used << ", \"" << shown(wanted.output.view()) << "\"";
  };
  const std::size_t count = every_string(alphabet, longest, [&](std::string_view input) {
    const Decoded wanted = decoder_model(input);
    DataDecoder whole;
    Decoded got;
    decode_more(whole, input, got);
    compare(input, input.size(), got, wanted);
    for (std::size_t cut = 0; cut < input.size(); ++cut) {
      DataDecoder decoder;
      Decoded pieces;
      decode_more(decoder, input.substr(0, cut), pieces);
      if (pieces.status == Status::more) decode_more(decoder, input.substr(cut), pieces);
      compare(input, cut, pieces, wanted);
    }
  });
  EXPECT_EQ(count, strings);
  EXPECT_EQ(wrong, 0U);
}

// --- the encoder ---

// The message as it should arrive: the CR of a line end belongs to it, any other one is a space,
// and so is a NUL before a line's first dot.
Bytes cleaned(std::string_view message) {
  Bytes result;
  bool only_nuls = true;  // on this line, before this byte
  for (std::size_t i = 0; i < message.size(); ++i) {
    const char next = i + 1 < message.size() ? message[i + 1] : '\0';
    const bool line_end = next == '\n';
    const bool hides_dot = message[i] == '\0' && next == '.' && only_nuls;
    only_nuls = message[i] == '\n' || (only_nuls && message[i] == '\0');
    if (hides_dot) {
      result.add(' ');
    } else if (message[i] != '\r') {
      result.add(message[i]);
    } else if (!line_end) {
      result.add(' ');
    }
  }
  return result;
}

Bytes encoder_model(std::string_view message) {
  Bytes result;
  const Bytes clean = cleaned(message);
  bool line_start = true;
  for (const char c : clean.view()) {
    if (line_start && c == '.') result.add('.');
    if (c == '\n') result.add('\r');
    result.add(c);
    line_start = c == '\n';
  }
  return result;
}

void encode_more(DataEncoder& encoder, std::string_view block, Bytes& output) {
  output.size +=
      encoder.encode(block, {output.data.data() + output.size, output.data.size() - output.size});
}

TEST(DataWorld, EncoderAgreesWithItsModelInEverySplitAndDecodesToTheMessage) {
  std::size_t wrong = 0;
  const auto wrong_about = [&](std::string_view message, std::size_t cut, std::string_view what) {
    if (++wrong > 10) return;
    ADD_FAILURE() << "\"" << shown(message) << "\" cut at " << cut << ": " << what;
  };
  const std::size_t count = every_string(alphabet, longest, [&](std::string_view message) {
    const bool whole_lines = message.empty() || message.back() == '\n';
    // A message that ends in CR, or in a line of NULs, is refused: what the model makes of the last
    // byte is not sent.
    const std::size_t text = message.find_last_not_of('\0') + 1;
    const bool held =
        !message.empty() && (message.back() == '\r' ||
                             (text < message.size() && (text == 0 || message[text - 1] == '\n')));
    const Bytes wanted = encoder_model(held ? message.substr(0, message.size() - 1) : message);
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
      DataEncoder encoder;
      Bytes got;
      encode_more(encoder, message.substr(0, cut), got);
      encode_more(encoder, message.substr(cut), got);
      if (got.view() != wanted.view())
        wrong_about(message, cut, "encoded \"" + shown(got.view()) + "\"");
      if (encoder.at_line_start() != whole_lines) wrong_about(message, cut, "at_line_start()");
    }
    if (!whole_lines) return;
    Bytes wire = wanted;
    for (const char c : std::string_view(".\r\n")) wire.add(c);
    const Decoded back = decoder_model(wire.view());
    DataDecoder decoder;
    Decoded got;
    decode_more(decoder, wire.view(), got);
    if (!same(got, back) || got.status != Status::end || got.used != wire.size ||
        got.output.view() != cleaned(message).view()) {
      wrong_about(message, 0, "decoded to \"" + shown(got.output.view()) + "\"");
    }
  });
  EXPECT_EQ(count, strings);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace qmail::test
