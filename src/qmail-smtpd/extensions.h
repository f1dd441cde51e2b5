// The extensions that the reply to EHLO names, in the order in which they stand there. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace qmail::smtpd {

// What is to be had in this session, at this moment.
struct Offer {
  bool starttls = false;
  std::string auth{};                   // the mechanisms: "LOGIN PLAIN"
  std::optional<std::uint32_t> size{};  // the largest message, 0: no limit
};

// The lines behind the greeting's, the last one without a hyphen.
std::string extension_lines(const Offer& offer);

}  // namespace qmail::smtpd
