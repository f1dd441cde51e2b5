// ServerWalk: the walk over the servers of one delivery: whom to call next, and why nobody any
// more.
//
// A server that has timed out lately is passed over, one that cannot be connected to gives way to
// the next; both are the time-out table's business (tcpto.h). One that answers and is of no use
// before anything of the envelope has gone out gives way, too, but not for ever. The report at the
// end is that of the server that took or refused the mail, else of the last that answered at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "qmail-remote/attempt.h"
#include "qmail-remote/dial.h"
#include "qmail-remote/mx_resolver.h"
#include "qmail-remote/tcpto.h"
#include "qmail/unique_fd.h"

namespace qmail::remote {

class ServerWalk {
 public:
  // How many servers may answer badly before we give up for now: each can keep us for as long as
  // its time-outs last, and a hostile domain can list as many as it likes.
  static constexpr int most_conversations = 5;

  // `servers`: in the order in which they are to be tried.
  ServerWalk(std::vector<Exchanger> servers, std::uint16_t port, const Dialing& dialing,
             TimeoutTable table);

  // Whose turn it is. Null: it is over, report() says why.
  const Exchanger* next();
  // A connection to that server; nothing: it cannot be had, on to the next one.
  std::optional<UniqueFd> call();

  // What the conversation with that server came to, or why there was none.
  void ended(Ending ending);

  // What is to be said of the message; once next() has returned nothing.
  MessageReport report() &&;

 private:
  bool may_go_on(const Exchanger& server, const DialError& error);

  std::vector<Exchanger> servers_;
  std::uint16_t port_;
  Dialing dialing_;
  TimeoutTable table_;
  std::size_t at_ = 0;           // behind the one whose turn it is
  TimeoutTable::Entry entry_{};  // what the table says about that one
  int conversations_ = 0;
  bool over_ = false;
  std::optional<MessageReport> report_;
};

}  // namespace qmail::remote
