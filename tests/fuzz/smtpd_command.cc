// A command line and the address in it: whatever comes, the verb is the start of the line, the
// argument lies within the line, and the address is no longer than it or than the limit, holds no
// byte that was not in the argument, and is the same whatever surrounds it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "qmail-smtpd/address.h"
#include "qmail-smtpd/command.h"

namespace {

using namespace qmail::smtpd;

void must(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const Command command = parse_command({line});
  const std::string_view argument = command.argument;
  if (!argument.empty()) {
    must(argument.data() >= line.data() && argument.data() + argument.size() <= line.data() + size);
    must(argument.front() != ' ');
  }
  must(argument.find('\0') == std::string_view::npos);
  must(line.starts_with(command.verb));

  const std::string address = extract_address(argument);
  must(address.size() <= argument.size());
  for (const char byte : address) must(argument.find(byte) != std::string_view::npos);
  // An address that needs no quoting is found again in brackets, with parameters behind it.
  if (address.find_first_of("<>\"\\") == std::string::npos && !address.starts_with('@')) {
    must(extract_address("FROM:<" + address + "> SIZE=1") == address);
  }

  const qmail::OwnAddresses own({qmail::IpAddress::v4({127, 0, 0, 1})});
  const auto parsed = parse_address(argument, "host.example", own);
  must(!parsed || parsed->size() <= longest_address);
  const auto raw = parse_address(argument, std::nullopt, own);
  must(raw ? *raw == address : address.size() > longest_address);
  return 0;
}
