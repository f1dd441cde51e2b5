#include "qmail-remote/message_writer.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "qmail-remote/data_encoder.h"
#include "qmail-remote/messages.h"
#include "qmail/buffer.h"

namespace qmail::remote {

namespace {

constexpr std::size_t message_block = 65536;
constexpr std::size_t full_record = 16384;  // of TLS
// How much of the message goes out between two looks at what the server says meanwhile.
constexpr int blocks_between_looks = 16;

}  // namespace

std::optional<Unsent> write_message(SmtpClient& client, int message) {
  DataEncoder encoder;
  constexpr std::size_t room = DataEncoder::room_for(message_block);
  const auto block = make_buffer<char>(message_block);
  const auto encoded = make_buffer<char>(full_record + room);
  std::size_t kept = 0;  // less than a record, waiting for more: whole records go out uncopied
  for (int blocks = 1;; ++blocks) {
    const ssize_t got = ::read(message, block.get(), message_block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return deferred(text_message_unreadable);
    if (got == 0) break;
    const std::size_t length = kept + encoder.encode({block.get(), static_cast<std::size_t>(got)},
                                                     {encoded.get() + kept, room});
    kept = length % full_record;
    client.write({encoded.get(), length - kept});
    if (client.lost() || blocks % blocks_between_looks == 0) {
      if (auto refusal = client.refusal()) return std::move(*refusal);
    }
    std::memmove(encoded.get(), encoded.get() + length - kept, kept);
  }
  client.write({encoded.get(), kept});
  if (!encoder.at_line_start()) return failed(text_partial_final_line);
  if (auto refusal = client.refusal()) return std::move(*refusal);
  return std::nullopt;
}

std::optional<Response> write_final_dot(SmtpClient& client, std::string_view behind) {
  client.write(std::string(".\r\n").append(behind));
  client.flush();
  if (!client.lost()) return std::nullopt;
  return client.refusal();  // or it throws
}

}  // namespace qmail::remote
