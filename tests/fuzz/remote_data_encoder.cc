// The message on the wire, read by a receiver's rule, is the message: decode(encode(m)) == m, apart
// from the CRs that are not allowed out; and no cutting into blocks makes a difference.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-remote/data_encoder.h"

namespace {

using qmail::remote::DataEncoder;

struct Wire {
  std::string bytes;
  bool whole = false;
};

Wire encode(std::string_view message, std::size_t block_size) {
  DataEncoder encoder;
  Wire wire;
  for (std::string_view rest = message; !rest.empty();) {
    const std::string_view block = rest.substr(0, block_size);
    rest.remove_prefix(block.size());
    std::vector<char> room(DataEncoder::room_for(block.size()));
    const std::size_t length = encoder.encode(block, room);
    if (length > room.size()) std::abort();
    wire.bytes.append(room.data(), length);
  }
  wire.whole = encoder.at_line_start();
  return wire;
}

// RFC 5321, 4.5.2: lines end in CR LF; a dot at the start of one is taken away; one with nothing
// else is the end.
std::string decode(std::string_view wire) {
  std::string message;
  for (;;) {
    const std::size_t end = wire.find("\r\n");
    if (end == std::string_view::npos) std::abort();
    std::string_view line = wire.substr(0, end);
    wire.remove_prefix(end + 2);
    if (line.find_first_of("\r\n") != std::string_view::npos) std::abort();  // a bare one
    if (line == ".") break;
    if (!line.empty() && line.front() == '.') line.remove_prefix(1);
    message.append(line).push_back('\n');
  }
  if (!wire.empty()) std::abort();  // the end came early
  return message;
}

// What is to arrive: CR before LF is part of the line end, elsewhere a space; so is a NUL between
// nothing but NULs and a dot.
std::string cleaned(std::string_view message) {
  std::string result;
  bool only_nuls = true;
  for (std::size_t i = 0; i < message.size(); ++i) {
    const char next = i + 1 < message.size() ? message[i + 1] : '\0';
    const bool cr = message[i] == '\r';
    const bool hides_dot = only_nuls && message[i] == '\0' && next == '.';
    only_nuls = message[i] == '\n' || (only_nuls && message[i] == '\0');
    if (cr && next == '\n') continue;
    result += cr || hides_dot ? ' ' : message[i];
  }
  return result;
}

// A server that drops NULs must not find the end of the message in it either.
bool ends_early_without_nul(std::string wire) {
  std::erase(wire, '\0');
  return wire.starts_with(".\r\n") || wire.find("\r\n.\r\n") != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const Wire wire = encode(message, size + 1);
  const Wire pieces = encode(message, size % 5 + 1);
  if (wire.bytes != pieces.bytes || wire.whole != pieces.whole) std::abort();
  if (wire.whole != (message.empty() || message.back() == '\n')) std::abort();
  if (wire.whole && decode(wire.bytes + ".\r\n") != cleaned(message)) std::abort();
  if (ends_early_without_nul(wire.bytes)) std::abort();
  return 0;
}
