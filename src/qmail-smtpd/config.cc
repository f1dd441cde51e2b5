#include "qmail-smtpd/config.h"

#include <algorithm>
#include <limits>

#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

// Any bit pattern is a signed number of seconds; at least one, or no session could ever work.
std::chrono::seconds timeout_of(std::uint32_t number) {
  return std::chrono::seconds(std::max(static_cast<std::int32_t>(number), 1));
}

// One below the largest number: a counter that stops above the limit must not wrap around.
std::uint32_t limit_of(std::uint32_t number) {
  return std::min(number, std::numeric_limits<std::uint32_t>::max() - 1);
}

}  // namespace

Result<std::chrono::seconds, ControlError> SmtpdConfig::read_timeout(const ControlDir& control) {
  const auto number = control.number("timeoutsmtpd");
  if (!number) return Failure(number.error());
  return *number ? timeout_of(**number) : default_timeout;
}

Result<SmtpdConfig, ControlError> SmtpdConfig::read(const ControlDir& control,
                                                    const Switches& switches) {
  auto me = control.line("me");
  if (!me) return Failure(me.error());
  auto greeting = control.line_or("smtpgreeting", *me);
  if (!greeting) return Failure(greeting.error());
  if (!*greeting) return Failure(ControlError{control.file("me"), "there is no such file"});
  auto localhost = control.line_or("localiphost", *me);
  if (!localhost) return Failure(localhost.error());
  const auto timeout = read_timeout(control);
  if (!timeout) return Failure(timeout.error());
  auto recipient_hosts = RecipientHosts::read(control);
  if (!recipient_hosts) return Failure(recipient_hosts.error());
  auto bad_senders = BadSenders::read(control);
  if (!bad_senders) return Failure(bad_senders.error());
  const auto databytes = control.number("databytes");
  if (!databytes) return Failure(databytes.error());
  auto plugins = read_plugins(control, switches);
  if (!plugins) return Failure(plugins.error());

  SmtpdConfig config;
  config.greeting = std::move(**greeting);
  config.localhost = std::move(*localhost);
  config.timeout = *timeout;
  config.databytes = limit_of(databytes->value_or(0));
  if (switches.databytes) {
    config.databytes = limit_of(leading_number(*switches.databytes).value_or(0));
  }
  config.bad_senders = *std::move(bad_senders);
  config.recipient_hosts = *std::move(recipient_hosts);
  config.plugins = *std::move(plugins);
  return config;
}

// Whoever asks for plug-ins has some: without them every check that is left to them would be gone.
Result<PluginList, ControlError> read_plugins(const ControlDir& control, const Switches& switches) {
  if (!switches.asks_plugins) return PluginList();
  const std::string& other = switches.plugin_list;
  const std::string file = other.empty() ? control.file("smtpplugins") : other;
  const auto text = read_file(file);
  if (!text) return Failure(text.error());
  if (!*text) return Failure(ControlError{file, "there is no such file (ENABLE_SPP)"});
  return PluginList(parse_list(**text));
}

}  // namespace qmail::smtpd
