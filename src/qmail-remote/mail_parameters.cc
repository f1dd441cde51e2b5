#include "qmail-remote/mail_parameters.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "qmail-remote/messages.h"
#include "qmail/buffer.h"

namespace qmail::remote {

namespace {

constexpr std::size_t block_size = 65536;

bool has_eight_bits(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) > 127; });
}

bool address_has_eight_bits(const Mail& mail) {
  return has_eight_bits(mail.sender) ||
         std::any_of(mail.recipients.begin(), mail.recipients.end(),
                     [](const Recipient& one) { return has_eight_bits(one.address); });
}

// What is left to read of the message. A pipe can be read once only: then nobody knows.
struct Rest {
  off_t offset;        // cppcheck-suppress unusedStructMember ; message_has_eight_bits begins there
  std::uint64_t size;  // LF as one byte: an estimate (RFC 1870, 5)
};

std::optional<Rest> rest_of(int message) {
  struct stat status {};
  if (::fstat(message, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const off_t offset = ::lseek(message, 0, SEEK_CUR);
  if (offset < 0) return std::nullopt;
  return Rest{offset, static_cast<std::uint64_t>(std::max<off_t>(status.st_size - offset, 0))};
}

// Reads up to the first such byte. Nothing: it cannot be read.
std::optional<bool> message_has_eight_bits(int message, off_t offset) {
  const auto block = make_buffer<char>(block_size);
  for (;;) {
    const ssize_t got = ::pread(message, block.get(), block_size, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return false;
    if (has_eight_bits({block.get(), static_cast<std::size_t>(got)})) return true;
    offset += got;
  }
}

}  // namespace

Result<std::string, MessageReport> mail_parameters(const Mail& mail, const WantedParameters& wanted,
                                                   const Extensions& server,
                                                   const std::string& ip) {
  std::string parameters;
  const bool asks_for_size = wanted.size && server.size;
  const bool asks_for_body = wanted.eight_bit && server.eight_bit;
  const auto rest = asks_for_size || asks_for_body ? rest_of(mail.message) : std::nullopt;
  if (asks_for_size && rest) {
    if (*server.size > 0 && rest->size > *server.size) {
      return Failure(message_too_long(ip, rest->size, *server.size));
    }
    parameters += " SIZE=" + std::to_string(rest->size);
  }
  if (asks_for_body && rest) {
    const auto eight_bits = message_has_eight_bits(mail.message, rest->offset);
    if (!eight_bits) return Failure(deferred(text_message_unreadable));
    if (*eight_bits) parameters += " BODY=8BITMIME";
  }
  if (wanted.smtputf8 && address_has_eight_bits(mail)) {
    if (!server.smtputf8) return Failure(no_such_letters(ip));
    parameters += " SMTPUTF8";
  }
  return parameters;
}

}  // namespace qmail::remote
