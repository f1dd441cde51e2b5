// A server's replies: however the bytes are cut, the same replies come out, bounded; keywords are
// found without harm.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "qmail-remote/response.h"

namespace {

using qmail::remote::ExtensionsReader;
using qmail::remote::Response;
using qmail::remote::ResponseReader;

std::vector<Response> read(std::string_view bytes, std::size_t piece_size) {
  std::vector<Response> found;
  ExtensionsReader extensions;
  const std::size_t size_of_all = bytes.size();
  std::size_t heard = 0;
  ResponseReader reader;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_size);
    bytes.remove_prefix(piece.size());
    while (!piece.empty()) {
      const std::size_t used = reader.feed(piece, [&](std::string_view line) {
        if (line.find_first_of("\r") != std::string_view::npos) std::abort();
        heard += line.size() + 1;
        extensions.add(line);
      });
      if (used == 0 || used > piece.size()) std::abort();
      if (used < piece.size() && !reader.complete()) std::abort();
      piece.remove_prefix(used);
      if (reader.complete()) found.push_back(reader.take());
    }
  }
  if (heard > size_of_all) std::abort();
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = read(bytes, bytes.size() + 1);
  const auto pieces = read(bytes, size % 7 + 1);
  if (whole.size() != pieces.size()) std::abort();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (whole[i].code != pieces[i].code || whole[i].text != pieces[i].text) std::abort();
    if (whole[i].text.size() > ResponseReader::longest_text) std::abort();
    if (whole[i].code < 0 || whole[i].code > 999) std::abort();
    if (whole[i].text.find('\r') != std::string::npos) std::abort();
    const auto kind = whole[i].kind();
    if (kind == Response::Class::success && whole[i].text[0] != '2') std::abort();
  }
  return 0;
}
