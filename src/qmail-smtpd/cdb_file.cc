#include "qmail-smtpd/cdb_file.h"

#include <cerrno>
#include <system_error>
#include <unistd.h>

#include <cdb.h>

#include "qmail/regular_file.h"

namespace qmail::smtpd {

Result<std::optional<CdbFile>, ControlError> CdbFile::open(std::string name) {
  auto file = RegularFile::open(name);
  if (file) return std::optional(CdbFile(std::move(*file).release(), std::move(name)));
  if (file.error().code == ENOENT) return std::optional<CdbFile>();
  return Failure(ControlError{std::move(name), file.error().reason()});
}

Failure<ControlError> CdbFile::trouble(int error) const {
  const bool damaged = error == 0 || error == EPROTO || error == EIO;
  return Failure(
      ControlError{name_, damaged ? "damaged database" : std::generic_category().message(error)});
}

Result<std::optional<unsigned>, ControlError> CdbFile::seek(std::string_view key) const {
  unsigned length = 0;
  errno = 0;
  const int found = ::cdb_seek(file_.get(), key.data(), static_cast<unsigned>(key.size()), &length);
  if (found < 0) return trouble(errno);
  return found > 0 ? std::optional(length) : std::nullopt;
}

Result<bool, ControlError> CdbFile::contains(std::string_view key) const {
  const auto length = seek(key);
  if (!length) return Failure(length.error());
  return length->has_value();
}

Result<std::optional<std::string>, ControlError> CdbFile::find(std::string_view key) const {
  const auto length = seek(key);
  if (!length) return Failure(length.error());
  if (!*length) return std::optional<std::string>();
  if (**length > longest_data) return trouble(0);
  std::string data(**length, '\0');
  for (std::size_t have = 0; have < data.size();) {
    const ssize_t got = ::read(file_.get(), data.data() + have, data.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return trouble(got < 0 ? errno : 0);
    have += static_cast<std::size_t>(got);
  }
  return std::optional(std::move(data));
}

}  // namespace qmail::smtpd
