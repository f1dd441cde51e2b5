// PemFile: a file of certificates, keys, lists or parameters, read once and taken apart (RFC 7468).
//
// Keys are never decrypted and nobody is ever asked for a pass phrase: descriptor 0 is the peer or
// the message. A byte order mark before "-----BEGIN" is read over on every line, and a line that
// only seems to begin a block is damage: nothing of a chain is left out in silence. Every copy of
// the file's content is wiped when it goes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl_ptr.h"

namespace qmail::tls {

struct WipingDeleter {
  std::size_t size = 0;
  void operator()(unsigned char* der) const;
};

struct PemBlock {
  std::string label;  // "CERTIFICATE", "RSA PRIVATE KEY"
  bool encrypted = false;
  std::unique_ptr<unsigned char, WipingDeleter> der;

  bool is_certificate() const;
  bool is_private_key() const;
  bool is_revocation_list() const;
  std::string_view bytes() const;
};

struct PemFile {
  std::vector<PemBlock> blocks{};
  int error = 0;         // errno of an open or read that failed
  std::string reason{};  // and what it means; see secret_file.h
  bool absent =
      false;  // there is nothing of that name; a symbolic link that leads nowhere is there
  std::string damage{};  // why there are no more blocks, if not for the end of the file

  // Why the file, or the rest of it, could not be read; empty when nothing was wrong.
  std::string problem() const;
};

PemFile read_pem(const std::string& path);

// Nothing (and OpenSSL's error queue tells why) when the block does not hold what its label says.
CertificatePtr certificate_of(const PemBlock& block);
RevocationListPtr revocation_list_of(const PemBlock& block);

// What a decoder for exactly one kind of key makes of `der`; see OSSL_DECODER_CTX_new_for_pkey(3).
// Naming structure and type costs a third of what OpenSSL takes to find them out.
struct KeyForm {
  const char* structure;  // "PrivateKeyInfo", "type-specific"
  const char* type;       // "RSA", "EC", "ED25519", "DH"
  int selection;          // EVP_PKEY_KEYPAIR, EVP_PKEY_KEY_PARAMETERS
};
KeyPtr decode_key(std::string_view der, const KeyForm& form);

}  // namespace qmail::tls
