// SocketMap: a question to a server that speaks sendmail's socketmap protocol, as Postfix asks its
// TLS policies (control/tlspolicymap). postfix-mta-sts-resolver and its like answer so.
//
// One netstring goes out, "MAP KEY", and one comes back: "OK ANSWER", "NOTFOUND …", or a word of
// trouble. Nothing is kept: the server does that. Whatever is not clearly an answer is an error,
// since "no policy" is for the server to say and not for us to guess.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "qmail/ip_address.h"
#include "qmail/result.h"

namespace qmail::remote {

struct SocketMap {
  struct Tcp {
    IpAddress address;
    std::uint16_t port;
  };
  struct Unix {
    std::string path;
  };
  std::variant<Tcp, Unix> server;
  std::string map;
};

// [socketmap:]inet:ADDRESS:PORT:MAP (an IPv6 address in brackets) or [socketmap:]unix:/PATH:MAP;
// what is neither: nothing.
std::optional<SocketMap> parse_socket_map(std::string_view text);

// ANSWER; nothing inside: NOTFOUND. The error is the reason for people: the system's text, "timed
// out", "malformed reply", or what the server said (at most 500 bytes of it).
using MapAnswer = Result<std::optional<std::string>, std::string>;

// Asks, connecting included, within `timeout`.
MapAnswer look_up(const SocketMap& map, std::string_view key, std::chrono::seconds timeout);

// What a server says, as it comes: bytes are added until the netstring is whole or cannot become
// one. At most 100000 bytes are in it.
class NetstringReader {
 public:
  enum class State { incomplete, whole, malformed };
  // Bytes behind the netstring are passed over.
  State add(std::string_view bytes);
  const std::string& text() const { return text_; }

 private:
  enum class Part { length, text, end };
  Part part_ = Part::length;
  State state_ = State::incomplete;
  std::size_t digits_ = 0;
  std::size_t length_ = 0;
  std::string text_;
};

// The text of a server's netstring.
MapAnswer parse_map_reply(std::string_view reply);

}  // namespace qmail::remote
