// A certificate from the network, and whom it speaks for: src/tls/peer_identity.
//
// Whatever the certificate holds, it is never taken for a host that none of its names stands for by
// a few plain rules (names_stand_for), and the line made of its subject is one line.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
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

std::string utf8_of(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, text);
  if (size < 0) return {};
  std::string result(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return result;
}

// The names that count: the dNSNames or, if there are none, the common names.
struct Names {
  bool dns = false;
  std::vector<std::string> names{};
};

Names names_of(const X509* certificate) {
  Names result;
  const GeneralNamesPtr all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    result.dns = true;
    result.names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                              static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  if (result.dns) return result;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) {
    result.names.push_back(utf8_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i))));
  }
  return result;
}

bool stands_for(std::string_view name, std::string_view host) {
  if (equal_ignoring_case(name, host)) return true;
  if (!name.starts_with("*.")) return false;
  const std::string_view rest = name.substr(1);
  const std::size_t dot = host.find('.');
  return dot != 0 && dot != std::string_view::npos && equal_ignoring_case(host.substr(dot), rest) &&
         std::count(rest.begin(), rest.end(), '.') >= 2;
}

void check(X509* certificate, const Names& names, std::string_view host) {
  using State = ServerCertificate::State;
  ServerCertificate verdict;
  compare_name(certificate, {std::string(host)}, {}, verdict);
  switch (verdict.state) {
    case State::verified:
      need(std::any_of(names.names.begin(), names.names.end(),
                       [host](const std::string& name) { return stands_for(name, host); }));
      break;
    case State::no_matching_dns_name:
      need(names.dns);
      break;
    case State::no_common_name:
      need(!names.dns && names.names.empty());
      break;
    case State::other_common_name:
      need(!names.dns && !names.names.empty());
      break;
    default:
      need(false);
  }
  need(verdict.common_name.empty() || verdict.state == State::other_common_name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const unsigned char* der = data;
  const CertificatePtr certificate(d2i_X509(nullptr, &der, static_cast<long>(size)));
  if (!certificate) return 0;
  X509* raw = certificate.get();
  const Names names = names_of(raw);
  check(raw, names, "mx1.example.org");
  check(raw, names, "");
  for (const std::string& name : names.names) {
    check(raw, names, name);
    // A host below a wildcard, and one that would be cut off at a NUL.
    if (name.starts_with("*")) check(raw, names, "mx1" + name.substr(1));
    check(raw, names, std::string_view(name).substr(0, name.find('\0')));
  }
  const auto email = first_email(raw);
  need(!email || email->size() <= size);
  for (const char c : one_line(X509_get_subject_name(raw))) need(c >= ' ' && c <= '~');
  return 0;
}
