// The address in a MAIL or RCPT command, read as qmail has always read it. Pure.
//
// Far more is accepted than RFC 5321 allows (a missing bracket, a missing colon); what follows the
// address is ignored. The only error is an address that is too long.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "qmail/ipme.h"

namespace qmail::smtpd {

// Longer addresses are refused; qmail-queue and what comes after it need not cope with them.
inline constexpr std::size_t longest_address = 899;

// The address in the command's argument ("FROM:<joe@example.org> SIZE=1"), source route, quotes and
// backslashes removed. Any length.
std::string extract_address(std::string_view argument);
// What stands behind the address: parameters (RFC 5321, 4.1.2).
std::string_view behind_address(std::string_view argument);

// The same address, with "[d.d.d.d]" after its last '@' replaced by `host` if that is one of our
// own addresses (RFC 5321, 4.1.3; control/localiphost).
std::string with_local_name(std::string address, const std::string& host, const OwnAddresses& own);

// Both in turn; without `host` literals are left alone. Nothing if the result is too long.
std::optional<std::string> parse_address(std::string_view argument,
                                         const std::optional<std::string>& host,
                                         const OwnAddresses& own);

}  // namespace qmail::smtpd
