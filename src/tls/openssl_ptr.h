// Owning pointers for what OpenSSL hands out. The deleters carry no state, so a pointer here is as
// large as a bare one.
//
// What a get1 or new function returns goes straight into one of these; what a get0 function returns
// never leaves the function that asked.
#pragma once

#include <memory>

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace qmail::tls {

template <auto Free>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* owned) const {
    Free(owned);
  }
};

// The functions of a typed stack are inline wrappers without an address.
struct CertificateStackDeleter {
  void operator()(STACK_OF(X509) * owned) const { sk_X509_pop_free(owned, X509_free); }
};

using BioMethodPtr = std::unique_ptr<BIO_METHOD, OpensslDeleter<BIO_meth_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using CertificateStackPtr = std::unique_ptr<STACK_OF(X509), CertificateStackDeleter>;
using DecoderPtr = std::unique_ptr<OSSL_DECODER_CTX, OpensslDeleter<OSSL_DECODER_CTX_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using RevocationListPtr = std::unique_ptr<X509_CRL, OpensslDeleter<X509_CRL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslDeleter<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpensslDeleter<SSL_free>>;

// An empty one, or null. (sk_X509_new_null of the headers from 3.6 on calls a function that earlier
// versions of the same library lack.)
inline CertificateStackPtr new_certificate_stack() {
  return CertificateStackPtr(reinterpret_cast<STACK_OF(X509)*>(OPENSSL_sk_new_null()));
}

}  // namespace qmail::tls
