#include "qmail-remote/socketmap.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>

#include "qmail-remote/dial.h"
#include "qmail/ascii.h"
#include "qmail/deadline.h"
#include "qmail/transport.h"
#include "qmail/unique_fd.h"

namespace qmail::remote {

namespace {

constexpr std::size_t longest_reply = 100000;
constexpr std::size_t longest_reason = 500;
constexpr std::string_view malformed = "malformed reply";
constexpr std::string_view timed_out = "timed out";

Failure<std::string> trouble(std::string_view reason) {
  return Failure(std::string(reason.substr(0, longest_reason)));
}

std::string text_of(int error) { return std::generic_category().message(error); }

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const std::uint32_t port = leading_number(text).value_or(0);
  if (port < 1 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// ADDRESS:PORT
std::optional<SocketMap::Tcp> parse_tcp(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[');
  const auto address = bracketed ? parse_ip_literal(host) : parse_ip(host);
  const auto port = parse_port(text.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  if (!bracketed && host.find(':') != std::string_view::npos) return std::nullopt;
  return SocketMap::Tcp{*address, *port};
}

Result<UniqueFd, std::string> connect_to(const SocketMap::Tcp& server,
                                         std::chrono::seconds timeout) {
  auto socket = dial(server.address, server.port, {timeout});
  if (socket) return std::move(*socket);
  return Failure(std::move(socket.error().reason));
}

// A server whose queue is full lets a connection wait, and only the kernel can time that.
Result<UniqueFd, std::string> connect_to(const SocketMap::Unix& server,
                                         std::chrono::seconds timeout) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (server.path.size() >= sizeof to.sun_path) return Failure(text_of(ENAMETOOLONG));
  std::copy(server.path.begin(), server.path.end(), to.sun_path);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return Failure(text_of(errno));
  const timeval most{static_cast<std::time_t>(timeout.count()), 1};  // 0 would be for ever
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most) != 0 ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return Failure(errno == EAGAIN ? std::string(timed_out) : text_of(errno));
  }
  return fd;
}

// Nothing, or why it could not be sent.
std::optional<std::string> send_all(Transport& transport, std::string_view bytes,
                                    Deadline deadline) {
  while (!bytes.empty()) {
    const auto put = transport.write(bytes, deadline);
    if (!put) return put.error().reason;
    bytes.remove_prefix(*put);
  }
  return std::nullopt;
}

}  // namespace

std::optional<SocketMap> parse_socket_map(std::string_view text) {
  take(text, "socketmap:");
  const bool tcp = take(text, "inet:");
  if (!tcp && !take(text, "unix:")) return std::nullopt;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view where = text.substr(0, colon);
  const std::string_view map = text.substr(colon + 1);
  if (map.empty() || map.find_first_of(" \t") != std::string_view::npos) return std::nullopt;
  if (!tcp) {
    if (!where.starts_with('/') || where.find('\0') != std::string_view::npos) return std::nullopt;
    return SocketMap{SocketMap::Unix{std::string(where)}, std::string(map)};
  }
  const auto server = parse_tcp(where);
  if (!server) return std::nullopt;
  return SocketMap{*server, std::string(map)};
}

NetstringReader::State NetstringReader::add(std::string_view bytes) {
  const auto is_malformed = [this] { return state_ = State::malformed; };
  while (state_ == State::incomplete && !bytes.empty()) {
    const char next = bytes.front();
    switch (part_) {
      case Part::length:
        bytes.remove_prefix(1);
        if (next == ':') {
          if (digits_ == 0) return is_malformed();
          part_ = length_ == 0 ? Part::end : Part::text;
        } else {
          // RFC-less, but all agree: no leading zeros.
          if (!is_digit(next) || (digits_ > 0 && length_ == 0)) return is_malformed();
          length_ = 10 * length_ + static_cast<std::size_t>(next - '0');
          ++digits_;
          if (length_ > longest_reply) return is_malformed();
        }
        break;
      case Part::text: {
        const std::string_view some = bytes.substr(0, length_ - text_.size());
        text_.append(some);
        bytes.remove_prefix(some.size());
        if (text_.size() == length_) part_ = Part::end;
        break;
      }
      case Part::end:
        if (next != ',') return is_malformed();
        state_ = State::whole;
        break;
    }
  }
  return state_;
}

MapAnswer parse_map_reply(std::string_view reply) {
  const std::string_view word = reply.substr(0, reply.find(' '));
  if (word.size() == reply.size()) return trouble(malformed);
  if (word == "OK") {
    // Nothing that is meant for people to read has one, and a file's name would end there.
    if (reply.find('\0') != std::string_view::npos) return trouble(malformed);
    return std::optional(std::string(reply.substr(word.size() + 1)));
  }
  if (word == "NOTFOUND") return std::optional<std::string>();
  if (word == "TEMP" || word == "TIMEOUT" || word == "PERM") return trouble(reply);
  return trouble(malformed);
}

MapAnswer look_up(const SocketMap& map, std::string_view key, std::chrono::seconds timeout) {
  const Deadline deadline = Deadline::after(timeout);
  const auto socket =
      std::visit([&](const auto& server) { return connect_to(server, timeout); }, map.server);
  if (!socket) return Failure(socket.error());
  FdTransport transport(socket->get(), socket->get());

  const std::string question = map.map + " " + std::string(key);
  const std::string netstring = std::to_string(question.size()) + ":" + question + ",";
  if (const auto failure = send_all(transport, netstring, deadline)) return trouble(*failure);

  NetstringReader reader;
  for (;;) {
    std::array<char, 4096> block{};
    const auto got = transport.read(block, deadline);
    if (!got) return trouble(got.error().reason);
    if (*got == 0) return trouble(malformed);
    switch (reader.add({block.data(), *got})) {
      case NetstringReader::State::whole:
        return parse_map_reply(reader.text());
      case NetstringReader::State::malformed:
        return trouble(malformed);
      case NetstringReader::State::incomplete:
        if (deadline.passed()) return trouble(timed_out);
    }
  }
}

}  // namespace qmail::remote
