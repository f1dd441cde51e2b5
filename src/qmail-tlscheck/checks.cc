#include "qmail-tlscheck/checks.h"

#include <algorithm>
#include <array>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>

#include "qmail/ascii.h"
#include "tls/inspect.h"
#include "tls/tls.h"

namespace qmail::tlscheck {

namespace {

constexpr std::time_t seconds_a_day = 24L * 60 * 60;

std::string date(std::time_t time) {
  std::tm parts{};
  std::array<char, 16> text{};
  if (::gmtime_r(&time, &parts) == nullptr) return "?";
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return {text.data(), size};
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : separator).append(part);
  return text;
}

// The entries of a directory, sorted, without those that begin with a dot. None if it cannot be
// read.
std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> names;
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(path.c_str()));
  if (!folder) return names;
  // cppcheck-suppress readdirCalled ; one thread, and readdir_r is deprecated
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Checks {
 public:
  Checks(const ControlDir& control, const Settings& settings)
      : control_(control), settings_(settings) {}

  Findings run() &&;

 private:
  enum class Owner { smtpd, remote };
  struct Runner {
    std::string_view program;
    const std::optional<Account>& who;

    // "qmaild, as whom qmail-smtpd runs"
    std::string name() const { return who->name + ", as whom " + std::string(program) + " runs"; }
  };
  Runner runner_of(Owner owner) const;

  void folders();
  void me();
  void identity(std::string_view name, Owner owner);
  tls::ServerSettings server_settings() const;
  void server_certificate();
  void client_certificate();
  void ciphers(std::string_view name, Owner owner);
  void server_context();
  void relaying();
  void tlsclients();
  void authorities();
  void revocation_lists(const std::vector<tls::CertificateFacts>& authorities);
  void verified_hosts();
  void excluded_hosts();

  void search(const std::string& folder, Owner owner);
  bool there(std::string_view name);
  void access(const std::string& file, Owner owner, bool secret);
  void dates(const std::string& file, const tls::CertificateFacts& certificate);
  std::string expiry(const tls::CertificateFacts& certificate) const;

  const ControlDir& control_;
  const Settings& settings_;
  Findings found_;
};

Checks::Runner Checks::runner_of(Owner owner) const {
  if (owner == Owner::smtpd) return {"qmail-smtpd", settings_.smtpd};
  return {"qmail-remote", settings_.remote};
}

Findings Checks::run() && {
  folders();
  me();
  server_certificate();
  client_certificate();
  ciphers("tlsserverciphers", Owner::smtpd);
  ciphers("tlsclientciphers", Owner::remote);
  server_context();
  relaying();
  verified_hosts();
  excluded_hosts();
  return std::move(found_);
}

void Checks::me() {
  const auto line = control_.line("me");
  if (!line) {
    found_.fail(line.error().file, line.error().reason);
  } else if (!*line) {
    found_.fail(control_.file("me"), "is not there: neither program works without it");
  }
}

// --- folders on the way to a file ---

void Checks::folders() {
  std::string control = control_.file("");
  control.pop_back();  // the slash
  search(control, Owner::smtpd);
  search(control, Owner::remote);
  search(control_.file("tlshosts"), Owner::remote);
  search(control_.file("notlshosts"), Owner::remote);
}

void Checks::search(const std::string& folder, Owner owner) {
  if (leads_nowhere(folder)) return found_.fail(folder, "is a symbolic link that leads nowhere");
  const Runner runner = runner_of(owner);
  struct stat status {};
  const bool is_folder = ::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (!is_folder || !runner.who || can_search(*runner.who, folder)) return;
  found_.fail(folder, "cannot be searched by " + runner.name() + ", so " +
                          (owner == Owner::smtpd ? "no mail is accepted" : "all mail is deferred") +
                          ": chmod 755");
}

// Is there such a file? Where that cannot be told, it is a finding.
bool Checks::there(std::string_view name) {
  const auto found = control_.has(name);
  if (!found) found_.fail(found.error().file, "cannot be looked for: " + found.error().reason);
  return found && *found;
}

// --- what every file with certificates is asked ---

void Checks::access(const std::string& file, Owner owner, bool secret) {
  if (leads_nowhere(file)) return found_.fail(file, "is a symbolic link that leads nowhere");
  const Runner runner = runner_of(owner);
  if (runner.who && !can_read(*runner.who, file)) {
    found_.fail(file, "cannot be read by " + runner.name() + ": chown or chmod it");
  }
  if (secret && world_readable(file)) {
    found_.fail(file,
                "can be read by everybody on this machine and holds a private key: chmod 640");
  }
}

std::string Checks::expiry(const tls::CertificateFacts& certificate) const {
  const auto days = (certificate.not_after - settings_.now) / seconds_a_day;
  return "expires " + date(certificate.not_after) + ", in " + std::to_string(days) + " days";
}

void Checks::dates(const std::string& file, const tls::CertificateFacts& certificate) {
  if (certificate.not_after < settings_.now) {
    found_.fail(file, "expired " + date(certificate.not_after) + ": " + certificate.subject);
  } else if (certificate.not_before > settings_.now) {
    found_.fail(file,
                "is not valid before " + date(certificate.not_before) + ": " + certificate.subject);
  } else if (certificate.not_after - settings_.now < settings_.days_of_warning * seconds_a_day) {
    found_.warn(file, expiry(certificate) + ": " + certificate.subject);
  }
}

// --- servercert.pem, clientcert.pem ---

void Checks::identity(std::string_view name, Owner owner) {
  const std::string file = control_.file(name);
  const auto content = tls::read_certificates(file);
  access(file, owner, true);
  if (content.certificates.empty()) return;  // the context has said so
  if (!content.problem.empty()) {
    found_.fail(file, "is damaged or cut off (certificates that can be read: " +
                          std::to_string(content.certificates.size()) + "): " + content.problem);
  }
  const tls::CertificateFacts& first = content.certificates.front();
  std::string text = first.subject;
  if (!first.dns_names.empty()) text += "; names " + joined(first.dns_names, ", ");
  text += "; issued by " + (first.self_issued ? "itself" : first.issuer) + "; key " + first.key +
          "; " + expiry(first);
  found_.ok(file, text);
  for (const auto& certificate : content.certificates) dates(file, certificate);
  if (const std::string problem = tls::chain_problem(file); !problem.empty()) {
    found_.warn(file, "the chain in it does not lead to a root (" + problem +
                          "): put the issuer's intermediate certificates behind the first one");
  }
}

// With the ciphers, since their list sets the security level that the certificate must meet. If it
// cannot be read, ciphers() says so.
tls::ServerSettings Checks::server_settings() const {
  tls::ServerSettings settings;
  settings.certificate_file = control_.file("servercert.pem");
  settings.ciphers.origin = control_.file("tlsserverciphers");
  const auto lines = control_.list("tlsserverciphers");
  if (lines && *lines && !(*lines)->empty()) settings.ciphers.list = joined(**lines, ":");
  return settings;
}

void Checks::server_certificate() {
  const std::string file = control_.file("servercert.pem");
  if (!there("servercert.pem")) {
    found_.warn(file, "is not there: qmail-smtpd does not offer STARTTLS");
    return;
  }
  if (const auto context = tls::ServerContext::create(server_settings()); !context) {
    const tls::TlsError& error = context.error();
    found_.fail(file, "cannot be used, TLS fails: " +
                          (error.advice.empty() ? "" : error.advice + ": ") + error.detail);
  }
  identity("servercert.pem", Owner::smtpd);
  const auto host = control_.line("me");
  const bool named = host && *host && !(*host)->empty();
  if (named && !tls::read_certificates(file).certificates.empty() &&
      !tls::speaks_for(file, **host)) {
    found_.warn(file, "does not name this host: control/me is " + **host);
  }
}

void Checks::client_certificate() {
  if (!there("clientcert.pem")) return;
  const std::string file = control_.file("clientcert.pem");
  tls::ClientSettings settings;
  settings.certificate_file = file;
  const auto context = tls::ClientContext::create(settings);
  if (context) {
    for (const auto& warning : context->warnings()) {
      found_.fail(file, "cannot be used, qmail-remote shows no certificate: " + warning.reason);
    }
  }
  identity("clientcert.pem", Owner::remote);
}

// --- ciphers, DH parameters, ticket keys ---

void Checks::ciphers(std::string_view name, Owner owner) {
  const std::string file = control_.file(name);
  const auto lines = control_.list(name);
  if (!lines) return found_.fail(file, lines.error().reason);
  if (*lines || leads_nowhere(file)) access(file, owner, false);
  if (!*lines) return;
  const std::string list = joined(**lines, ":");
  const auto parts = tls::meaningless_parts(list);
  for (const std::string& part : parts) {
    const bool misplaced = tls::meaningless_parts(part).empty();
    found_.warn(file, "names no cipher this OpenSSL has: " + part +
                          (misplaced ? " (it counts only as the first word)" : ""));
  }
  auto context = tls::ClientContext::create({});
  if (!context) return;
  context->set_ciphers({list.empty() ? "DEFAULT" : list, file});
  for (const auto& warning : context->warnings()) found_.fail(file, warning.reason);
  if (context->warnings().empty() && parts.empty()) found_.ok(file, list);
}

// What qmail-smtpd would log at each start of TLS, but for the ciphers, which have been looked at.
void Checks::server_context() {
  tls::ServerSettings settings = server_settings();
  settings.dh_file = control_.file("dh2048.pem");
  settings.ticket_keys_file = control_.file("tlsticketkeys");
  const auto context = tls::ServerContext::create(settings);
  const auto complaint = [&](const std::string& file) {
    const auto& warnings = context->warnings();
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const tls::Warning& warning) { return warning.file == file; });
  };
  if (context) {
    for (const auto& warning : context->warnings()) {
      if (warning.file != settings.ciphers.origin) found_.warn(warning.file, warning.reason);
    }
  }
  const auto not_looked_at = [&](const std::string& file) {
    if (context || !there("servercert.pem")) return;
    found_.warn(file, "not looked at before servercert.pem can be used");
  };
  if (there("dh2048.pem")) {
    access(settings.dh_file, Owner::smtpd, false);
    not_looked_at(settings.dh_file);
    if (context && !complaint(settings.dh_file)) found_.ok(settings.dh_file, "2048 bits or more");
  }
  if (there("rsa2048.pem")) {
    found_.ok(control_.file("rsa2048.pem"), "has no effect: no cipher of today uses it");
  }
  if (there("tlsticketkeys")) {
    access(settings.ticket_keys_file, Owner::smtpd, true);
    not_looked_at(settings.ticket_keys_file);
    struct stat status {};
    constexpr int days = 2;
    if (::stat(settings.ticket_keys_file.c_str(), &status) == 0 &&
        settings_.now - status.st_mtime > days * seconds_a_day) {
      found_.warn(settings.ticket_keys_file, "is unchanged since " + date(status.st_mtime) +
                                                 ": run update_tmprsadh every day");
    }
    if (context && !complaint(settings.ticket_keys_file)) {
      found_.ok(settings.ticket_keys_file, "session tickets are issued");
    }
  }
}

// --- relaying by client certificate ---

void Checks::relaying() {
  const bool clients = there("tlsclients");
  const bool authority = there("clientca.pem");
  if (clients && !authority) {
    found_.warn(
        control_.file("tlsclients"),
        "there is no clientca.pem, so no certificate is asked for and nobody relays by one");
  }
  if (authority && !clients) {
    found_.warn(control_.file("clientca.pem"),
                "there is no tlsclients, so no certificate is asked for and nobody relays by one");
  }
  if (clients) tlsclients();
  if (authority) authorities();
}

void Checks::tlsclients() {
  const std::string file = control_.file("tlsclients");
  const auto entries = control_.list("tlsclients");
  if (!entries) return found_.fail(file, entries.error().reason);
  access(file, Owner::smtpd, false);
  if (!*entries) return;
  std::size_t good = 0;
  for (const std::string& entry : **entries) {
    const std::size_t at = entry.find('@');
    const bool address = at != std::string::npos && at > 0 && at + 1 < entry.size() &&
                         entry.find_first_of(" \t<>,:#\"", 0) == std::string::npos;
    if (address) {
      ++good;
    } else {
      found_.warn(file, "cannot match a certificate's mail address: " + entry);
    }
  }
  if (good == 0) return found_.warn(file, "lists nobody");
  found_.ok(file, std::to_string(good) + " addresses may relay");
}

void Checks::authorities() {
  const std::string file = control_.file("clientca.pem");
  const auto content = tls::read_certificates(file);
  access(file, Owner::smtpd, false);
  if (!content.problem.empty()) found_.fail(file, content.problem);
  if (content.certificates.empty()) {
    found_.fail(file, "holds no certificate, so none is asked for and nobody relays by one");
  }
  for (const auto& certificate : content.certificates) {
    found_.ok(file, certificate.subject + "; key " + certificate.key + "; " + expiry(certificate));
    dates(file, certificate);
    if (!certificate.authority) {
      found_.warn(file, "is no authority and can vouch for nobody: " + certificate.subject);
    }
  }
  revocation_lists(content.certificates);
}

void Checks::revocation_lists(const std::vector<tls::CertificateFacts>& authorities) {
  using Issuer = tls::RevocationListFacts::Issuer;
  const std::string file = control_.file("clientcrl.pem");
  const auto content = tls::read_revocation_lists(file, control_.file("clientca.pem"));
  if (content.absent) return;
  access(file, Owner::smtpd, false);
  if (!content.problem.empty()) {
    found_.fail(file, "cannot be used, so nobody relays by certificate: " + content.problem);
  }
  for (const auto& list : content.lists) {
    if (list.standing == Issuer::unknown) {
      found_.warn(file, "a list of an authority that is not in clientca.pem: " + list.issuer);
    } else if (list.standing == Issuer::bad_signature) {
      found_.fail(file, "a list that its authority in clientca.pem did not sign: " + list.issuer);
    } else if (list.next_update && *list.next_update < settings_.now) {
      found_.fail(file, "expired " + date(*list.next_update) +
                            ", so its authority's clients are refused: " + list.issuer);
    } else {
      found_.ok(file, "list of " + list.issuer +
                          (list.next_update ? ", next one due " + date(*list.next_update) : ""));
    }
  }
  for (const auto& authority : authorities) {
    const bool listed =
        std::any_of(content.lists.begin(), content.lists.end(), [&](const auto& list) {
          return list.issuer == authority.subject && list.standing == Issuer::known;
        });
    if (!listed && authority.authority) {
      found_.fail(file, "holds no list of " + authority.subject + ", so its clients are refused");
    }
  }
}

// --- tlshosts, notlshosts ---

void Checks::verified_hosts() {
  constexpr std::string_view suffix = ".pem";
  const bool exhaustive = there("tlshosts/exhaustivelist");
  std::size_t hosts = 0;
  for (const std::string& name : entries_of(control_.file("tlshosts"))) {
    const std::string file = control_.file("tlshosts/" + name);
    if (name == "exhaustivelist") continue;
    if (name.size() <= suffix.size() || !name.ends_with(suffix)) {
      found_.warn(file, "has no effect: the name must be that of a host, and end in .pem");
      continue;
    }
    ++hosts;
    access(file, Owner::remote, false);
    if (to_lower(name) != name) {
      found_.warn(file,
                  "capitals in its name: it is found only for a host that DNS spells just so");
    }
    tls::ClientSettings settings;
    settings.anchors_file = file;
    if (const auto context = tls::ClientContext::create(settings); !context) {
      found_.fail(file,
                  "cannot be used, all mail to this host is deferred: " + context.error().detail);
      continue;
    }
    const auto content = tls::read_certificates(file);
    const bool root = std::any_of(content.certificates.begin(), content.certificates.end(),
                                  [](const auto& certificate) { return certificate.self_issued; });
    if (!root) {
      found_.fail(
          file,
          "holds no root (a certificate issued by itself), so no server can be verified with it");
    }
    for (const auto& certificate : content.certificates) {
      found_.ok(file, certificate.subject + "; " + expiry(certificate));
      dates(file, certificate);
    }
  }
  if (exhaustive && hosts == 0) {
    found_.warn(control_.file("tlshosts/exhaustivelist"),
                "is there, but no host has a .pem: qmail-remote uses TLS with nobody");
  }
}

void Checks::excluded_hosts() {
  for (const std::string& name : entries_of(control_.file("notlshosts"))) {
    const std::string file = control_.file("notlshosts/" + name);
    if (there("tlshosts/" + name + ".pem")) {
      found_.warn(file, "has no effect: tlshosts/" + name + ".pem is there and demands TLS");
    } else if (name.ends_with(".pem")) {
      found_.warn(file, "names a host that ends in .pem; if that is not meant, drop the ending");
    }
    if (to_lower(name) != name) {
      found_.warn(file,
                  "capitals in its name: it is found only for a host that DNS spells just so");
    }
  }
}

}  // namespace

Findings check_all(const ControlDir& control, const Settings& settings) {
  return Checks(control, settings).run();
}

}  // namespace qmail::tlscheck
