// A conversation with one server: one attempt, and where PIPELINING or TLS has spoilt it, one more.
//
// Some firewalls and old servers let PIPELINING through in the reply to EHLO and then drop what
// came in the same packet behind a command: MAIL and RCPT in one flight are never answered to their
// end. Then the server is called once more and told one command at a time, and what it says then
// counts. Where a policy says that TLS may be used, a failed handshake is no reason not to deliver:
// the server is called once more, and TLS is not spoken of. All of it is one conversation to
// whoever walks over servers.
#pragma once

#include "qmail-remote/delivery.h"
#include "qmail-remote/dial.h"
#include "qmail/unique_fd.h"

namespace qmail::remote {

// `socket` is connected to `server`; a second connection is made as `dialing` says.
Ending converse(UniqueFd socket, const Server& server, TlsPolicy policy, const Dialing& dialing,
                const Manner& manner, const Mail& mail, Reports& reports);

}  // namespace qmail::remote
