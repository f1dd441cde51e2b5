// Text that several programs put together in the same way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qmail {

// The parts one behind the other, with `separator` between them.
std::string joined(const std::vector<std::string>& parts, std::string_view separator);

}  // namespace qmail
