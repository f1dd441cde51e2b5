// A file that may hold a key, read whole; every copy of its content is wiped when it goes.
#pragma once

#include <string>

#include "qmail/regular_file.h"
#include "tls/openssl_ptr.h"

namespace qmail::tls {

struct SecretFile {
  BioPtr content{};  // a memory BIO, which wipes what it frees
  int error = 0;     // errno of an open or read that failed
  // And what it means: the library's text, or "not a regular file". Empty when absent: that is
  // usual, and the text would be a fiftieth of a session's cost.
  std::string reason{};
  bool absent =
      false;  // there is nothing of that name; a symbolic link that leads nowhere is there

  static SecretFile read(const std::string& path);

 private:
  void fail(const FileError& why);
};

}  // namespace qmail::tls
