// The client behind a proxy (PROXYPROTOCOL): what the environment would say had it connected here
// itself.
//
// tcpserver told us of the proxy. That is replaced before anybody else looks at the environment, so
// that the log, the trace field and every program that is run know the client only. What tcprules
// gave to the proxy's address (RELAYCLIENT) is not the client's; what it gets by its own address
// stands in PROXYRULES, a database of the same kind.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "qmail-smtpd/end_session.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::smtpd {

// Takes one header from `input`, which is at its first byte, and none of what is behind it; within
// 5 seconds, or timeoutsmtpd if that is less. Returned: why there can be no session. Nothing is
// said to a client whose header is wrong: it is not to learn what we want.
std::optional<EndSession> take_client_of_proxy(int input, const ControlDir& control);

// What PROXYRULES=`file` has for a client: the data of the rule that counts for it ("": for whoever
// has none of its own); nothing: no rule. An error where there is no such file, too.
Result<std::optional<std::string>, ControlError> proxy_rule_for(const std::string& file,
                                                                std::string_view address);
// Does such a rule turn the client away?
bool denies(std::string_view rule);

}  // namespace qmail::smtpd
