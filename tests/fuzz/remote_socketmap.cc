// Replies of a socketmap server: what is read is bounded, the same however it is cut into pieces,
// and only "OK " makes a policy; and lines of control/tlspolicymap.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "qmail-remote/socketmap.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmail::remote;  // NOLINT(google-build-using-namespace)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  NetstringReader at_once;
  const auto state = at_once.add(bytes);
  NetstringReader in_pieces;
  auto its_state = NetstringReader::State::incomplete;
  for (std::size_t i = 0; i < size; ++i) its_state = in_pieces.add(bytes.substr(i, 1));
  if (state != its_state || at_once.text() != in_pieces.text()) std::abort();
  if (at_once.text().size() > 100000) std::abort();
  if (state == NetstringReader::State::whole) {
    const auto answer = parse_map_reply(at_once.text());
    if (answer && *answer && !at_once.text().starts_with("OK ")) std::abort();
    if (!answer && answer.error().size() > 500) std::abort();
  }
  const auto map = parse_socket_map(bytes);
  if (map && map->map.empty()) std::abort();
  return 0;
}
