// The import table: every function of OpenSSL that src/tls calls, bound when load() is called.
//
// Linked in the ordinary way, libssl and libcrypto would cost each process 3.3 million instructions
// in the dynamic linker before its first byte, and a system upgrade that takes libssl.so.3 away
// would keep qmail-remote from starting, which qmail-rspawn turns into bounces. So this file
// defines each function as a jump through a table that load() fills from libssl.so.3. The rest of
// src/tls is written against <openssl/...> as anywhere else: the compiler checks each line here
// against OpenSSL's own declaration, the linker that none is missing. (dlopen(3); systemd and
// OpenGL programs load their libraries so, too.)
#define OPENSSL_SUPPRESS_DEPRECATED  // see tls_error.cc

#include <dlfcn.h>
#include <string>
#include <sys/stat.h>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tls/tls.h"

// For each function: result, name, parameters, arguments. The parameters' names are in its manual
// page; here they are letters.
// clang-format off
#define QMAIL_OPENSSL_FUNCTIONS(F) \
  F(unsigned long, OpenSSL_version_num, (), ()) \
  F(const char*, OpenSSL_version, (int a), (a)) \
  F(const unsigned char*, ASN1_STRING_get0_data, (const ASN1_STRING* a), (a)) \
  F(int, ASN1_STRING_length, (const ASN1_STRING* a), (a)) \
  F(void, BIO_clear_flags, (BIO* a, int b), (a, b)) \
  F(long, BIO_ctrl, (BIO* a, int b, long c, void* d), (a, b, c, d)) \
  F(int, BIO_free, (BIO* a), (a)) \
  F(void*, BIO_get_data, (BIO* a), (a)) \
  F(void, BIO_meth_free, (BIO_METHOD* a), (a)) \
  F(BIO_METHOD*, BIO_meth_new, (int a, const char* b), (a, b)) \
  F(int, BIO_meth_set_ctrl, (BIO_METHOD* a, long (*b)(BIO*, int, long, void*)), (a, b)) \
  F(int, BIO_meth_set_read_ex, (BIO_METHOD* a, int (*b)(BIO*, char*, size_t, size_t*)), (a, b)) \
  F(int, BIO_meth_set_write_ex, \
    (BIO_METHOD* a, int (*b)(BIO*, const char*, size_t, size_t*)), (a, b)) \
  F(BIO*, BIO_new, (const BIO_METHOD* a), (a)) \
  F(const BIO_METHOD*, BIO_s_mem, (), ()) \
  F(void, BIO_set_data, (BIO* a, void* b), (a, b)) \
  F(void, BIO_set_flags, (BIO* a, int b), (a, b)) \
  F(void, BIO_set_init, (BIO* a, int b), (a, b)) \
  F(int, BIO_write, (BIO* a, const void* b, int c), (a, b, c)) \
  F(void, CRYPTO_clear_free, (void* a, size_t b, const char* c, int d), (a, b, c, d)) \
  F(void, CRYPTO_free, (void* a, const char* b, int c), (a, b, c)) \
  F(void, ERR_clear_error, (), ()) \
  F(void, ERR_error_string_n, (unsigned long a, char* b, size_t c), (a, b, c)) \
  F(unsigned long, ERR_get_error, (), ()) \
  F(int, ERR_load_ASN1_strings, (), ()) \
  F(int, ERR_load_BN_strings, (), ()) \
  F(int, ERR_load_CONF_strings, (), ()) \
  F(int, ERR_load_CRYPTO_strings, (), ()) \
  F(int, ERR_load_DH_strings, (), ()) \
  F(int, ERR_load_EC_strings, (), ()) \
  F(int, ERR_load_ERR_strings, (), ()) \
  F(int, ERR_load_EVP_strings, (), ()) \
  F(int, ERR_load_PEM_strings, (), ()) \
  F(int, ERR_load_RAND_strings, (), ()) \
  F(int, ERR_load_RSA_strings, (), ()) \
  F(int, ERR_load_SSL_strings, (), ()) \
  F(int, ERR_load_X509_strings, (), ()) \
  F(int, ERR_load_X509V3_strings, (), ()) \
  F(unsigned long, ERR_peek_last_error, (), ()) \
  F(int, EVP_CIPHER_get_iv_length, (const EVP_CIPHER* a), (a)) \
  F(int, EVP_DecryptInit_ex, \
    (EVP_CIPHER_CTX* a, const EVP_CIPHER* b, ENGINE* c, const unsigned char* d, const \
    unsigned char* e), (a, b, c, d, e)) \
  F(int, EVP_EncryptInit_ex, \
    (EVP_CIPHER_CTX* a, const EVP_CIPHER* b, ENGINE* c, const unsigned char* d, const \
    unsigned char* e), (a, b, c, d, e)) \
  F(int, EVP_MAC_CTX_set_params, (EVP_MAC_CTX* a, const OSSL_PARAM b[]), (a, b)) \
  F(void, EVP_PKEY_free, (EVP_PKEY* a), (a)) \
  F(const char*, EVP_PKEY_get0_type_name, (const EVP_PKEY* a), (a)) \
  F(int, EVP_PKEY_get_bits, (const EVP_PKEY* a), (a)) \
  F(const EVP_CIPHER*, EVP_aes_256_cbc, (), ()) \
  F(void, GENERAL_NAMES_free, (GENERAL_NAMES* a), (a)) \
  F(void, OPENSSL_cleanse, (void* a, size_t b), (a, b)) \
  F(int, OPENSSL_init_ssl, (uint64_t a, const OPENSSL_INIT_SETTINGS* b), (a, b)) \
  F(OPENSSL_STACK*, OPENSSL_sk_new_null, (), ()) \
  F(int, OPENSSL_sk_num, (const OPENSSL_STACK* a), (a)) \
  F(void, OPENSSL_sk_pop_free, (OPENSSL_STACK* a, void (*b)(void*)), (a, b)) \
  F(int, OPENSSL_sk_push, (OPENSSL_STACK* a, const void* b), (a, b)) \
  F(void*, OPENSSL_sk_value, (const OPENSSL_STACK* a, int b), (a, b)) \
  F(void, OSSL_DECODER_CTX_free, (OSSL_DECODER_CTX* a), (a)) \
  F(OSSL_DECODER_CTX*, OSSL_DECODER_CTX_new_for_pkey, \
    (EVP_PKEY** a, const char* b, const char* c, const char* d, int e, OSSL_LIB_CTX* f, \
    const char* g), (a, b, c, d, e, f, g)) \
  F(int, OSSL_DECODER_from_data, \
    (OSSL_DECODER_CTX* a, const unsigned char** b, size_t* c), (a, b, c)) \
  F(OSSL_PARAM, OSSL_PARAM_construct_end, (), ()) \
  F(OSSL_PARAM, OSSL_PARAM_construct_octet_string, \
    (const char* a, void* b, size_t c), (a, b, c)) \
  F(OSSL_PARAM, OSSL_PARAM_construct_utf8_string, (const char* a, char* b, size_t c), (a, b, c)) \
  F(int, PEM_read_bio, \
    (BIO* a, char** b, char** c, unsigned char** d, long* e), (a, b, c, d, e)) \
  F(int, RAND_bytes, (unsigned char* a, int b), (a, b)) \
  F(const char*, SSL_CIPHER_get_name, (const SSL_CIPHER* a), (a)) \
  F(int, SSL_CTX_add_client_CA, (SSL_CTX* a, X509* b), (a, b)) \
  F(uint64_t, SSL_CTX_clear_options, (SSL_CTX* a, uint64_t b), (a, b)) \
  F(long, SSL_CTX_ctrl, (SSL_CTX* a, int b, long c, void* d), (a, b, c, d)) \
  F(void, SSL_CTX_free, (SSL_CTX* a), (a)) \
  F(X509_STORE*, SSL_CTX_get_cert_store, (const SSL_CTX* a), (a)) \
  F(void*, SSL_CTX_get_ex_data, (const SSL_CTX* a, int b), (a, b)) \
  F(SSL_CTX*, SSL_CTX_new, (const SSL_METHOD* a), (a)) \
  F(int, SSL_CTX_set0_tmp_dh_pkey, (SSL_CTX* a, EVP_PKEY* b), (a, b)) \
  F(int, SSL_CTX_set_cipher_list, (SSL_CTX* a, const char* b), (a, b)) \
  F(void, SSL_CTX_set_default_read_buffer_len, (SSL_CTX* a, size_t b), (a, b)) \
  F(int, SSL_CTX_set_ex_data, (SSL_CTX* a, int b, void* c), (a, b, c)) \
  F(int, SSL_CTX_set_num_tickets, (SSL_CTX* a, size_t b), (a, b)) \
  F(uint64_t, SSL_CTX_set_options, (SSL_CTX* a, uint64_t b), (a, b)) \
  F(void, SSL_CTX_set_post_handshake_auth, (SSL_CTX* a, int b), (a, b)) \
  F(int, SSL_CTX_set_session_id_context, \
    (SSL_CTX* a, const unsigned char* b, unsigned int c), (a, b, c)) \
  F(long, SSL_CTX_set_timeout, (SSL_CTX* a, long b), (a, b)) \
  F(int, SSL_CTX_set_tlsext_ticket_key_evp_cb, \
    (SSL_CTX* a, int (*b)(SSL*, unsigned char*, unsigned char*, EVP_CIPHER_CTX*, \
    EVP_MAC_CTX*, int)), (a, b)) \
  F(void, SSL_CTX_set_verify, (SSL_CTX* a, int b, SSL_verify_cb c), (a, b, c)) \
  F(int, SSL_CTX_use_cert_and_key, \
    (SSL_CTX* a, X509* b, EVP_PKEY* c, STACK_OF(X509)* d, int e), (a, b, c, d, e)) \
  F(long, SSL_ctrl, (SSL* a, int b, long c, void* d), (a, b, c, d)) \
  F(int, SSL_do_handshake, (SSL* a), (a)) \
  F(void, SSL_free, (SSL* a), (a)) \
  F(X509*, SSL_get0_peer_certificate, (const SSL* a), (a)) \
  F(X509*, SSL_get1_peer_certificate, (const SSL* a), (a)) \
  F(SSL_CTX*, SSL_get_SSL_CTX, (const SSL* a), (a)) \
  F(const SSL_CIPHER*, SSL_get_current_cipher, (const SSL* a), (a)) \
  F(int, SSL_get_error, (const SSL* a, int b), (a, b)) \
  F(int, SSL_get_ex_data_X509_STORE_CTX_idx, (), ()) \
  F(const char*, SSL_get_servername, (const SSL* a, const int b), (a, b)) \
  F(long, SSL_get_verify_result, (const SSL* a), (a)) \
  F(const char*, SSL_get_version, (const SSL* a), (a)) \
  F(SSL*, SSL_new, (SSL_CTX* a), (a)) \
  F(int, SSL_read_ex, (SSL* a, void* b, size_t c, size_t* d), (a, b, c, d)) \
  F(int, SSL_session_reused, (const SSL* a), (a)) \
  F(void, SSL_set_accept_state, (SSL* a), (a)) \
  F(void, SSL_set_bio, (SSL* a, BIO* b, BIO* c), (a, b, c)) \
  F(void, SSL_set_connect_state, (SSL* a), (a)) \
  F(int, SSL_set_num_tickets, (SSL* a, size_t b), (a, b)) \
  F(int, SSL_shutdown, (SSL* a), (a)) \
  F(int, SSL_write_ex, (SSL* a, const void* b, size_t c, size_t* d), (a, b, c, d)) \
  F(const SSL_METHOD*, TLS_client_method, (), ()) \
  F(const SSL_METHOD*, TLS_server_method, (), ()) \
  F(void, X509_CRL_free, (X509_CRL* a), (a)) \
  F(ASN1_STRING*, X509_NAME_ENTRY_get_data, (const X509_NAME_ENTRY* a), (a)) \
  F(X509_NAME_ENTRY*, X509_NAME_get_entry, (const X509_NAME* a, int b), (a, b)) \
  F(int, X509_NAME_get_index_by_NID, (const X509_NAME* a, int b, int c), (a, b, c)) \
  F(int, X509_NAME_print_ex, (BIO* a, const X509_NAME* b, int c, unsigned long d), (a, b, c, d)) \
  F(void*, X509_STORE_CTX_get_ex_data, (const X509_STORE_CTX* a, int b), (a, b)) \
  F(int, X509_STORE_add_cert, (X509_STORE* a, X509* b), (a, b)) \
  F(int, X509_STORE_add_crl, (X509_STORE* a, X509_CRL* b), (a, b)) \
  F(int, X509_STORE_set_flags, (X509_STORE* a, unsigned long b), (a, b)) \
  F(int, X509_check_host, \
    (X509* a, const char* b, size_t c, unsigned int d, char** e), (a, b, c, d, e)) \
  F(void, X509_free, (X509* a), (a)) \
  F(EVP_PKEY*, X509_get0_pubkey, (const X509* a), (a)) \
  F(void*, X509_get_ext_d2i, (const X509* a, int b, int* c, int* d), (a, b, c, d)) \
  F(X509_NAME*, X509_get_issuer_name, (const X509* a), (a)) \
  F(X509_NAME*, X509_get_subject_name, (const X509* a), (a)) \
  F(const char*, X509_verify_cert_error_string, (long a), (a)) \
  F(X509*, d2i_X509, (X509** a, const unsigned char** b, long c), (a, b, c)) \
  F(X509*, d2i_X509_AUX, (X509** a, const unsigned char** b, long c), (a, b, c)) \
  F(X509_CRL*, d2i_X509_CRL, (X509_CRL** a, const unsigned char** b, long c), (a, b, c))
// clang-format on

namespace {

// The one mutable object with static storage in this project. It stands for the table that the
// dynamic linker would have kept; load() writes it once, before any other function here is called.
struct ImportTable {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared cannot stand in any
#define F(result, name, parameters, arguments) decltype(&::name) name = nullptr;
  QMAIL_OPENSSL_FUNCTIONS(F)
#undef F
};
ImportTable table;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

// Hidden, so that libssl and libcrypto never take ours for theirs.
// NOLINTNEXTLINE(bugprone-macro-parentheses): types and lists cannot stand in any
#define F(result, name, parameters, arguments)                              \
  extern "C" __attribute__((visibility("hidden"))) result name parameters { \
    return table.name arguments;                                            \
  }
QMAIL_OPENSSL_FUNCTIONS(F)
#undef F

namespace qmail::tls {

namespace {

TlsError library_error() {
  const char* text = ::dlerror();
  return {TlsError::Step::library, text != nullptr ? text : "", "",
          "install the OpenSSL this program was built for"};
}

}  // namespace

std::optional<TlsError> load() {
  if (table.OpenSSL_version_num != nullptr) return std::nullopt;
  // QMAIL_LOAD_FLAGS is RTLD_DEEPBIND where that can be: the two libraries then look for their
  // thousands of symbols among themselves first, which is a million instructions less. Never closed
  // again: OpenSSL may have registered functions that run at exit.
  void* library = ::dlopen("libssl.so.3", RTLD_LAZY | RTLD_LOCAL | QMAIL_LOAD_FLAGS);
  if (library == nullptr) return library_error();
  ImportTable found;
#define F(result, name, parameters, arguments)                                  \
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
  if (is_there("libssl.so.3") && is_there("libcrypto.so.3")) return std::nullopt;
  return load();
}

}  // namespace qmail::tls
