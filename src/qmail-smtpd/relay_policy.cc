#include "qmail-smtpd/relay_policy.h"

#include <cerrno>
#include <system_error>

#include <cdb.h>

#include "qmail/ascii.h"
#include "qmail/regular_file.h"

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

RecipientHosts::RecipientHosts(std::vector<std::string> entries, UniqueFd more,
                               std::string more_name)
    : entries_(std::in_place, std::move(entries)),
      more_(std::move(more)),
      more_name_(std::move(more_name)) {}

Result<RecipientHosts, ControlError> RecipientHosts::read(const ControlDir& control) {
  auto entries = control.list("rcpthosts");
  if (!entries) return Failure(entries.error());
  if (!*entries) return RecipientHosts();
  std::string more_name = control.file("morercpthosts.cdb");
  auto more = RegularFile::open(more_name);
  if (!more && more.error().code != ENOENT) {
    return Failure(ControlError{std::move(more_name), std::move(more.error().reason)});
  }
  return RecipientHosts(std::move(**entries), more ? std::move(*more).release() : UniqueFd(),
                        std::move(more_name));
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
    auto found = more_contains(*suffix);
    if (!found || *found) return found;
  }
  return false;
}

Result<bool, ControlError> RecipientHosts::more_contains(std::string_view key) const {
  // cdb_seek() reads what it needs and maps nothing: a database of any size costs no memory, and a
  // file that is cut short meanwhile is an error, not a signal.
  unsigned data_length = 0;
  errno = 0;
  const int found =
      ::cdb_seek(more_.get(), key.data(), static_cast<unsigned>(key.size()), &data_length);
  if (found >= 0) return found > 0;
  const std::string reason = errno == 0 || errno == EPROTO || errno == EIO
                                 ? "damaged database"
                                 : std::generic_category().message(errno);
  return Failure(ControlError{more_name_, reason});
}

}  // namespace qmail::smtpd
