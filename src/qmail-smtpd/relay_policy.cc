#include "qmail-smtpd/relay_policy.h"

#include "qmail/ascii.h"

namespace qmail::smtpd {

namespace {

// The suffixes of `host` that a list may name: the whole of it, and what begins with a dot.
// `next` is where to look on; returns nothing after the last.
std::optional<std::string_view> next_suffix(std::string_view host, std::size_t& next) {
  if (next >= host.size()) return std::nullopt;
  const std::string_view suffix = host.substr(next);
  const std::size_t dot = host.find('.', next + 1);
  next = dot == std::string_view::npos ? host.size() : dot;
  return suffix;
}

}  // namespace

EntrySet::EntrySet(std::vector<std::string> entries)
    : entries_(std::move(entries)), map_(ConstMap::of_keys(entries_)) {}

Result<BadSenders, ControlError> BadSenders::read(const ControlDir& control) {
  auto entries = control.list("badmailfrom");
  if (!entries) return Failure(entries.error());
  if (!*entries) return BadSenders();
  return BadSenders(std::move(**entries));
}

bool BadSenders::bars(std::string_view sender) const {
  if (entries_.contains(sender)) return true;
  const std::size_t at = sender.rfind('@');
  return at != std::string_view::npos && entries_.contains(sender.substr(at));
}

RecipientHosts::RecipientHosts(std::vector<std::string> entries, std::optional<CdbFile> more)
    : entries_(std::in_place, std::move(entries)), more_(std::move(more)) {}

Result<RecipientHosts, ControlError> RecipientHosts::read(const ControlDir& control) {
  auto entries = control.list("rcpthosts");
  if (!entries) return Failure(entries.error());
  if (!*entries) return RecipientHosts();
  auto more = CdbFile::open(control.file("morercpthosts.cdb"));
  if (!more) return Failure(more.error());
  return RecipientHosts(std::move(**entries), *std::move(more));
}

Result<bool, ControlError> RecipientHosts::accept(std::string_view address) const {
  if (!entries_) return true;
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos) return true;
  const std::string host = to_lower(address.substr(at + 1));
  std::size_t next = 0;
  while (const auto suffix = next_suffix(host, next)) {
    if (entries_->contains(*suffix)) return true;
  }
  if (!more_) return false;
  next = 0;
  while (const auto suffix = next_suffix(host, next)) {
    auto found = more_->contains(*suffix);
    if (!found || *found) return found;
  }
  return false;
}

}  // namespace qmail::smtpd
