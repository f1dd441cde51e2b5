// TLSA records of any bytes, as a DNS answer (an input that is none: as the data of one record,
// with usage, selector and matching type in its first three bytes). OpenSSL takes every record that
// counts, and its word for the rest is heard without harm.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "qmail-remote/dns_answer.h"
#include "qmail-remote/tlsa.h"
#include "tls/dane.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qmail;  // NOLINT(google-build-using-namespace)
  static SSL_CTX* const context = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (made == nullptr || !tls::allow_dane(made)) std::abort();
    return made;
  }();
  auto records = remote::tlsa_in({data, size}).value_or(std::vector<TlsaRecord>());
  if (records.empty() && size >= 3) {
    records.push_back({data[0], data[1], data[2],
                       std::string(reinterpret_cast<const char*>(data) + 3, size - 3)});
  }
  const auto taken = [](std::vector<TlsaRecord> some) {
    const tls::SslPtr ssl(SSL_new(context));
    return !tls::expect_records(ssl.get(), {std::move(some), "mx.test", {"to.test"}}).has_value();
  };
  std::size_t usable = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(records.size(), 20); ++i) {
    const bool counts = remote::is_usable(records[i]);
    if (counts && !taken({records[i]})) std::abort();
    if (counts) ++usable;
  }
  if (taken(records) != (usable > 0) && usable > 0) std::abort();
  return 0;
}
