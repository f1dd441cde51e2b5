#include "qmail-smtpd/extensions.h"

#include <array>
#include <string_view>

namespace qmail::smtpd {

namespace {

// Each gives its line's text; empty: not on offer.
std::string starttls(const Offer& offer) { return offer.starttls ? "STARTTLS" : ""; }
std::string pipelining(const Offer&) { return "PIPELINING"; }
std::string eight_bit_mime(const Offer&) { return "8BITMIME"; }

std::string auth(const Offer& offer) {
  return offer.auth.empty() ? std::string() : "AUTH " + offer.auth;
}

std::string size(const Offer& offer) {
  return offer.size ? "SIZE " + std::to_string(*offer.size) : std::string();
}

constexpr std::array extensions{&starttls, &pipelining, &eight_bit_mime, &auth, &size};

}  // namespace

std::string extension_lines(const Offer& offer) {
  std::string lines;
  std::size_t last = 0;
  for (const auto extension : extensions) {
    const std::string text = extension(offer);
    if (text.empty()) continue;
    last = lines.size();
    lines.append("250-").append(text).append("\r\n");
  }
  lines.at(last + 3) = ' ';
  return lines;
}

}  // namespace qmail::smtpd
