// What an admin can do when OpenSSL cannot be loaded, by the cause.
#pragma once

#include <string>
#include <string_view>

namespace qmail::tls {

// `reason`: the text of dlerror(3), the only thing that says why.
std::string load_advice(std::string_view reason);

}  // namespace qmail::tls
