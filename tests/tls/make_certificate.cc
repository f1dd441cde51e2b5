// make_certificate FILE: a certificate and its key for import_test, which has no OpenSSL of its
// own.
#include "test_pki.h"

int main(int argc, char** argv) {
  using namespace qmail::tls::test;
  if (argc != 2) return 1;
  const std::filesystem::path file(argv[1]);
  const Issued made = server_certificate("mx.example.org", authority("ca"));
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (out == nullptr) return 1;
  const std::string content = made.both();
  const bool written = std::fwrite(content.data(), 1, content.size(), out) == content.size();
  return std::fclose(out) == 0 && written ? 0 : 1;
}
