// "host LF name LF name …": is a certificate with these dNSNames taken for the host? It must be
// when one of them is the host's plain name, and only when one of them stands for it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "qmail/ascii.h"
#include "tls/peer_identity.h"

namespace {

using namespace qmail;
using namespace qmail::tls;

void need(bool holds) {
  if (!holds) std::abort();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

CertificatePtr certificate_for(const std::vector<std::string_view>& names) {
  const GeneralNamesPtr all(sk_GENERAL_NAME_new_null());
  for (const std::string_view name : names) {
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
    GENERAL_NAME* entry = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(entry, GEN_DNS, text);
    sk_GENERAL_NAME_push(all.get(), entry);
  }
  CertificatePtr certificate(X509_new());
  need(X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, all.get(), 0, 0) == 1);
  return certificate;
}

// Letters, digits, hyphens, and dots between them.
bool is_plain(std::string_view host) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
  return !host.empty() && host.front() != '.' &&
         host.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_wildcard_for(std::string_view name, std::string_view host) {
  const std::size_t dot = host.find('.');
  return name.starts_with("*.") && dot != 0 && dot != std::string_view::npos &&
         equal_ignoring_case(name.substr(1), host.substr(dot)) &&
         std::count(name.begin(), name.end(), '.') >= 2;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<std::string_view> names = lines_of({reinterpret_cast<const char*>(data), size});
  const std::string_view host = names.front();
  names.erase(names.begin());
  if (names.empty()) return 0;
  const auto equals = [host](std::string_view name) { return equal_ignoring_case(name, host); };
  const auto covers = [host](std::string_view name) { return is_wildcard_for(name, host); };
  const bool equal = std::any_of(names.begin(), names.end(), equals);
  const bool covered = std::any_of(names.begin(), names.end(), covers);

  ServerCertificate verdict;
  compare_name(certificate_for(names).get(), {std::string(host)}, {}, verdict);
  const bool taken = verdict.state == ServerCertificate::State::verified;
  need(taken || verdict.state == ServerCertificate::State::no_matching_dns_name);
  need(!taken || equal || covered);
  need(taken || !equal || !is_plain(host));
  return 0;
}
