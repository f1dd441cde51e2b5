#include "qmail-remote/conversation.h"

#include <utility>

namespace qmail::remote {

Ending converse(UniqueFd socket, const Server& server, const Dialing& dialing, const Manner& manner,
                const Mail& mail, Reports& reports) {
  Ending ending = Delivery(socket.get(), server, manner, mail, reports).run();
  socket.reset();
  if (ending.then != Then::without_flights) return ending;
  const auto again = dial(server.address, server.port, dialing);
  if (!again) return {std::move(ending.report)};
  reports.forget();
  return Delivery(again->get(), server, manner, mail, reports, Flights::never).run();
}

}  // namespace qmail::remote
