// Reports: what qmail-rspawn reads from qmail-remote.
//
// Zero or more recipient reports, in the order of the recipients, then exactly one message report;
// each is a letter, a text and a NUL (qmail-remote(8), "RESULTS"). They are kept and written
// together at the end, so that nothing half-said is ever read. The sentences are in messages.h.
#pragma once

#include <string>
#include <string_view>

namespace qmail::remote {

enum class RecipientStatus : char { accepted = 'r', permanent = 'h', temporary = 's' };
enum class MessageStatus : char { accepted = 'K', permanent = 'D', temporary = 'Z' };

struct MessageReport {
  MessageStatus status;
  std::string text;  // ends in a line feed unless it quotes a server that left it out
};

class Reports {
 public:
  // The next recipient's.
  void add(RecipientStatus status, std::string_view text);
  // Nothing has been reported.
  void forget() { recipients_.clear(); }
  // The message report, and with it everything, written to `fd`. Needs no memory. Errors are
  // ignored: nobody is left to tell.
  void finish(int fd, MessageStatus status, std::string_view text) const;

 private:
  std::string recipients_;
};

// --- text of others, made safe for a report ---

// A name: each byte below 33 or above 126 as '?'.
std::string printable(std::string_view name);
// A library's text: control bytes as '?', so that it stays one line.
std::string one_line(std::string_view text);
// A server's reply: NUL, which would end the report, as '?'.
std::string without_nul(std::string_view reply);

}  // namespace qmail::remote
