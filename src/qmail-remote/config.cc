#include "qmail-remote/config.h"

#include "qmail-remote/words.h"
#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

Failure<ConfigError> failure(ControlError error) { return Failure(ConfigError(std::move(error))); }

// Takes a number of seconds; without a file, or without a number in it, `seconds` stays.
std::optional<ControlError> take_seconds(const ControlResult<std::uint32_t>& number,
                                         std::chrono::seconds& seconds) {
  if (!number) return number.error();
  if (*number) seconds = std::chrono::seconds(**number);
  return std::nullopt;
}

std::optional<AddressPreference> address_preference(std::string_view word) {
  constexpr std::pair<std::string_view, AddressPreference> known[] = {
      {"", AddressPreference::v4_first},        {"ipv4", AddressPreference::v4_first},
      {"ipv6", AddressPreference::v6_first},    {"any", AddressPreference::any_first},
      {"ipv4only", AddressPreference::v4_only}, {"ipv6only", AddressPreference::v6_only},
  };
  for (const auto& [name, preference] : known) {
    if (equal_ignoring_case(word, name)) return preference;
  }
  return std::nullopt;
}

std::optional<ConfigError> take_source(const ControlDir& control, IpAddress::Family family,
                                       std::optional<IpAddress>& source) {
  const std::string_view file = source_file(family);
  const auto text = control.line(file);
  if (!text) return text.error();
  if (!*text) return std::nullopt;
  const auto known = parse_source(**text, family);
  if (!known) return BadSource{file};
  source = *known;
  return std::nullopt;
}

std::optional<ConfigError> take_helohosts(const ControlDir& control, HeloHosts& helohosts) {
  const auto lines = control.numbered_list("helohostbyip");
  if (!lines) return lines.error();
  if (!*lines) return std::nullopt;
  auto known = HeloHosts::read(**lines);
  if (!known) return known.error();
  helohosts = std::move(*known);
  return std::nullopt;
}

std::optional<ConfigError> take_words(const ControlDir& control, std::string_view file,
                                      std::initializer_list<KnownWord> known) {
  const auto lines = control.numbered_list(file);
  if (!lines) return lines.error();
  if (!*lines) return std::nullopt;
  auto bad = read_words(**lines, file, known);
  if (bad) return std::move(*bad);
  return std::nullopt;
}

std::optional<ConfigError> take_policies(const ControlDir& control, PolicyFile& policies) {
  const auto lines = control.numbered_list("tlspolicy");
  if (!lines) return lines.error();
  if (!*lines) return std::nullopt;
  auto known = PolicyFile::read(**lines);
  if (!known) return known.error();
  policies = std::move(*known);
  return std::nullopt;
}

std::optional<ConfigError> take_policy_map(const ControlDir& control,
                                           std::optional<SocketMap>& map) {
  const auto text = control.line("tlspolicymap");
  if (!text) return text.error();
  if (!*text || (*text)->empty()) return std::nullopt;
  map = parse_socket_map(**text);
  if (!map) return BadLine{"tlspolicymap", 1, "bad value"};
  return std::nullopt;
}

}  // namespace

Result<RemoteConfig, ConfigError> read_config(const ControlDir& control) {
  RemoteConfig config;
  const auto me = control.line("me");
  if (!me) return failure(me.error());
  if (auto error = take_seconds(control.number("timeoutremote"), config.timeout_remote)) {
    return failure(std::move(*error));
  }
  if (auto error = take_seconds(control.number("timeoutconnect"), config.timeout_connect)) {
    return failure(std::move(*error));
  }
  auto helohost = control.line_or("helohost", *me);
  if (!helohost) return failure(helohost.error());
  if (!*helohost) return failure({control.file("me"), "neither me nor helohost"});
  config.helohost = std::move(**helohost);
  auto routes = control.numbered_list("smtproutes");
  if (!routes) return failure(routes.error());
  if (*routes) config.routes = SmtpRoutes(std::move(**routes));
  auto senders = control.numbered_list("authsenders");
  if (!senders) return failure(senders.error());
  if (*senders) config.senders = AuthSenders(std::move(**senders));
  if (auto bad = config.senders.line_without_colon()) return Failure(ConfigError(std::move(*bad)));
  const auto preference = control.line("addresspreference");
  if (!preference) return failure(preference.error());
  if (*preference) {
    const auto known = address_preference(**preference);
    if (!known) {
      return Failure(ConfigError(BadLine{"addresspreference", 1, "unknown word " + **preference}));
    }
    config.address_preference = *known;
  }
  using Family = IpAddress::Family;
  if (auto error = take_source(control, Family::v4, config.sources.v4)) return Failure(*error);
  if (auto error = take_source(control, Family::v6, config.sources.v6)) return Failure(*error);
  if (auto error = take_helohosts(control, config.helohosts)) return Failure(*error);
  WantedParameters& parameters = config.parameters;
  if (auto error = take_words(control, "mailparams",
                              {{"size", parameters.size},
                               {"8bitmime", parameters.eight_bit},
                               {"smtputf8", parameters.smtputf8}})) {
    return Failure(*error);
  }
  Pipelining& pipelining = config.pipelining;
  if (auto error = take_words(control, "pipelining",
                              {{"data", pipelining.data}, {"quit", pipelining.quit}})) {
    return Failure(*error);
  }
  const auto words = control.line("tlsreport");
  if (!words) return failure(words.error());
  config.tls_words = *words && !(*words)->empty() && **words != "0";
  if (auto error = take_policies(control, config.policies)) return Failure(*error);
  if (auto error = take_policy_map(control, config.policy_map)) return Failure(*error);
  return config;
}

}  // namespace qmail::remote
