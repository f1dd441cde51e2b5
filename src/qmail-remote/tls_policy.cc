#include "qmail-remote/tls_policy.h"

#include <optional>

#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

// FOLDER (with its slash), NAME and suffix, NAME as it is spelled, else in lower case, if there is
// such a file. A name with a slash comes from a forged DNS answer and must not lead to files
// elsewhere.
std::optional<std::string> listed(const ControlDir& control, std::string_view folder,
                                  std::string_view name, std::string_view suffix) {
  if (name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  std::string path(folder);
  path.append(name).append(suffix);
  if (control.exists(path)) return path;
  std::string lower(folder);
  lower.append(to_lower(name)).append(suffix);
  if (lower != path && control.exists(lower)) return lower;
  return std::nullopt;
}

}  // namespace

TlsPolicy tls_policy(const ControlDir& control, std::string_view name, const IpAddress& address) {
  if (const auto pem = listed(control, "tlshosts/", name, ".pem")) {
    return {TlsPolicy::Level::required, control.file(*pem)};
  }
  const std::string listed_as = name.empty() ? address.text() : std::string(name);
  if (control.exists("tlshosts/exhaustivelist") || listed(control, "notlshosts/", listed_as, "")) {
    return {TlsPolicy::Level::never};
  }
  return {TlsPolicy::Level::opportunistic};
}

}  // namespace qmail::remote
