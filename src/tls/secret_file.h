// A file that may hold a key, read whole; every copy of its content is wiped when it goes.
#pragma once

#include <string>

#include "tls/openssl_ptr.h"

namespace qmail::tls {

struct SecretFile {
  BioPtr content{};  // a memory BIO, which wipes what it frees
  int error = 0;     // errno of an open or read that failed
  bool absent =
      false;  // there is nothing of that name; a symbolic link that leads nowhere is there

  static SecretFile read(const std::string& path);
};

}  // namespace qmail::tls
