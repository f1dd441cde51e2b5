// What an admin wants to know of the files behind TLS: for qmail-tlscheck, beside the seam (tls.h).
//
// The files are read by the code that the programs use (pem_file.h, trust.h, peer_identity.h); this
// only tells what was found. Whether a program could work with a file is asked of ServerContext and
// ClientContext themselves. OpenSSL is linked in the ordinary way here (qmail_tls_inspect).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/tls.h"

namespace qmail::tls {

struct CertificateFacts {
  std::string subject;  // one line, RFC 2253
  std::string issuer;
  std::vector<std::string> dns_names;  // bytes that are not printable, and blanks, as '?'
  std::string key;                     // "RSA 2048"
  std::int64_t not_before = 0;         // seconds since 1970: a time_t of 32 bits ends in 2038
  std::int64_t not_after = 0;
  bool self_issued = false;     // a root, or a certificate that signed itself
  bool authority = false;       // may issue certificates (CA:TRUE, or of version 1)
  bool says_authority = false;  // CA:TRUE, though its keyUsage may forbid it
  // What it may be used for, if it does not issue others (keyUsage, extendedKeyUsage).
  bool for_servers = false;
  bool for_clients = false;
};

struct CertificateFile {
  bool absent = false;
  std::string problem{};  // why the file, or the rest of it, cannot be used
  std::vector<CertificateFacts> certificates{};
};
CertificateFile read_certificates(const std::string& path);

// Does the first certificate in the file speak for `host`, as qmail-remote would judge it?
bool speaks_for(const std::string& path, std::string_view host);

// Is there a name for which qmail-smtpd looks for a folder called that?
bool is_looked_for(std::string_view folder);

// How the first certificate in the file leads to a root by way of the others in it. Roots are the
// self-issued ones in the file and those the system trusts. The dates are not looked at.
struct ChainFacts {
  std::string problem{};  // why it does not; empty when it does
  // It leads to a certificate whose issuer nobody here knows: a root of one's own, or a part of
  // the chain that is missing.
  bool issuer_unknown = false;
  std::string last_issuer{};
  int length = 0;  // with the first certificate
};
ChainFacts chain_of(const std::string& path);

// Whom a certificate in a file of authorities vouches for, by the certificates, lists, purposes and
// security level of the context that the program would use; clients with ServerContext, servers
// with ClientContext. In the order of the file's certificates.
struct TrustFacts {
  enum class Why { other, dates, no_list };
  bool itself = false;  // a peer that shows just this certificate is verified
  bool issues = false;  // one whose certificate it has issued is
  Why why = Why::other;
  std::string reason{};   // why not
  std::string list_of{};  // no_list: the authority
};
// Why clients' certificates cannot be judged as meant; warnings() may say more that is odd.
std::vector<Warning> relaying_problems(const ServerContext& context);
std::vector<TrustFacts> trusted_by(const ServerContext& context, const std::string& path);
std::vector<TrustFacts> trusted_by(const ClientContext& context, const std::string& path);

struct RevocationListFacts {
  enum class Issuer { known, unknown, bad_signature };
  std::string issuer;
  Issuer standing = Issuer::unknown;          // in the file of authorities?
  std::optional<std::int64_t> next_update{};  // absent: never stale
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
