// Log: what an admin should know, on descriptor 2 (tcpserver's log), a line at a time.
//
// Each line is one write(2) of at most PIPE_BUF bytes, so that lines of many processes do not mix,
// and begins with the program, its process id and the client's address. A line that cannot be
// written, or not within a second since nobody reads the log, is lost: mail matters more. Whoever
// writes a line cleans what came from the client.
#pragma once

#include <string>
#include <string_view>

namespace qmail::smtpd {

class Log {
 public:
  // `remote_ip`: as tcpserver gave it; cleaned here.
  Log(int descriptor, std::string_view remote_ip);

  // "qmail-smtpd: 1234 from 192.0.2.1: TEXT". Control characters in `text` become '?'.
  void line(std::string_view text) const;

 private:
  int descriptor_;
  std::string remote_ip_;
};

}  // namespace qmail::smtpd
