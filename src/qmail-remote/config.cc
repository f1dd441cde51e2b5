#include "qmail-remote/config.h"

namespace qmail::remote {

namespace {

// Takes a number of seconds; without a file, or without a number in it, `seconds` stays.
std::optional<ControlError> take_seconds(const ControlResult<std::uint32_t>& number,
                                         std::chrono::seconds& seconds) {
  if (!number) return number.error();
  if (*number) seconds = std::chrono::seconds(**number);
  return std::nullopt;
}

}  // namespace

Result<RemoteConfig, ControlError> read_config(const ControlDir& control) {
  RemoteConfig config;
  const auto me = control.line("me");
  if (!me) return Failure(me.error());
  if (auto error = take_seconds(control.number("timeoutremote"), config.timeout_remote)) {
    return Failure(std::move(*error));
  }
  if (auto error = take_seconds(control.number("timeoutconnect"), config.timeout_connect)) {
    return Failure(std::move(*error));
  }
  auto helohost = control.line_or("helohost", *me);
  if (!helohost) return Failure(helohost.error());
  if (!*helohost) return Failure(ControlError{control.file("me"), "neither me nor helohost"});
  config.helohost = std::move(**helohost);
  auto routes = control.list("smtproutes");
  if (!routes) return Failure(routes.error());
  if (*routes) config.routes = SmtpRoutes(std::move(**routes));
  return config;
}

}  // namespace qmail::remote
