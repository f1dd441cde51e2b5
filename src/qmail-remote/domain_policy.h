// What is said of TLS about everything that goes to one destination: by control/tlspolicy
// (policy_file.h) and, where no line but its default is for it, by the policy server that
// control/tlspolicymap names (socketmap.h), whose answer then takes the default's place. To a
// default of dane it is second, and dane-only has no second.
//
// The server is asked for domains only: neither for a relay nor for an address, of which MTA-STS
// (RFC 8461) says nothing. A policy that cannot be seen is not "no policy": the mail must wait.
#pragma once

#include <string_view>

#include "qmail-remote/config.h"
#include "qmail-remote/report.h"
#include "qmail-remote/server_policy.h"
#include "qmail/result.h"

namespace qmail::remote {

// The error: the report with which everything ends.
using PolicyOrReport = Result<DomainPolicy, MessageReport>;

// `relay`: of a route.
PolicyOrReport policy_for_relay(std::string_view relay, const RemoteConfig& config);
// `host`: as it was given.
PolicyOrReport policy_for_domain(std::string_view host, const RemoteConfig& config);
// Does that ask the policy server?
bool asks_policy_server(std::string_view host, const RemoteConfig& config);

}  // namespace qmail::remote
