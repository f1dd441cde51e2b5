// The import table: every function of OpenSSL that src/tls calls, bound when load() is called.
//
// Linked in the ordinary way, libssl and libcrypto would cost each process 3.3 million instructions
// in the dynamic linker before its first byte, and a system upgrade that takes libssl.so.3 away
// would keep qmail-remote from starting, which qmail-rspawn turns into bounces. So this file
// defines each function as a jump through a table that load() fills from libssl.so.3. The rest of
// src/tls is written against <openssl/...> as anywhere else: the compiler checks each line here
// against OpenSSL's own declaration, the linker that none is missing. (dlopen(3); systemd and
// OpenGL programs load their libraries so, too.)
#include <dlfcn.h>
#include <string>
#include <sys/stat.h>

#include <openssl/ssl.h>

#include "tls/tls.h"

// One line for each function: result, name, parameters, arguments.
#define QMAIL_OPENSSL_FUNCTIONS(F) F(unsigned long, OpenSSL_version_num, (), ())

namespace {

// The one mutable object with static storage in this project. It stands for the table that the
// dynamic linker would have kept; load() writes it once, before any other function here is called.
struct ImportTable {
#define F(result, name, parameters, arguments) decltype(&::name) name = nullptr;
  QMAIL_OPENSSL_FUNCTIONS(F)
#undef F
};
ImportTable table;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

}  // namespace

// Hidden, so that libssl and libcrypto never take ours for theirs.
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
  // Never closed again: OpenSSL registers functions that run at exit.
  void* library = ::dlopen("libssl.so.3", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return library_error();
  ImportTable found;
#define F(result, name, parameters, arguments)                                  \
  found.name = reinterpret_cast<decltype(found.name)>(::dlsym(library, #name)); \
  if (found.name == nullptr) return library_error();
  QMAIL_OPENSSL_FUNCTIONS(F)
#undef F
  table = found;
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
