// The message behind DATA: any chunking gives the same output, which never grows beyond what was
// promised; and the size of a hop count does not depend on chunking either. The first byte chooses
// the size of the pieces, the rest is the wire.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "qmail-smtpd/data_decoder.h"
#include "qmail-smtpd/hop_counter.h"

namespace {

using namespace qmail::smtpd;

void must(bool condition) {
  if (!condition) std::abort();
}

struct Received {
  DataDecoder::Status status = DataDecoder::Status::more;
  std::size_t used = 0;
  std::string text;
  int hops = 0;
  bool operator==(const Received&) const = default;
};

Received receive(std::string_view wire, std::size_t piece) {
  DataDecoder decoder;
  HopCounter hops;
  Received all;
  while (all.status == DataDecoder::Status::more && all.used < wire.size()) {
    const std::string_view input = wire.substr(all.used, piece);
    // Exactly the room that is asked for, so that one byte more is seen by the sanitizers.
    const std::size_t room = input.size() + DataDecoder::held_back;
    const auto output = std::make_unique<char[]>(room);
    const auto progress = decoder.decode(input, output.get());
    must(progress.used <= input.size() && progress.stored <= room);
    must(progress.status != DataDecoder::Status::more || progress.used == input.size());
    hops.look_at(input.substr(0, progress.used));
    all.status = progress.status;
    all.used += progress.used;
    all.text.append(output.get(), progress.stored);
  }
  all.hops = hops.hops();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Received whole = receive(wire, wire.size());
  must(receive(wire, data[0] % 64 + 1U) == whole);
  must(receive(wire, 1) == whole);
  must(whole.text.size() <= whole.used);
  if (whole.status == DataDecoder::Status::end) {
    must(wire.substr(0, whole.used).ends_with(".\r\n"));
    must(whole.text.empty() || whole.text.back() == '\n');
  }
  if (whole.status == DataDecoder::Status::bare_lf) must(wire[whole.used - 1] == '\n');
  return 0;
}
