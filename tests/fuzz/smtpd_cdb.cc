// control/morercpthosts.cdb with any content: a look-up ends, reads nothing outside the file, and
// answers the same each time. The first byte is the length of the address, then come the address
// and the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

#include "qmail-smtpd/relay_policy.h"

namespace {

void must(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmail::smtpd;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view address = rest.substr(0, std::min<std::size_t>(data[0], 40));
  const std::string_view content = rest.substr(address.size());

  qmail::UniqueFd file(::memfd_create("cdb", MFD_CLOEXEC));
  must(static_cast<bool>(file));
  must(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  const RecipientHosts hosts({}, CdbFile(std::move(file), "morercpthosts.cdb"));
  const auto first = hosts.accept("joe@" + std::string(address));
  const auto second = hosts.accept("joe@" + std::string(address));
  must(first.has_value() == second.has_value());
  if (first) must(*first == *second);
  if (!first) must(first.error().file == "morercpthosts.cdb" && !first.error().reason.empty());
  return 0;
}
