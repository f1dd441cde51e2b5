#include "qmail-remote/server_walk.h"

#include <ctime>
#include <utility>

#include "qmail-remote/messages.h"

namespace qmail::remote {

ServerWalk::ServerWalk(std::vector<Exchanger> servers, std::uint16_t port, const Dialing& dialing,
                       TimeoutTable table)
    : servers_(std::move(servers)), port_(port), dialing_(dialing), table_(std::move(table)) {}

const Exchanger* ServerWalk::next() {
  while (!over_ && at_ < servers_.size()) {
    const Exchanger& server = servers_[at_++];
    entry_ = table_.look_up(server.address, ::time(nullptr));
    if (!entry_.skip) return &server;
  }
  return nullptr;
}

std::optional<UniqueFd> ServerWalk::call() {
  const Exchanger& server = servers_[at_ - 1];
  auto socket = dial(server.address, port_, dialing_);
  if (!socket) {
    over_ = !may_go_on(server, socket.error());
    return std::nullopt;
  }
  if (entry_.known) table_.clear(server.address);
  return *std::move(socket);
}

// Where no connection came about: false when that is our own trouble, which ends everything.
bool ServerWalk::may_go_on(const Exchanger& server, const DialError& error) {
  switch (error.kind) {
    case DialError::Kind::no_socket:
      report_ = deferred(text_no_resources);
      return false;
    case DialError::Kind::no_source:
      report_ = unusable_source(source_file(server.address.family()), error.reason);
      return false;
    case DialError::Kind::timed_out:
      table_.note_timeout(server.address, ::time(nullptr));
      return true;
    case DialError::Kind::failed:
      if (entry_.known) table_.clear(server.address);
      return true;
  }
  return true;
}

void ServerWalk::ended(Ending ending) {
  over_ = ending.then != Then::try_next || ++conversations_ == most_conversations;
  report_ = std::move(ending.report);
}

MessageReport ServerWalk::report() && {
  return report_ ? *std::move(report_) : deferred(text_no_connection);
}

}  // namespace qmail::remote
