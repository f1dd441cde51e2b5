// Relaying by client certificate: tlsclients, clientca.pem, clientcrl.pem.
#include <algorithm>

#include "qmail-tlscheck/checks.h"

namespace qmail::tlscheck {

namespace {

void check_tlsclients(const Site& site, Findings& found) {
  const std::string file = site.control.file("tlsclients");
  const auto entries = site.control.list("tlsclients");
  if (!entries) return found.fail(file, entries.error().reason);
  check_access(site, file, Owner::smtpd, Secret::no, found);
  if (!*entries) return;
  std::size_t good = 0;
  for (const std::string& entry : **entries) {
    const std::size_t at = entry.find('@');
    const bool address = at != std::string::npos && at > 0 && at + 1 < entry.size() &&
                         entry.find_first_of(" \t<>,:#\"", 0) == std::string::npos;
    if (address) {
      ++good;
    } else {
      found.warn(file, "cannot match a certificate's mail address: " + entry);
    }
  }
  if (good == 0) return found.warn(file, "lists nobody");
  found.ok(file, std::to_string(good) + " addresses may relay");
}

void check_revocation_lists(const Site& site, const std::vector<tls::CertificateFacts>& authorities,
                            Findings& found) {
  using Issuer = tls::RevocationListFacts::Issuer;
  const std::string file = site.control.file("clientcrl.pem");
  const auto content = tls::read_revocation_lists(file, site.control.file("clientca.pem"));
  if (content.absent) return;
  check_access(site, file, Owner::smtpd, Secret::no, found);
  if (!content.problem.empty()) {
    found.fail(file, "cannot be used, so nobody relays by certificate: " + content.problem);
  }
  for (const auto& list : content.lists) {
    if (list.standing == Issuer::unknown) {
      found.warn(file, "a list of an authority that is not in clientca.pem: " + list.issuer);
    } else if (list.standing == Issuer::bad_signature) {
      found.fail(file, "a list that its authority in clientca.pem did not sign: " + list.issuer);
    } else if (list.next_update && *list.next_update < site.settings.now) {
      found.fail(file, "expired " + date(*list.next_update) +
                           ", so its authority's clients are refused: " + list.issuer);
    } else {
      found.ok(file, "list of " + list.issuer +
                         (list.next_update ? ", next one due " + date(*list.next_update) : ""));
    }
  }
  for (const auto& authority : authorities) {
    const bool listed =
        std::any_of(content.lists.begin(), content.lists.end(), [&](const auto& list) {
          return list.issuer == authority.subject && list.standing == Issuer::known;
        });
    if (!listed && authority.authority) {
      found.fail(file, "holds no list of " + authority.subject + ", so its clients are refused");
    }
  }
}

void check_authorities(const Site& site, Findings& found) {
  const std::string file = site.control.file("clientca.pem");
  const auto content = tls::read_certificates(file);
  check_access(site, file, Owner::smtpd, Secret::no, found);
  if (!content.problem.empty()) found.fail(file, content.problem);
  if (content.certificates.empty()) {
    found.fail(file, "holds no certificate, so none is asked for and nobody relays by one");
  }
  for (const auto& certificate : content.certificates) {
    found.ok(file,
             certificate.subject + "; key " + certificate.key + "; " + expiry(site, certificate));
    check_dates(site, file, certificate, found);
    if (!certificate.authority) {
      found.warn(file, "is no authority and can vouch for nobody: " + certificate.subject);
    }
  }
  check_revocation_lists(site, content.certificates, found);
}

}  // namespace

void check_relaying(const Site& site, Findings& found) {
  const bool clients = there(site, "tlsclients", found);
  const bool authority = there(site, "clientca.pem", found);
  if (clients && !authority) {
    found.warn(site.control.file("tlsclients"),
               "there is no clientca.pem, so no certificate is asked for and nobody relays by one");
  }
  if (authority && !clients) {
    found.warn(site.control.file("clientca.pem"),
               "there is no tlsclients, so no certificate is asked for and nobody relays by one");
  }
  if (clients) check_tlsclients(site, found);
  if (authority) check_authorities(site, found);
}

}  // namespace qmail::tlscheck
