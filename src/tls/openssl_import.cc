// The import table: every function of OpenSSL that src/tls calls, bound when load() is called.
//
// Linked in the ordinary way, libssl and libcrypto would cost each process 3.3 million instructions
// in the dynamic linker before its first byte, and a system upgrade that takes libssl.so.3 away
// would keep qmail-remote from starting, which qmail-rspawn turns into bounces. So this file
// defines each function as a jump through a table that load() fills from the libssl.so.N whose
// headers we were built with. The rest of src/tls is written against <openssl/...> as anywhere
// else: the types here are those of OpenSSL's own declarations, and the linker sees that no
// function is missing. (dlopen(3); systemd and OpenGL programs load their libraries so, too.)
#define OPENSSL_SUPPRESS_DEPRECATED  // see tls_error.cc

#include <cstddef>
#include <dlfcn.h>
#include <string>
#include <sys/stat.h>
#include <tuple>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/macros.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tls/load_advice.h"
#include "tls/tls.h"

// Each function with the number of its parameters; their types are those OpenSSL declares, which
// differ a little from version to version (const, mostly).
// clang-format off
#define QMAIL_OPENSSL_FUNCTIONS(F) \
  F(0, OpenSSL_version_num) \
  F(1, OpenSSL_version) \
  F(1, ASN1_STRING_get0_data) \
  F(1, ASN1_STRING_length) \
  F(2, BIO_clear_flags) \
  F(4, BIO_ctrl) \
  F(1, BIO_free) \
  F(1, BIO_get_data) \
  F(1, BIO_meth_free) \
  F(2, BIO_meth_new) \
  F(2, BIO_meth_set_ctrl) \
  F(2, BIO_meth_set_read_ex) \
  F(2, BIO_meth_set_write_ex) \
  F(1, BIO_new) \
  F(0, BIO_s_mem) \
  F(2, BIO_set_data) \
  F(2, BIO_set_flags) \
  F(2, BIO_set_init) \
  F(1, BIO_up_ref) \
  F(3, BIO_write) \
  F(4, CRYPTO_clear_free) \
  F(3, CRYPTO_free) \
  F(0, ERR_clear_error) \
  F(3, ERR_error_string_n) \
  F(0, ERR_get_error) \
  F(0, ERR_load_ASN1_strings) \
  F(0, ERR_load_BN_strings) \
  F(0, ERR_load_CONF_strings) \
  F(0, ERR_load_CRYPTO_strings) \
  F(0, ERR_load_DH_strings) \
  F(0, ERR_load_EC_strings) \
  F(0, ERR_load_ERR_strings) \
  F(0, ERR_load_EVP_strings) \
  F(0, ERR_load_PEM_strings) \
  F(0, ERR_load_RAND_strings) \
  F(0, ERR_load_RSA_strings) \
  F(0, ERR_load_SSL_strings) \
  F(0, ERR_load_X509_strings) \
  F(0, ERR_load_X509V3_strings) \
  F(0, ERR_peek_last_error) \
  F(1, EVP_CIPHER_get_iv_length) \
  F(5, EVP_DecryptInit_ex) \
  F(6, EVP_Digest) \
  F(5, EVP_EncryptInit_ex) \
  F(2, EVP_MAC_CTX_set_params) \
  F(1, EVP_PKEY_free) \
  F(1, EVP_PKEY_get0_type_name) \
  F(1, EVP_PKEY_get_bits) \
  F(4, EVP_PKEY_get_group_name) \
  F(0, EVP_aes_256_cbc) \
  F(0, EVP_md5) \
  F(0, EVP_sha256) \
  F(0, EVP_sha384) \
  F(0, EVP_sha512) \
  F(1, GENERAL_NAMES_free) \
  F(7, HMAC) \
  F(2, OPENSSL_cleanse) \
  F(2, OPENSSL_init_ssl) \
  F(0, OPENSSL_sk_new_null) \
  F(1, OPENSSL_sk_num) \
  F(2, OPENSSL_sk_pop_free) \
  F(2, OPENSSL_sk_push) \
  F(2, OPENSSL_sk_value) \
  F(1, OSSL_DECODER_CTX_free) \
  F(7, OSSL_DECODER_CTX_new_for_pkey) \
  F(3, OSSL_DECODER_from_data) \
  F(0, OSSL_PARAM_construct_end) \
  F(3, OSSL_PARAM_construct_octet_string) \
  F(3, OSSL_PARAM_construct_utf8_string) \
  F(5, PEM_read_bio) \
  F(2, RAND_bytes) \
  F(1, SSL_CIPHER_get_name) \
  F(2, SSL_CTX_add_client_CA) \
  F(2, SSL_CTX_clear_options) \
  F(4, SSL_CTX_ctrl) \
  F(1, SSL_CTX_dane_enable) \
  F(1, SSL_CTX_free) \
  F(1, SSL_CTX_get_cert_store) \
  F(1, SSL_CTX_get_ciphers) \
  F(2, SSL_CTX_get_ex_data) \
  F(1, SSL_CTX_new) \
  F(2, SSL_CTX_set0_tmp_dh_pkey) \
  F(2, SSL_CTX_set_cipher_list) \
  F(2, SSL_CTX_set_ciphersuites) \
  F(2, SSL_CTX_set_client_CA_list) \
  F(3, SSL_CTX_set_cert_cb) \
  F(3, SSL_CTX_set_client_hello_cb) \
  F(2, SSL_CTX_set_default_read_buffer_len) \
  F(1, SSL_CTX_set_default_verify_paths) \
  F(3, SSL_CTX_set_ex_data) \
  F(2, SSL_CTX_set_num_tickets) \
  F(2, SSL_CTX_set_options) \
  F(2, SSL_CTX_set_post_handshake_auth) \
  F(2, SSL_CTX_set_security_level) \
  F(3, SSL_CTX_set_session_id_context) \
  F(2, SSL_CTX_set_timeout) \
  F(2, SSL_CTX_set_tlsext_ticket_key_evp_cb) \
  F(3, SSL_CTX_set_verify) \
  F(5, SSL_CTX_use_cert_and_key) \
  F(1, SSL_certs_clear) \
  F(4, SSL_check_chain) \
  F(4, SSL_client_hello_get0_ext) \
  F(4, SSL_ctrl) \
  F(2, SSL_dane_enable) \
  F(2, SSL_dane_set_flags) \
  F(6, SSL_dane_tlsa_add) \
  F(1, SSL_do_handshake) \
  F(1, SSL_free) \
  F(3, SSL_get0_dane_authority) \
  F(1, SSL_get0_param) \
  F(1, SSL_get0_peer_certificate) \
  F(1, SSL_get1_peer_certificate) \
  F(1, SSL_get_SSL_CTX) \
  F(1, SSL_get_current_cipher) \
  F(2, SSL_get_error) \
  F(0, SSL_get_ex_data_X509_STORE_CTX_idx) \
  F(2, SSL_get_servername) \
  F(1, SSL_get_verify_result) \
  F(1, SSL_get_version) \
  F(2, SSL_group_to_name) \
  F(1, SSL_new) \
  F(4, SSL_read_ex) \
  F(1, SSL_session_reused) \
  F(1, SSL_set_accept_state) \
  F(3, SSL_set_bio) \
  F(3, SSL_set_cert_cb) \
  F(1, SSL_set_connect_state) \
  F(2, SSL_set_num_tickets) \
  F(2, SSL_set_options) \
  F(3, SSL_set_session_id_context) \
  F(1, SSL_shutdown) \
  F(5, SSL_use_cert_and_key) \
  F(1, SSL_version) \
  F(4, SSL_write_ex) \
  F(0, TLS_client_method) \
  F(0, TLS_server_method) \
  F(1, X509_CRL_free) \
  F(3, X509_CRL_get_ext_by_NID) \
  F(1, X509_NAME_ENTRY_get_data) \
  F(3, X509_NAME_get0_der) \
  F(2, X509_NAME_get_entry) \
  F(3, X509_NAME_get_index_by_NID) \
  F(4, X509_NAME_print_ex) \
  F(2, X509_STORE_CTX_get_ex_data) \
  F(2, X509_STORE_add_cert) \
  F(2, X509_STORE_add_crl) \
  F(2, X509_STORE_set_flags) \
  F(3, X509_VERIFY_PARAM_add1_host) \
  F(2, X509_VERIFY_PARAM_set_hostflags) \
  F(5, X509_check_host) \
  F(4, X509_digest) \
  F(1, X509_free) \
  F(1, X509_get0_pubkey) \
  F(1, X509_get_X509_PUBKEY) \
  F(4, X509_get_ext_d2i) \
  F(1, X509_get_issuer_name) \
  F(1, X509_get_subject_name) \
  F(1, X509_verify_cert_error_string) \
  F(3, d2i_PUBKEY) \
  F(3, d2i_X509) \
  F(3, d2i_X509_AUX) \
  F(3, d2i_X509_CRL) \
  F(2, i2d_X509_PUBKEY)
// clang-format on

namespace {

// The one mutable object with static storage in this project. It stands for the table that the
// dynamic linker would have kept; load() writes it once, before any other function here is called.
struct ImportTable {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared cannot stand in any
#define F(count, name) decltype(&::name) name = nullptr;
  QMAIL_OPENSSL_FUNCTIONS(F)
#undef F
};
ImportTable table;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// What OpenSSL declares a function to be.
template <typename Function>
struct Declared;
template <typename R, typename... Parameters>
struct Declared<R(Parameters...)> {
  using Result = R;
  template <std::size_t N>
  using Parameter = std::tuple_element_t<N, std::tuple<Parameters...>>;
};

}  // namespace

// The parameters and the arguments of a function with so many.
#define P(name, n) Declared<decltype(::name)>::Parameter<n>
#define QMAIL_PARAMETERS_0(name)
#define QMAIL_PARAMETERS_1(name) P(name, 0) a
#define QMAIL_PARAMETERS_2(name) QMAIL_PARAMETERS_1(name), P(name, 1) b
#define QMAIL_PARAMETERS_3(name) QMAIL_PARAMETERS_2(name), P(name, 2) c
#define QMAIL_PARAMETERS_4(name) QMAIL_PARAMETERS_3(name), P(name, 3) d
#define QMAIL_PARAMETERS_5(name) QMAIL_PARAMETERS_4(name), P(name, 4) e
#define QMAIL_PARAMETERS_6(name) QMAIL_PARAMETERS_5(name), P(name, 5) f
#define QMAIL_PARAMETERS_7(name) QMAIL_PARAMETERS_6(name), P(name, 6) g
#define QMAIL_ARGUMENTS_0
#define QMAIL_ARGUMENTS_1 a
#define QMAIL_ARGUMENTS_2 a, b
#define QMAIL_ARGUMENTS_3 a, b, c
#define QMAIL_ARGUMENTS_4 a, b, c, d
#define QMAIL_ARGUMENTS_5 a, b, c, d, e
#define QMAIL_ARGUMENTS_6 a, b, c, d, e, f
#define QMAIL_ARGUMENTS_7 a, b, c, d, e, f, g

// Hidden, so that libssl and libcrypto never take ours for theirs.
#define F(count, name)                                                                      \
  extern "C" __attribute__((visibility("hidden"))) Declared<decltype(::name)>::Result name( \
      QMAIL_PARAMETERS_##count(name)) {                                                     \
    return table.name(QMAIL_ARGUMENTS_##count);                                             \
  }
QMAIL_OPENSSL_FUNCTIONS(F)
#undef F
#undef P

namespace qmail::tls {

namespace {

// As the headers call it: what an upgrade of OpenSSL to another major version takes away.
constexpr const char* libssl = "libssl.so." OPENSSL_MSTR(OPENSSL_SHLIB_VERSION);
constexpr const char* libcrypto = "libcrypto.so." OPENSSL_MSTR(OPENSSL_SHLIB_VERSION);

TlsError library_error() {
  const char* text = ::dlerror();
  const std::string reason = text != nullptr ? text : "";
  return {TlsError::Step::library, reason, "", load_advice(reason)};
}

}  // namespace

std::optional<TlsError> load() {
  if (table.OpenSSL_version_num != nullptr) return std::nullopt;
  // QMAIL_LOAD_FLAGS is RTLD_DEEPBIND where that can be: the two libraries then look for their
  // thousands of symbols among themselves first, which is a million instructions less. Never closed
  // again: OpenSSL may have registered functions that run at exit.
  void* library = ::dlopen(libssl, RTLD_LAZY | RTLD_LOCAL | QMAIL_LOAD_FLAGS);
  if (library == nullptr) return library_error();
  ImportTable found;
#define F(count, name)                                                          \
  found.name = reinterpret_cast<decltype(found.name)>(::dlsym(library, #name)); \
  if (found.name == nullptr) return library_error();
  // cppcheck-suppress resourceLeak ; never closed, see above: nor is one that lacks a function
  QMAIL_OPENSSL_FUNCTIONS(F)
#undef F
  table = found;
  // cppcheck-suppress resourceLeak ; never closed, see above
  return std::nullopt;
}

std::optional<TlsError> missing() {
  if (table.OpenSSL_version_num != nullptr) return std::nullopt;
  const auto is_there = [](const char* name) {
    struct stat status {};
    const std::string path = std::string(QMAIL_OPENSSL_DIRECTORY).append("/").append(name);
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
  };
  if (is_there(libssl) && is_there(libcrypto)) return std::nullopt;
  return load();
}

}  // namespace qmail::tls
