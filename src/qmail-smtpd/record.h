// Record: what became of a session, for whoever tells of it at its end.
#pragma once

#include <cstdint>
#include <string>

namespace qmail::smtpd {

struct Record {
  enum class End {
    quit,
    lost,       // the client went away
    timed_out,  // it said nothing for too long
    tls,        // the handshake failed
    refused,    // we closed
  };

  std::uint64_t messages = 0;    // queued
  std::uint64_t recipients = 0;  // of queued messages
  std::uint64_t refused = 0;     // recipients that were told so
  std::uint64_t bytes = 0;       // of queued messages, as they were stored
  std::int64_t seconds = 0;
  std::string helo{};  // as the client says them; empty: there was none
  std::string tls{};
  std::string user{};
  End end = End::refused;
};

// "session: seconds=S helo=H …", for the log. No value holds a blank or is longer than 255 bytes.
std::string session_line(const Record& record);

}  // namespace qmail::smtpd
