#include "golden_pki.h"

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>

#include <openssl/objects.h>

#include "test_pki.h"

namespace qmail::smtpd {

namespace {

using tls::test::authority;
using tls::test::day;
using tls::test::issue;
using tls::test::Issued;
using tls::test::KeyForm;
using tls::test::KeyKind;
using tls::test::Request;

const std::string relay_address = "relay@client.example.org";

class Pki {
 public:
  std::string text(const std::string& name) const {
    const auto made = texts_.find(name);
    if (made == texts_.end()) throw std::runtime_error("no such certificate: " + name);
    return made->second;
  }

 private:
  static Issued client(const Issued& issuer, const std::string& email, long until = 30 * day) {
    Request request;
    request.subject = {{NID_commonName, "client"}};
    if (!email.empty()) request.subject.emplace_back(NID_pkcs9_emailAddress, email);
    request.from = -60 * day;
    request.until = until;
    return issue(request, &issuer);
  }
  static Issued server(const Issued& issuer, KeyKind kind) {
    return tls::test::server_certificate("mx.example.net", issuer, kind);
  }

  const Issued ca_ = authority("golden");
  const Issued other_ca_ = authority("other");
  const Issued rsa_ = server(ca_, KeyKind::rsa);
  const Issued ecdsa_ = server(ca_, KeyKind::ecdsa);
  const Issued ed25519_ = server(ca_, KeyKind::ed25519);
  const Issued revoked_ = client(ca_, relay_address);
  const Issued expired_ = client(ca_, relay_address, -day);
  const Issued stranger_ = issue({.subject = {{NID_commonName, "stranger"}}}, nullptr);
  const std::map<std::string, std::string> texts_ = {
      {"@ca", ca_.pem()},
      {"@other-ca", other_ca_.pem()},
      {"@server", rsa_.pem()},
      {"@server-key", rsa_.key_pem()},
      {"@encrypted-key",
       tls::test::key_pem(tls::test::key(KeyKind::rsa), KeyForm::encrypted_pkcs8)},
      {"@ecdsa", ecdsa_.pem()},
      {"@ecdsa-key", ecdsa_.key_pem()},
      {"@ed25519", ed25519_.pem()},
      {"@ed25519-key", ed25519_.key_pem()},
      {"@stranger-key", tls::test::key_pem(tls::test::key(KeyKind::other_rsa), KeyForm::pkcs8)},
      {"@relay", client(ca_, relay_address).both()},
      {"@other", client(ca_, "other@client.example.org").both()},
      {"@nameless", client(ca_, "").both()},
      {"@expired", expired_.both()},
      {"@revoked", revoked_.both()},
      {"@stranger", stranger_.both()},
      // Lines of tlsclients.
      {"@expired-line", "sha256:" + tls::test::sha256(expired_) + "\n"},
      {"@revoked-line", "sha256:" + tls::test::sha256(revoked_) + "\n"},
      {"@stranger-line", "sha256:" + tls::test::sha256(stranger_) + "\n"},
      {"@untrusted", client(other_ca_, relay_address).both()},
      {"@crl", tls::test::revocation_list(ca_, {&revoked_})},
      {"@other-crl", tls::test::revocation_list(other_ca_, {})},
      {"@dh", tls::test::dh_pem(2048)},
  };
};

}  // namespace

std::string pem(std::string_view names) {
  static const Pki pki;
  std::string text;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    text.append(pki.text(std::string(names.substr(0, end))));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return text;
}

}  // namespace qmail::smtpd
