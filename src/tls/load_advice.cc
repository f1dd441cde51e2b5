#include "tls/load_advice.h"

#include <initializer_list>
#include <sys/resource.h>

namespace qmail::tls {

namespace {

bool memory_is_limited() {
  rlimit space{};
  rlimit data{};
  const bool known = ::getrlimit(RLIMIT_AS, &space) == 0 && ::getrlimit(RLIMIT_DATA, &data) == 0;
  return known && (space.rlim_cur != RLIM_INFINITY || data.rlim_cur != RLIM_INFINITY);
}

bool has_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

std::string load_advice(std::string_view reason) {
  const bool want_of_memory = has_any(reason, {"failed to map", "annot allocate", "annot create"});
  if (want_of_memory && memory_is_limited()) {
    return "too little memory is allowed: TLS needs 16 MB, as in softlimit -m 16000000";
  }
  if (want_of_memory) return "there is too little memory";
  if (has_any(reason, {"Too many open files"})) {
    return "too few descriptors are allowed (softlimit -o), or the system has none left";
  }
  if (has_any(reason, {"ELF", "file too short", "invalid"})) {
    return "the library is damaged, or for another kind of machine: install it again";
  }
  if (has_any(reason, {"Permission denied"})) return "the library must be readable for everybody";
  return "install the OpenSSL this program was built for";
}

}  // namespace qmail::tls
