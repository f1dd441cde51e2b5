// What an admin wants to know of the files behind TLS: for qmail-tlscheck, beside the seam (tls.h).
//
// The files are read by the code that the programs use (pem_file.h, trust.h, peer_identity.h); this
// only tells what was found. Whether a program could work with a file is asked of ServerContext and
// ClientContext themselves. OpenSSL is linked in the ordinary way here (qmail_tls_inspect).
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qmail::tls {

struct CertificateFacts {
  std::string subject;  // one line, RFC 2253
  std::string issuer;
  std::vector<std::string> dns_names;  // bytes that are not printable, and blanks, as '?'
  std::string key;                     // "RSA 2048"
  std::time_t not_before = 0;
  std::time_t not_after = 0;
  bool self_issued = false;  // a root, or a certificate that signed itself
  bool authority = false;    // may issue certificates (CA:TRUE, or of version 1)
};

struct CertificateFile {
  bool absent = false;
  std::string problem{};  // why the file, or the rest of it, cannot be used
  std::vector<CertificateFacts> certificates{};
};
CertificateFile read_certificates(const std::string& path);

// Does the first certificate in the file speak for `host`, as qmail-remote would judge it?
bool speaks_for(const std::string& path, std::string_view host);

// Why the first certificate in the file does not lead to a root by way of the others in it; empty
// when it does. Roots are the self-issued ones in the file and those the system trusts. The dates
// are not looked at.
std::string chain_problem(const std::string& path);

struct RevocationListFacts {
  enum class Issuer { known, unknown, bad_signature };
  std::string issuer;
  Issuer standing = Issuer::unknown;         // in the file of authorities?
  std::optional<std::time_t> next_update{};  // absent: never stale
};
struct RevocationFile {
  bool absent = false;
  std::string problem{};
  std::vector<RevocationListFacts> lists{};
};
RevocationFile read_revocation_lists(const std::string& path, const std::string& authorities_path);

// The parts of a cipher list (ciphers(1)) that name no cipher OpenSSL has, where they stand: a few
// words, DEFAULT for one, mean something only at the beginning.
std::vector<std::string> meaningless_parts(std::string_view cipher_list);

}  // namespace qmail::tls
