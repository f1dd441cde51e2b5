// Base64 (RFC 4648, section 4), as SASL has it: one line, padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qmail {

std::string base64_encoded(std::string_view bytes);
// Nothing: it is not base64 (another letter, a blank, a wrong length, bits behind the end).
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace qmail
