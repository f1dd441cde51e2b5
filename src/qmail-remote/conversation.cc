#include "qmail-remote/conversation.h"

#include <utility>

namespace qmail::remote {

Ending converse(UniqueFd socket, const Server& server, TlsPolicy policy, const Dialing& dialing,
                const Manner& manner, const Mail& mail, Reports& reports) {
  Flights flights = Flights::as_offered;
  // Twice at most, since what spoilt an attempt is not done in the next.
  for (;;) {
    Ending ending = Delivery(socket.get(), server, policy, manner, mail, reports, flights).run();
    socket.reset();
    Then if_unreachable = Then::give_up;
    if (ending.then == Then::in_the_clear) {
      policy.level = TlsPolicy::Level::never;
      policy.falls_back = false;
      policy.has_fallen_back = true;
      if_unreachable = Then::try_next;
    } else if (ending.then == Then::without_flights) {
      flights = Flights::never;
    } else {
      return ending;
    }
    auto again = dial(server.address, server.port, dialing);
    if (!again) return {std::move(ending.report), if_unreachable};
    socket = *std::move(again);
    reports.forget();
  }
}

}  // namespace qmail::remote
