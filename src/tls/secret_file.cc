#include "tls/secret_file.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "qmail/unique_fd.h"

namespace qmail::tls {

SecretFile SecretFile::read(const std::string& path) {
  SecretFile file{BioPtr(BIO_new(BIO_s_mem()))};
  if (!file.content) {
    file.error = ENOMEM;
    return file;
  }
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    file.error = errno;
    struct stat status {};
    file.absent = file.error == ENOENT && ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
    return file;
  }
  std::array<char, 8192> block;
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) file.error = errno;
    if (got <= 0) break;
    if (BIO_write(file.content.get(), block.data(), static_cast<int>(got)) != got) {
      file.error = ENOMEM;
      break;
    }
  }
  OPENSSL_cleanse(block.data(), block.size());
  return file;
}

}  // namespace qmail::tls
