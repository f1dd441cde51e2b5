// A list file, as control/rcpthosts and the like: no entry is empty or holds a line end or a NUL;
// each is found whatever its letter case and bars or accepts itself; nobody else is accepted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-smtpd/relay_policy.h"
#include "qmail/ascii.h"
#include "qmail/control.h"

namespace {

void must(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmail::smtpd;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> entries = qmail::parse_list(text);
  const EntrySet set(entries);
  const RecipientHosts hosts(entries);
  const BadSenders bad{entries};
  for (const std::string& entry : entries) {
    must(!entry.empty() && entry.find('\n') == std::string::npos);
    must(entry.find('\0') == std::string::npos && text.find(entry) != std::string_view::npos);
    must(set.contains(entry) && set.contains(qmail::to_lower(entry)));
    must(bad.bars(entry));
    const bool has_at = entry.find('@') != std::string::npos;
    const auto accepted = hosts.accept("joe@" + entry);
    must(accepted.has_value() && (*accepted || has_at));
  }
  must(!set.contains(""));
  // Whoever is accepted has a listed host or a listed suffix that begins with a dot.
  const std::string host = qmail::to_lower(text.substr(0, 300));
  if (host.find('@') == std::string::npos && *hosts.accept("joe@" + host)) {
    bool listed = set.contains(host);
    for (std::size_t i = 1; i < host.size() && !listed; ++i) {
      listed = host[i] == '.' && set.contains(std::string_view(host).substr(i));
    }
    must(listed);
  }
  return 0;
}
