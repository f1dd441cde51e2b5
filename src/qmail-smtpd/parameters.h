// The parameters of MAIL (RFC 5321, 4.1.2). Pure. What is not known is read over.
#pragma once

#include <cstdint>
#include <string_view>

namespace qmail::smtpd {

// Does a word SIZE=N among `parameters` (RFC 1870) announce more than `limit` bytes? However many
// digits it has; where there are several, one is enough.
bool announces_more(std::string_view parameters, std::uint64_t limit);

}  // namespace qmail::smtpd
