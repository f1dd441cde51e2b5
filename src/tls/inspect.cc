#include "tls/inspect.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "tls/context.h"
#include "tls/peer_identity.h"
#include "tls/pem_file.h"
#include "tls/server_names.h"
#include "tls/tls_error.h"
#include "tls/trust.h"

namespace qmail::tls {

namespace {

using StorePtr = std::unique_ptr<X509_STORE, OpensslDeleter<X509_STORE_free>>;
using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslDeleter<X509_STORE_CTX_free>>;

std::int64_t time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  const std::chrono::sys_days day =
      std::chrono::year(parts.tm_year + 1900) / (parts.tm_mon + 1) / parts.tm_mday;
  const std::chrono::sys_seconds then = day + std::chrono::hours(parts.tm_hour) +
                                        std::chrono::minutes(parts.tm_min) +
                                        std::chrono::seconds(parts.tm_sec);
  return then.time_since_epoch().count();
}

// A name, in which any bytes may stand: those that no host has as '?'.
std::string printable(const ASN1_STRING* value) {
  std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                   static_cast<std::size_t>(ASN1_STRING_length(value)));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < '!' || c > '~'; }, '?');
  return text;
}

std::vector<std::string> dns_names_of(const X509* certificate) {
  std::vector<std::string> found;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) found.push_back(printable(name->d.dNSName));
  }
  return found;
}

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  facts.subject = one_line(X509_get_subject_name(certificate));
  facts.issuer = one_line(X509_get_issuer_name(certificate));
  facts.dns_names = dns_names_of(certificate);
  if (const EVP_PKEY* key = X509_get0_pubkey(certificate)) {
    const char* type = EVP_PKEY_get0_type_name(key);
    facts.key = type != nullptr ? type : "unknown";
    facts.key.append(" ").append(std::to_string(EVP_PKEY_get_bits(key)));
  }
  facts.not_before = time_of(X509_get0_notBefore(certificate));
  facts.not_after = time_of(X509_get0_notAfter(certificate));
  facts.self_issued =
      X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
  facts.authority = X509_check_ca(certificate) != 0;
  facts.says_authority = (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
  constexpr int not_as_authority = 0;
  facts.for_servers =
      X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, not_as_authority) == 1;
  facts.for_clients =
      X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, not_as_authority) == 1;
  return facts;
}

CertificatePtr first_certificate(const PemFile& pem) {
  for (const PemBlock& block : pem.blocks) {
    if (block.is_certificate()) return certificate_of(block);
  }
  return nullptr;
}

RevocationListFacts facts_of(X509_CRL* list, X509_STORE* authorities) {
  RevocationListFacts facts;
  const X509_NAME* issuer = X509_CRL_get_issuer(list);
  facts.issuer = one_line(issuer);
  if (const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list)) facts.next_update = time_of(next);
  const StoreContextPtr context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), authorities, nullptr, nullptr) != 1)
    return facts;
  const CertificateStackPtr candidates(X509_STORE_CTX_get1_certs(context.get(), issuer));
  for (int i = 0; candidates && i < sk_X509_num(candidates.get()); ++i) {
    facts.standing = RevocationListFacts::Issuer::bad_signature;
    EVP_PKEY* key = X509_get0_pubkey(sk_X509_value(candidates.get(), i));
    if (key != nullptr && X509_CRL_verify(list, key) == 1) {
      facts.standing = RevocationListFacts::Issuer::known;
      break;
    }
  }
  return facts;
}

}  // namespace

CertificateFile read_certificates(const std::string& path) {
  const PemFile pem = read_pem(path);
  CertificateFile file{pem.absent, pem.problem()};
  for (const PemBlock& block : pem.blocks) {
    if (!block.is_certificate()) continue;
    const CertificatePtr certificate = certificate_of(block);
    if (certificate) {
      file.certificates.push_back(facts_of(certificate.get()));
    } else {
      file.problem = take_library_error();
    }
  }
  return file;
}

bool speaks_for(const std::string& path, std::string_view host) {
  const CertificatePtr certificate = first_certificate(read_pem(path));
  if (!certificate) return false;
  ServerCertificate verdict;
  compare_name(certificate.get(), {std::string(host)}, {}, verdict);
  return verdict.state == ServerCertificate::State::verified;
}

bool is_looked_for(std::string_view folder) {
  if (!folder.starts_with("*.")) return folder_name(folder) == folder;
  const auto under_it = folder_name("any" + std::string(folder.substr(1)));
  return under_it && wildcard_for(*under_it) == folder;
}

ChainFacts chain_of(const std::string& path) {
  const PemFile pem = read_pem(path);
  const CertificatePtr leaf = first_certificate(pem);
  const StorePtr roots(X509_STORE_new());
  const CertificateStackPtr others = new_certificate_stack();
  const StoreContextPtr context(X509_STORE_CTX_new());
  if (!leaf || !roots || !others || !context) return {take_library_error()};
  X509_STORE_set_default_paths(roots.get());
  for (const PemBlock& block : pem.blocks) {
    if (!block.is_certificate()) continue;
    CertificatePtr certificate = certificate_of(block);
    if (!certificate) return {take_library_error()};
    const bool root = X509_NAME_cmp(X509_get_subject_name(certificate.get()),
                                    X509_get_issuer_name(certificate.get())) == 0;
    if (root) {
      X509_STORE_add_cert(roots.get(), certificate.get());
    } else if (sk_X509_push(others.get(), certificate.get()) > 0) {
      (void)certificate.release();  // the stack's now
    }
  }
  X509_STORE_set_flags(roots.get(), X509_V_FLAG_NO_CHECK_TIME);
  if (X509_STORE_CTX_init(context.get(), roots.get(), leaf.get(), others.get()) != 1) {
    return {take_library_error()};
  }
  ChainFacts chain;
  const bool good = X509_verify_cert(context.get()) == 1;
  const STACK_OF(X509)* built = X509_STORE_CTX_get0_chain(context.get());
  chain.length = sk_X509_num(built);
  if (good) return chain;
  const int error = X509_STORE_CTX_get_error(context.get());
  chain.problem = X509_verify_cert_error_string(error);
  chain.issuer_unknown = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
                         error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                         error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
  if (chain.length > 0) {
    chain.last_issuer = one_line(X509_get_issuer_name(sk_X509_value(built, chain.length - 1)));
  }
  return chain;
}

RevocationFile read_revocation_lists(const std::string& path, const std::string& authorities_path) {
  const PemFile pem = read_pem(path);
  RevocationFile file{pem.absent, pem.problem()};
  if (pem.absent) return file;
  const StorePtr authorities(X509_STORE_new());
  if (!authorities) return file;
  add_authorities(authorities.get(), read_pem(authorities_path));
  for (const PemBlock& block : pem.blocks) {
    if (block.label != PEM_STRING_X509_CRL) continue;
    if (const RevocationListPtr list = revocation_list_of(block)) {
      file.lists.push_back(facts_of(list.get(), authorities.get()));
    }
  }
  // As ServerContext judges it: one bad list spoils the file.
  const StorePtr store(X509_STORE_new());
  if (store) file.problem = add_revocation_lists(store.get(), pem, read_pem(authorities_path));
  return file;
}

std::vector<std::string> meaningless_parts(std::string_view cipher_list) {
  std::vector<std::string> found;
  for (bool first = true; !cipher_list.empty(); first = false) {
    const std::size_t end = cipher_list.find_first_of(":, ;");
    std::string_view part = cipher_list.substr(0, end);
    cipher_list.remove_prefix(end == std::string_view::npos ? cipher_list.size() : end + 1);
    part = part.substr(0, part.find('@'));  // "HIGH@STRENGTH": a command needs no colon before it
    if (part.empty()) continue;
    const bool has_operator = part.front() == '!' || part.front() == '-' || part.front() == '+';
    const std::string word(part.substr(has_operator ? 1 : 0));
    ERR_clear_error();
    // Level 0, so that what is merely forbidden here and now still counts as known. It must not
    // stand before the first word: only there OpenSSL knows DEFAULT, SUITEB128 and the like.
    const std::string alone =
        first && !has_operator ? word + ":@SECLEVEL=0" : "@SECLEVEL=0:" + word;
    // A context of its own: SUITEB128 would change what the next words mean.
    const SslContextPtr context(SSL_CTX_new(TLS_server_method()));
    if (context && SSL_CTX_set_cipher_list(context.get(), alone.c_str()) != 1)
      found.emplace_back(part);
  }
  ERR_clear_error();
  return found;
}

}  // namespace qmail::tls
