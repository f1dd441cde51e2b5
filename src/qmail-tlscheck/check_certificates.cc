// servercert.pem, those beside it and by name, and clientcert.pem: can the programs use them, and
// will their peers.
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

// A certificate that qmail-smtpd shows, beside what is looked at in any: can it work with it, and
// is it for `host`, which is what `where` says. `otherwise`: what follows when it cannot.
void check_shown(const Site& site, const std::string& file, const std::string& otherwise,
                 const std::string& host, const std::string& where, Findings& found) {
  if (const auto context = tls::ServerContext::create(certificate_settings(site, file)); !context) {
    const tls::TlsError& error = context.error();
    const bool about_parameters = error.step == tls::TlsError::Step::parameters;
    found.fail(about_parameters ? error.file : file,
               "cannot be used, " + otherwise + ": " +
                   (error.advice.empty() ? "" : error.advice + ": ") + error.detail);
  }
  const auto certificate = check_identity(site, file, found);
  if (!certificate) return;
  if (!certificate->for_servers) {
    found.warn(file,
               "is not for servers (keyUsage, extendedKeyUsage): clients that verify refuse it");
  }
  if (!host.empty() && !tls::speaks_for(file, host)) {
    found.warn(file, "does not name " + where);
  }
}

std::string key_type(const std::string& file) {
  const auto content = tls::read_certificates(file);
  if (content.certificates.empty()) return {};
  const std::string& key = content.certificates.front().key;
  return key.substr(0, key.find(' '));
}

// The second certificate in `folder` ("" or "servercerts/NAME/"), whose first is there or not.
void check_second(const Site& site, const std::string& folder, const std::string& host,
                  const std::string& where, Findings& found) {
  const std::string first = site.control.file(folder + "servercert.pem");
  const std::string file = site.control.file(folder + "servercert-ec.pem");
  if (!there(site, folder + "servercert.pem", found)) {
    found.warn(file, "has no effect: " + first + " is not there");
    return;
  }
  check_access(site, file, Owner::smtpd, Secret::yes, found);
  check_shown(site, file, first + " is shown alone", host, where, found);
  if (const std::string type = key_type(file); !type.empty() && type == key_type(first)) {
    found.warn(file, "its key is of the same type as that in " + first + ", so it is of no use");
  }
}

std::string own_name(const Site& site) {
  const auto me = site.control.line("me");
  return me ? me->value_or("") : "";
}

void check_by_name(const Site& site, const std::string& name, Findings& found) {
  const std::string folder = "servercerts/" + name;
  const std::string path = site.control.file(folder);
  if (!tls::is_looked_for(name)) {
    found.warn(path, "has no effect: it must be called as a host, in small letters, or *.DOMAIN");
    return;
  }
  check_search(site, path, Owner::smtpd, "the usual certificate is shown for " + name, found);
  const std::string host = name.starts_with("*.") ? "any" + name.substr(1) : name;
  const std::string file = path + "/servercert.pem";
  if (there(site, folder + "/servercert.pem", found)) {
    check_access(site, file, Owner::smtpd, Secret::yes, found);
    check_shown(site, file, "the usual certificate is shown in its place", host, name, found);
  } else {
    found.fail(file, "is not there: the usual certificate is shown for " + name);
  }
  if (there(site, folder + "/servercert-ec.pem", found)) {
    check_second(site, folder + "/", host, name, found);
  }
}

void check_names(const Site& site, Findings& found) {
  if (!there(site, "servercerts", found)) return;
  const std::string folder = site.control.file("servercerts");
  if (!there(site, "servercert.pem", found)) {
    found.warn(folder, "has no effect: " + site.control.file("servercert.pem") + " is not there");
    return;
  }
  check_search(site, folder, Owner::smtpd, "the usual certificate is shown for every name", found);
  for (const std::string& name : entries_of(folder, found)) check_by_name(site, name, found);
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

void check_second_certificate(const Site& site, Findings& found) {
  if (!there(site, "servercert-ec.pem", found)) return;
  const std::string host = own_name(site);
  check_second(site, "", host, "this host: control/me is " + host, found);
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
  const std::string host = own_name(site);
  check_shown(site, file, "TLS fails", host, "this host: control/me is " + host, found);
}

void check_certificates(const Site& site, Findings& found) {
  check_server_certificate(site, found);
  check_second_certificate(site, found);
  check_names(site, found);
  check_client_certificate(site, found);
}

}  // namespace qmail::tlscheck
