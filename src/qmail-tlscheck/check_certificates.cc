// servercert.pem and clientcert.pem: can the programs use them, and will their peers.
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/smtpd_tls.h"
#include "qmail/text.h"

namespace qmail::tlscheck {

namespace {

void check_chain(const std::string& file, Findings& found) {
  const tls::ChainFacts chain = tls::chain_of(file);
  if (chain.problem.empty()) return;
  if (!chain.issuer_unknown) {
    found.warn(file, "the chain in it does not lead to a root: " + chain.problem);
  } else if (chain.length > 1) {
    found.ok(file, "its chain leads to " + chain.last_issuer +
                       ", which is no root that this system trusts: who verifies must know it");
  } else {
    found.warn(file, "its issuer is neither in it nor a root that this system trusts: put the " +
                         std::string("issuer's certificate behind the first one, a root of your ") +
                         "own, too: " + chain.last_issuer);
  }
}

// What both sides ask of their certificate. Nothing, if no certificate in it can be read.
std::optional<tls::CertificateFacts> check_identity(const Site& site, const std::string& file,
                                                    Findings& found) {
  const auto content = tls::read_certificates(file);
  if (content.certificates.empty()) return std::nullopt;  // the context has said so
  if (!content.problem.empty()) {
    found.fail(file, "is damaged or cut off (certificates that can be read: " +
                         std::to_string(content.certificates.size()) + "): " + content.problem);
  }
  const tls::CertificateFacts& first = content.certificates.front();
  std::string text = first.subject;
  if (!first.dns_names.empty()) text += "; names " + joined(first.dns_names, ", ");
  text += "; issued by " + (first.self_issued ? "itself" : first.issuer) + "; key " + first.key +
          "; " + expiry(site, first);
  found.ok(file, text);
  for (const auto& certificate : content.certificates) check_dates(site, file, certificate, found);
  check_chain(file, found);
  return first;
}

void check_server_certificate(const Site& site, Findings& found) {
  const std::string file = site.control.file("servercert.pem");
  if (!there(site, "servercert.pem", found)) {
    found.warn(file, "is not there: qmail-smtpd does not offer STARTTLS");
    return;
  }
  check_access(site, file, Owner::smtpd, Secret::yes, found);
  check_candidate(site, file, found);
}

void check_client_certificate(const Site& site, Findings& found) {
  if (!there(site, "clientcert.pem", found)) return;
  const std::string file = site.control.file("clientcert.pem");
  tls::ClientSettings settings;
  settings.certificate_file = file;
  const auto context = tls::ClientContext::create(settings);
  if (context) {
    for (const auto& warning : context->warnings()) {
      found.fail(file, "cannot be used, qmail-remote shows no certificate: " + warning.reason);
    }
  }
  check_access(site, file, Owner::remote, Secret::yes, found);
  const auto certificate = check_identity(site, file, found);
  if (certificate && !certificate->for_clients) {
    found.fail(file, "is not for clients (keyUsage, extendedKeyUsage): servers that ask refuse it");
  }
}

}  // namespace

void check_candidate(const Site& site, const std::string& file, Findings& found) {
  if (const auto context = tls::ServerContext::create(certificate_settings(site, file)); !context) {
    const tls::TlsError& error = context.error();
    const bool about_parameters = error.step == tls::TlsError::Step::parameters;
    found.fail(about_parameters ? error.file : file,
               "cannot be used, TLS fails: " + (error.advice.empty() ? "" : error.advice + ": ") +
                   error.detail);
  }
  const auto certificate = check_identity(site, file, found);
  if (!certificate) return;
  if (!certificate->for_servers) {
    found.warn(file,
               "is not for servers (keyUsage, extendedKeyUsage): clients that verify refuse it");
  }
  const auto host = site.control.line("me");
  if (host && *host && !(*host)->empty() && !tls::speaks_for(file, **host)) {
    found.warn(file, "does not name this host: control/me is " + **host);
  }
}

void check_certificates(const Site& site, Findings& found) {
  check_server_certificate(site, found);
  check_client_certificate(site, found);
}

}  // namespace qmail::tlscheck
