// DNS answers of any bytes: nothing is read behind the end, and what comes out is bounded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "qmail-remote/dns_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmail::remote;  // NOLINT(google-build-using-namespace)
  const DnsMessage message(data, size);
  const auto v4 = v4_addresses_in(message);
  const auto v6 = v6_addresses_in(message);
  const auto exchangers = exchangers_in(message);
  const auto aliases = aliases_in(message);
  const auto tlsa = tlsa_in(message);
  const auto end = end_of_aliases(message, "x.test");
  if (end && end->size() > 1024) std::abort();
  if (end && !aliases) std::abort();
  static_cast<void>(validated(message));
  // A record takes at least eleven bytes.
  const std::size_t most = size / 11;
  if (v4 && v4->size() > most) std::abort();
  if (v6 && v6->size() > most) std::abort();
  if (exchangers) {
    if (exchangers->size() > most) std::abort();
    for (const auto& one : *exchangers) {
      if (one.exchanger.size() > 1024) std::abort();
    }
  }
  if (tlsa) {
    if (tlsa->size() > most) std::abort();
    std::size_t bytes = 0;
    for (const auto& one : *tlsa) bytes += one.data.size();
    if (bytes > size) std::abort();
  }
  if (aliases && aliases->size() > most) std::abort();
  return 0;
}
