#include "tls/client_request.h"

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <openssl/err.h>

namespace qmail::tls {

namespace {

// The names have 65535 bytes together, and in TLS 1.3 other extensions beside them.
constexpr std::size_t room_for_names = 65535 - 1024;
// A client that shows the whole bundle of the world's authorities, as some do, stays below.
constexpr long longest_chain = 1024L * 1024;

// Curves that certificates are on and that OpenSSL offers to nobody by itself (RFC 8422, RFC 7027).
struct Curve {
  std::uint16_t number;
  std::string_view name;
};
constexpr std::array rare_curves = {
    Curve{6, "sect233k1"},        Curve{7, "sect233r1"},        Curve{8, "sect239k1"},
    Curve{9, "sect283k1"},        Curve{10, "sect283r1"},       Curve{11, "sect409k1"},
    Curve{12, "sect409r1"},       Curve{13, "sect571k1"},       Curve{14, "sect571r1"},
    Curve{20, "secp224k1"},       Curve{21, "secp224r1"},       Curve{22, "secp256k1"},
    Curve{26, "brainpoolP256r1"}, Curve{27, "brainpoolP384r1"}, Curve{28, "brainpoolP512r1"},
};

// The 16-bit numbers of an extension of the client's hello, behind their length in `prefix` bytes;
// empty when it was not sent.
std::span<const unsigned char> numbers_in(SSL* ssl, unsigned int extension, std::size_t prefix) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, extension, &bytes, &size) != 1 || size < prefix) return {};
  return {bytes + prefix, size - prefix};
}

bool has_number(std::span<const unsigned char> numbers, std::uint16_t number) {
  for (; numbers.size() >= 2; numbers = numbers.subspan(2)) {
    if ((numbers[0] << 8 | numbers[1]) == number) return true;
  }
  return false;
}

}  // namespace

void name_the_clients_curves(SSL* ssl) {
  if (has_number(numbers_in(ssl, TLSEXT_TYPE_supported_versions, 1), TLS1_3_VERSION)) return;
  const auto named = numbers_in(ssl, TLSEXT_TYPE_supported_groups, 2);
  std::string list = "X25519:P-256:X448:P-521:P-384";
  for (const Curve& curve : rare_curves) {
    if (!has_number(named, curve.number)) continue;
    // One that this OpenSSL lacks (4 has some of these, earlier ones almost all) spoils a list.
    const std::string longer = list + ":" + std::string(curve.name);
    if (SSL_set1_groups_list(ssl, longer.c_str()) == 1) list = longer;
  }
  ERR_clear_error();
}

bool ask_for_certificate(SSL_CTX* context, const STACK_OF(X509) * authorities,
                         SSL_verify_cb verify) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, verify);
  SSL_CTX_set_max_cert_list(context, longest_chain);
  std::set<std::string_view> names;
  std::size_t size = 0;
  for (int i = 0; i < sk_X509_num(authorities); ++i) {
    const X509_NAME* name = X509_get_subject_name(sk_X509_value(authorities, i));
    const unsigned char* der = nullptr;
    std::size_t length = 0;
    if (X509_NAME_get0_der(name, &der, &length) != 1) continue;
    if (!names.emplace(reinterpret_cast<const char*>(der), length).second) continue;
    size += 2 + length;
    if (size > room_for_names) {
      SSL_CTX_set_client_CA_list(context, nullptr);
      return false;
    }
    SSL_CTX_add_client_CA(context, sk_X509_value(authorities, i));
  }
  return true;
}

}  // namespace qmail::tls
