// Quoting: what goes onto the wire, read as RFC 5321 says, is the address that was given.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "qmail-remote/address.h"

namespace {

// The reader's side, from RFC 5321, 4.1.2: Local-part, quoted or not, up to the '@'.
std::string unquoted(std::string_view wire) {
  if (wire.empty() || wire.front() != '"') return std::string(wire);
  std::string box;
  std::size_t i = 1;
  for (; i < wire.size() && wire[i] != '"'; ++i) {
    if (wire[i] == '\\') ++i;
    box += wire.at(i);
  }
  if (wire.at(i) != '"' || wire.at(i + 1) != '@') std::abort();
  return box.append(wire.substr(i + 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view address(reinterpret_cast<const char*>(data), size);
  if (qmail::remote::has_line_break(address)) return 0;
  const std::string wire = qmail::remote::quoted(address);
  if (qmail::remote::has_line_break(wire)) std::abort();
  if (address.find('@') == std::string_view::npos) {
    if (wire != address) std::abort();
    return 0;
  }
  if (unquoted(wire) != address) std::abort();
  return 0;
}
