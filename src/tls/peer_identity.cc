#include "tls/peer_identity.h"

#include <algorithm>
#include <array>
#include <span>

#include <openssl/evp.h>
#include <openssl/objects.h>

namespace qmail::tls {

namespace {

std::string bytes_of(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

// The first entry of that kind, with exactly its bytes.
std::optional<std::string> first_entry(const X509_NAME* name, int kind) {
  const int index = X509_NAME_get_index_by_NID(name, kind, -1);
  if (index < 0) return std::nullopt;
  return bytes_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
}

GeneralNamesPtr alternative_names(const X509* certificate) {
  return GeneralNamesPtr(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

bool has_dns_name(const X509* certificate) {
  const GeneralNamesPtr names = alternative_names(certificate);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    if (sk_GENERAL_NAME_value(names.get(), i)->type == GEN_DNS) return true;
  }
  return false;
}

// X509_check_host would take a host with a leading dot for "any name below", and one with a NUL at
// its end for the name before it. No host is called so.
bool is_host_name(std::string_view host) {
  return !host.empty() && host.front() != '.' && host.find('\0') == std::string_view::npos;
}

bool check_host(X509* certificate, std::string_view host) {
  return X509_check_host(certificate, host.data(), host.size(),
                         X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
}

struct FreeDer {
  void operator()(unsigned char* der) const { OPENSSL_free(der); }
};

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string hexadecimal(const Digest& digest, unsigned length) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : std::span(digest).first(length)) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

std::string digest_of(const X509* certificate, const EVP_MD* algorithm) {
  Digest digest;
  unsigned length = 0;
  if (X509_digest(certificate, algorithm, digest.data(), &length) != 1) return {};
  return hexadecimal(digest, length);
}

std::string key_digest_of(const X509* certificate, const EVP_MD* algorithm) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  const std::unique_ptr<unsigned char, FreeDer> owned(der);
  Digest digest;
  unsigned length = 0;
  if (size <= 0 || EVP_Digest(der, static_cast<std::size_t>(size), digest.data(), &length,
                              algorithm, nullptr) != 1) {
    return {};
  }
  return hexadecimal(digest, length);
}

const EVP_MD* algorithm_of(std::string_view digest) {
  return digest.size() == 64 ? EVP_sha256() : digest.size() == 96 ? EVP_sha384() : EVP_sha512();
}

}  // namespace

std::optional<std::string> first_email(const X509* certificate) {
  return first_entry(X509_get_subject_name(certificate), NID_pkcs9_emailAddress);
}

std::vector<std::string> alternative_emails(const X509* certificate) {
  std::vector<std::string> emails;
  const GeneralNamesPtr names = alternative_names(certificate);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_EMAIL) emails.push_back(bytes_of(name->d.rfc822Name));
  }
  return emails;
}

std::string sha256_of(const X509* certificate) { return digest_of(certificate, EVP_sha256()); }

void compare_name(X509* certificate, const std::vector<std::string>& hosts,
                  const std::vector<std::string>& domains, ServerCertificate& result) {
  using State = ServerCertificate::State;
  const bool is_for_host = std::any_of(hosts.begin(), hosts.end(), [&](const std::string& host) {
    return is_host_name(host) && check_host(certificate, host);
  });
  const bool is_under = std::any_of(domains.begin(), domains.end(), [&](const std::string& domain) {
    return is_host_name(domain) && check_host(certificate, "." + domain);
  });
  if (is_for_host || is_under) {
    result.state = State::verified;
  } else if (has_dns_name(certificate)) {
    result.state = State::no_matching_dns_name;
  } else if (auto name = first_entry(X509_get_subject_name(certificate), NID_commonName)) {
    result.state = State::other_common_name;
    result.common_name = std::move(*name);
  } else {
    result.state = State::no_common_name;
  }
}

bool has_fingerprint(X509* certificate, const std::vector<std::string>& digests) {
  return std::any_of(digests.begin(), digests.end(), [&](const std::string& digest) {
    const EVP_MD* algorithm = algorithm_of(digest);
    return !digest.empty() && (digest == digest_of(certificate, algorithm) ||
                               digest == key_digest_of(certificate, algorithm));
  });
}

std::string one_line(const X509_NAME* name) {
  const BioPtr text(BIO_new(BIO_s_mem()));
  if (!text || X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace qmail::tls
