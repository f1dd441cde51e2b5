#include "qmail-remote/tls_policy.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

// As it is given, else in lower case, else both without the final dot that a sender or smtproutes
// may put there.
std::vector<std::string> spellings(std::string_view name) {
  std::vector<std::string> all{std::string(name), to_lower(name)};
  if (name.size() > 1 && name.ends_with('.')) {
    name.remove_suffix(1);
    all.insert(all.end(), {std::string(name), to_lower(name)});
  }
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// FOLDER (with its slash), NAME and suffix, if there is such a file. A name with a slash comes from
// a forged DNS answer and must not lead to files elsewhere.
Result<std::optional<std::string>, ControlError> listed(const ControlDir& control,
                                                        std::string_view folder,
                                                        std::string_view name,
                                                        std::string_view suffix) {
  if (name.empty() || name.find('/') != std::string_view::npos) return std::optional<std::string>();
  for (const std::string& spelling : spellings(name)) {
    std::string path(folder);
    path.append(spelling).append(suffix);
    const auto there = control.has(path);
    if (!there) return Failure(there.error());
    if (*there) return std::optional(std::move(path));
  }
  return std::optional<std::string>();
}

}  // namespace

Result<TlsPolicy, ControlError> tls_policy(const ControlDir& control, std::string_view name,
                                           const IpAddress& address) {
  const auto pem = listed(control, "tlshosts/", name, ".pem");
  if (!pem) return Failure(pem.error());
  if (*pem) {
    const std::string file = control.file(**pem);
    TlsPolicy policy;
    policy.level = TlsPolicy::Level::verify;
    policy.why = printable(file) + " exists";
    policy.when_unmet = Then::give_up;
    policy.server_name = without_final_dot(name);
    policy.verification = tls::Anchors{file, {policy.server_name}};
    policy.authorities = file;
    return policy;
  }

  TlsPolicy forbidden;
  forbidden.level = TlsPolicy::Level::never;
  forbidden.forbidden = true;
  const auto exhaustive = control.has("tlshosts/exhaustivelist");
  if (!exhaustive) return Failure(exhaustive.error());
  if (*exhaustive) return forbidden;

  const auto excluded =
      listed(control, "notlshosts/", name.empty() ? address.text() : std::string(name), "");
  if (!excluded) return Failure(excluded.error());
  if (*excluded) return forbidden;
  TlsPolicy usual;
  usual.server_name = without_final_dot(name);
  return usual;
}

void TlsPolicy::demand(const std::string& because) {
  if (demands_tls()) return;
  level = Level::encrypt;
  why = because;
  falls_back = false;
}

std::string without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return std::string(name);
}

}  // namespace qmail::remote
