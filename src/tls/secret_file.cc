#include "tls/secret_file.h"

#include <array>
#include <cerrno>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

// A link that leads nowhere is there.
bool is_absent(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

}  // namespace

void SecretFile::fail(const FileError& why) {
  error = why.code;
  reason = why.code == ENXIO ? why.reason() : system_error(why.code);
}

SecretFile SecretFile::read(const std::string& path) {
  SecretFile whole{BioPtr(BIO_new(BIO_s_mem()))};
  const FileError no_memory{ENOMEM};
  if (!whole.content) {
    whole.fail(no_memory);
    return whole;
  }
  auto file = RegularFile::open(path);
  if (!file) {
    whole.absent = file.error().code == ENOENT && is_absent(path);
    if (whole.absent) {
      whole.error = ENOENT;
    } else {
      whole.fail(file.error());
    }
    return whole;
  }
  std::array<char, 8192> block;
  for (;;) {
    auto got = file->read(block);
    if (!got) whole.fail(got.error());
    if (!got || *got == 0) break;
    const int size = static_cast<int>(*got);
    if (BIO_write(whole.content.get(), block.data(), size) != size) {
      whole.fail(no_memory);
      break;
    }
  }
  OPENSSL_cleanse(block.data(), block.size());
  return whole;
}

}  // namespace qmail::tls
