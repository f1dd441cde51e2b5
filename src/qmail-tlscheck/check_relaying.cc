// Relaying by client certificate: tlsclients, clientca.pem, clientcrl.pem.
#include <algorithm>
#include <optional>

#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/smtpd_tls.h"
#include "qmail/tls_client.h"

namespace qmail::tlscheck {

namespace {

// emailAddress is an IA5String, and tlsclients is compared byte by byte.
bool could_be_in_a_certificate(std::string_view entry) {
  const std::size_t at = entry.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < entry.size() &&
         std::all_of(entry.begin(), entry.end(), [](char c) { return c > ' ' && c < '\x7f'; }) &&
         entry.find_first_of("<>,:#\"") == std::string_view::npos;
}

// An entry that can match: who may relay by it. Nothing: it cannot, and that is told.
std::optional<TlsClient::Kind> check_entry(const std::string& file, const std::string& entry,
                                           Findings& found) {
  const TlsClient client = parse_tls_client(entry);
  if (client.kind == TlsClient::Kind::no_digest) {
    found.warn(file, "is no fingerprint (64 hexadecimal digits): " + entry);
    return std::nullopt;
  }
  if (client.kind != TlsClient::Kind::sha256 && !could_be_in_a_certificate(client.text)) {
    found.warn(file, "cannot match a certificate's mail address: " + entry);
    return std::nullopt;
  }
  return client.kind;
}

// `authorities`: somebody can vouch for a certificate with an address.
void check_tlsclients(const Site& site, bool authorities, Findings& found) {
  const std::string file = site.control.file("tlsclients");
  const auto entries = site.control.list("tlsclients");
  if (!entries) return found.fail(file, entries.error().reason);
  check_access(site, file, Owner::smtpd, Secret::no, found);
  if (!*entries) return;
  std::size_t addresses = 0;
  std::size_t digests = 0;
  for (const std::string& entry : **entries) {
    const auto kind = check_entry(file, entry, found);
    if (!kind) continue;
    ++(*kind == TlsClient::Kind::sha256 ? digests : addresses);
  }
  if (!authorities && (addresses > 0 || digests == 0)) {
    found.warn(file, digests == 0 ? "there is no clientca.pem, so no certificate is asked for and "
                                    "nobody relays by one"
                                  : "there is no clientca.pem, so nobody relays by an address");
  }
  if (addresses + digests == 0) return found.warn(file, "lists nobody");
  if (addresses > 0) found.ok(file, std::to_string(addresses) + " addresses may relay");
  if (digests > 0) {
    found.ok(file, std::to_string(digests) + " certificates may relay, whatever their dates");
  }
}

void check_revocation_lists(const Site& site, Findings& found) {
  using Issuer = tls::RevocationListFacts::Issuer;
  const std::string file = site.control.file("clientcrl.pem");
  const auto content = tls::read_revocation_lists(file, site.control.file("clientca.pem"));
  if (content.absent) return;
  check_access(site, file, Owner::smtpd, Secret::no, found);
  for (const auto& list : content.lists) {
    if (list.next_update && *list.next_update < site.settings.now) {
      found.fail(file, "expired " + date(*list.next_update) +
                           ", so its authority's clients are refused: " + list.issuer);
    } else if (list.standing == Issuer::bad_signature) {
      found.fail(file, "a list that its authority in clientca.pem did not sign: " + list.issuer);
    } else if (list.standing == Issuer::unknown) {
      // Needed where clients send this authority's certificate with their own.
      found.ok(file, "list of " + list.issuer + ", an authority that is not in clientca.pem");
    } else {
      found.ok(file, "list of " + list.issuer +
                         (list.next_update ? ", next one due " + date(*list.next_update) : ""));
    }
  }
}

// What the context that qmail-smtpd would make says of one certificate of clientca.pem.
void check_trust(const Site& site, const tls::CertificateFacts& certificate,
                 const tls::TrustFacts& trust, Findings& found) {
  using Why = tls::TrustFacts::Why;
  const std::string file = site.control.file("clientca.pem");
  if (trust.issues || (trust.itself && !certificate.says_authority)) return;
  if (trust.why == Why::no_list) {
    found.fail(site.control.file("clientcrl.pem"), "holds no list of " + trust.list_of +
                                                       ", so clients of " + certificate.subject +
                                                       " are refused");
  } else if (!certificate.authority) {
    found.warn(file, "is no authority and can vouch for nobody: " + certificate.subject);
  } else if (trust.why != Why::dates) {  // those have been told
    found.fail(file, "clients of this authority are refused (" + trust.reason +
                         "): " + certificate.subject);
  }
}

// `by_digest`: there are clients that need none.
void check_authorities(const Site& site, bool by_digest, Findings& found) {
  const std::string file = site.control.file("clientca.pem");
  const auto content = tls::read_certificates(file);
  check_access(site, file, Owner::smtpd, Secret::no, found);
  for (const auto& certificate : content.certificates) {
    found.ok(file,
             certificate.subject + "; key " + certificate.key + "; " + expiry(site, certificate));
    check_dates(site, file, certificate, found);
  }
  check_revocation_lists(site, found);

  tls::ServerSettings settings = certificate_settings(site, site.control.file("servercert.pem"));
  settings.client_certificates = {file, site.control.file("clientcrl.pem"), by_digest};
  const auto context = tls::ServerContext::create(settings);
  if (!context) {
    if (there(site, "servercert.pem", found)) {
      found.warn(file, "not looked at further before servercert.pem can be used");
    }
    return;
  }
  const auto problems = tls::relaying_problems(*context);
  for (const auto& problem : problems) {
    if (by_digest) {
      found.warn(problem.file, "cannot be used, so nobody relays by an address: " + problem.reason);
    } else {
      found.fail(problem.file,
                 "cannot be used, so nobody relays by certificate: " + problem.reason);
    }
  }
  const std::string lists = site.control.file("clientcrl.pem");
  for (const auto& warning : context->warnings()) {
    const bool told = std::any_of(problems.begin(), problems.end(), [&](const auto& problem) {
      return problem.file == warning.file && problem.reason == warning.reason;
    });
    if (!told && (warning.file == file || warning.file == lists)) {
      found.warn(warning.file, warning.reason);
    }
  }
  if (!problems.empty()) return;
  const auto trust = tls::trusted_by(*context, file);
  for (std::size_t i = 0; i < trust.size() && i < content.certificates.size(); ++i) {
    check_trust(site, content.certificates[i], trust[i], found);
  }
}

}  // namespace

void check_relaying(const Site& site, Findings& found) {
  const bool clients = there(site, "tlsclients", found);
  const bool authority = there(site, "clientca.pem", found);
  if (authority && !clients) {
    found.warn(site.control.file("clientca.pem"),
               "there is no tlsclients, so no certificate is asked for and nobody relays by one");
  }
  if (clients) check_tlsclients(site, authority, found);
  if (!authority) return;
  const auto entries = site.control.list("tlsclients");
  check_authorities(site, entries && *entries && lists_digest(**entries), found);
}

}  // namespace qmail::tlscheck
