// The header of a proxy with any bytes: what is asked for while it comes in pieces never reaches
// behind the header, the whole is bounded, and pieces of any size end as the whole does. The first
// byte says how large the pieces may be.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "qmail-smtpd/proxy_header.h"

namespace {

using namespace qmail::smtpd;

void must(bool condition) {
  if (!condition) std::abort();
}

struct End {
  std::size_t size;  // of what was read by then
  ProxyHeaderStep step;
};

// As much as is asked for, but no more than `most` at once.
End read_in_pieces(std::string_view bytes, std::size_t most) {
  for (std::size_t have = 0;;) {
    const ProxyHeaderStep step = read_proxy_header(bytes.substr(0, have));
    const auto* more = std::get_if<ProxyHeaderGoesOn>(&step);
    if (more == nullptr || have == bytes.size()) return {have, step};
    must(more->more >= 1 && have + more->more <= longest_proxy_header);
    have = std::min(bytes.size(), have + std::min(more->more, most));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const End end = read_in_pieces(bytes, longest_proxy_header);
  const End other = read_in_pieces(bytes, std::size_t{data[0]} + 1);
  const auto* header = std::get_if<ProxyHeader>(&end.step);
  must((header != nullptr) == std::holds_alternative<ProxyHeader>(other.step));
  if (header == nullptr) return 0;
  must(end.size == other.size && end.size >= 15);
  const auto& ends = std::get<ProxyHeader>(other.step).ends;
  must(header->ends.has_value() == ends.has_value());
  if (!ends) return 0;
  must(header->ends->client.address == ends->client.address);
  must(!ends->client.address.text().empty() && !ends->server.address.text().empty());
  return 0;
}
