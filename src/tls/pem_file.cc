#include "tls/pem_file.h"

#include <algorithm>
#include <cstring>
#include <span>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/secret_file.h"
#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

void free_text(char* text) { OPENSSL_free(text); }
using TextPtr = std::unique_ptr<char, OpensslDeleter<free_text>>;

const unsigned char* begin_of(std::string_view der) {
  return reinterpret_cast<const unsigned char*>(der.data());
}

constexpr std::string_view dashes = "-----";
constexpr std::string_view begin = "-----BEGIN ";

std::span<char> content_of(BIO* file) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(file, &data);
  return {data, static_cast<std::size_t>(size)};
}

// How many lines begin a block, or were cut off while they did. OpenSSL reads over such a line when
// something is wrong with it, and over one behind a byte order mark (a file put together of
// others): the mark becomes empty lines here, the rest is for the caller to count.
std::size_t begin_lines(std::span<char> content) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  const std::string_view text(content.data(), content.size());
  std::size_t count = 0;
  std::size_t at = 0;
  // Base64 has no dash: each block is skipped in one step.
  while ((at = text.find('-', at)) != std::string_view::npos) {
    const bool marked = at >= mark.size() && text.substr(at - mark.size(), mark.size()) == mark;
    const std::size_t start = marked ? at - mark.size() : at;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const bool whole = line.starts_with(begin);
    if ((start == 0 || text[start - 1] == '\n') &&
        (whole || (end == text.size() && line.size() > dashes.size() && begin.starts_with(line)))) {
      ++count;
      if (marked)
        std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(start), mark.size(), '\n');
    }
    at = end;
  }
  return count;
}

// The next block of `in`; false at the end and where the file is damaged (see the error queue).
bool next_block(BIO* in, PemBlock& block) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* der = nullptr;
  long size = 0;
  if (PEM_read_bio(in, &label, &header, &der, &size) != 1) return false;
  const TextPtr owned_label(label);
  const TextPtr owned_header(header);
  block.der = {der, WipingDeleter{static_cast<std::size_t>(size)}};
  block.label = label;
  // RFC 1421's "Proc-Type: 4,ENCRYPTED", or PKCS #8's label.
  block.encrypted = std::strstr(header, "ENCRYPTED") != nullptr || block.label == PEM_STRING_PKCS8;
  return true;
}

}  // namespace

void WipingDeleter::operator()(unsigned char* der) const { OPENSSL_clear_free(der, size); }

bool PemBlock::is_certificate() const {
  return label == PEM_STRING_X509 || label == PEM_STRING_X509_OLD ||
         label == PEM_STRING_X509_TRUSTED;
}

bool PemBlock::is_private_key() const {
  return std::string_view(label).ends_with(PEM_STRING_PKCS8INF);  // "… PRIVATE KEY"
}

bool PemBlock::is_revocation_list() const { return label == PEM_STRING_X509_CRL; }

std::string_view PemBlock::bytes() const {
  return {reinterpret_cast<const char*>(der.get()), der.get_deleter().size};
}

std::string PemFile::problem() const {
  if (error == 0) return damage;
  return absent ? system_error(error) : reason;
}

PemFile read_pem(const std::string& path) {
  ERR_clear_error();
  const SecretFile whole = SecretFile::read(path);
  PemFile file{{}, whole.error, whole.reason, whole.absent};
  if (file.error != 0) return file;
  const std::size_t begun = begin_lines(content_of(whole.content.get()));
  PemBlock block;
  while (next_block(whole.content.get(), block)) file.blocks.push_back(std::move(block));
  const unsigned long end = ERR_peek_last_error();
  if (ERR_GET_LIB(end) == ERR_LIB_PEM && ERR_GET_REASON(end) == PEM_R_NO_START_LINE) {
    ERR_clear_error();
    if (file.blocks.size() < begun) file.damage = library_error(ERR_LIB_PEM, PEM_R_BAD_END_LINE);
  } else {
    file.damage = take_library_error();
  }
  return file;
}

CertificatePtr certificate_of(const PemBlock& block) {
  const unsigned char* der = begin_of(block.bytes());
  const auto size = static_cast<long>(block.bytes().size());
  return CertificatePtr(block.label == PEM_STRING_X509_TRUSTED ? d2i_X509_AUX(nullptr, &der, size)
                                                               : d2i_X509(nullptr, &der, size));
}

RevocationListPtr revocation_list_of(const PemBlock& block) {
  const unsigned char* der = begin_of(block.bytes());
  return RevocationListPtr(d2i_X509_CRL(nullptr, &der, static_cast<long>(block.bytes().size())));
}

KeyPtr decode_key(std::string_view der, const KeyForm& form) {
  EVP_PKEY* key = nullptr;
  const DecoderPtr decoder(OSSL_DECODER_CTX_new_for_pkey(&key, "DER", form.structure, form.type,
                                                         form.selection, nullptr, nullptr));
  const unsigned char* data = begin_of(der);
  std::size_t left = der.size();
  if (decoder) OSSL_DECODER_from_data(decoder.get(), &data, &left);
  return KeyPtr(key);
}

}  // namespace qmail::tls
