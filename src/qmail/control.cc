#include "qmail/control.h"

#include <algorithm>
#include <cerrno>
#include <span>
#include <sys/stat.h>
#include <system_error>
#include <utility>

#include "qmail/ascii.h"
#include "qmail/regular_file.h"
#include "qmail/secret.h"
#include "qmail/text.h"

namespace qmail {

namespace {

ControlError unreadable(const std::string& path, int error) {
  return {path, std::generic_category().message(error)};
}

}  // namespace

namespace {

template <typename Take>
void for_each_entry(std::string_view text, Take take) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = without_trailing_space(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    while (!line.empty()) {
      const std::size_t nul = line.find('\0');
      if (nul != 0) take(number, line.substr(0, nul), nul != std::string_view::npos);
      line.remove_prefix(nul == std::string_view::npos ? line.size() : nul + 1);
    }
  }
}

// `more` bytes longer. What must move for it leaves no copy behind: there may be passwords in it.
void lengthen(std::string& text, std::size_t more) {
  if (text.capacity() - text.size() < more) {
    std::string longer;
    longer.reserve(text.size() + more);
    longer.append(text);
    wipe(text);
    text = std::move(longer);
  }
  text.resize(text.size() + more);
}

}  // namespace

ControlResult<std::string> read_file(const std::string& path) {
  auto file = RegularFile::open(path);
  if (!file) {
    if (file.error().code == ENOENT) return std::optional<std::string>();
    return Failure(ControlError{path, file.error().reason()});
  }
  constexpr std::size_t block = 1024;  // where the size says nothing, as in /proc
  std::string content(file->size() > 0 ? file->size() + 1 : block, '\0');
  std::size_t size = 0;  // of what has been read
  for (;;) {
    if (size == content.size()) lengthen(content, size);
    const auto got = file->read(std::span(content).subspan(size));
    if (!got) return Failure(ControlError{path, got.error().reason()});
    if (*got == 0) break;
    size += *got;
  }
  content.resize(size);
  return std::optional(std::move(content));
}

std::string ControlDir::file(std::string_view name) const {
  std::string path;
  path.reserve(path_.size() + 1 + name.size());
  return path.append(path_).append("/").append(name);
}

Result<bool, ControlError> ControlDir::has(std::string_view name) const {
  const std::string path = file(name);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  // The last one: a name longer than the file system allows.
  if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG) return false;
  return Failure(unreadable(path, errno));
}

ControlResult<std::string> ControlDir::line(std::string_view name) const {
  auto content = read_file(file(name));
  if (!content || !*content) return content;
  const std::string_view text(**content);
  return std::optional<std::string>(without_trailing_space(text.substr(0, text.find('\n'))));
}

ControlResult<std::string> ControlDir::line_or(std::string_view name,
                                               const std::optional<std::string>& me) const {
  auto found = line(name);
  if (found && !*found) return me;
  return found;
}

ControlResult<std::uint32_t> ControlDir::number(std::string_view name) const {
  const auto found = line(name);
  if (!found) return Failure(found.error());
  if (!*found) return std::optional<std::uint32_t>();
  return leading_number(**found);
}

ControlResult<std::vector<std::string>> ControlDir::list(std::string_view name) const {
  const auto content = read_file(file(name));
  if (!content) return Failure(content.error());
  if (!*content) return std::optional<std::vector<std::string>>();
  return std::optional(parse_list(**content));
}

ControlResult<NumberedList> ControlDir::numbered_list(std::string_view name) const {
  auto content = read_file(file(name));
  if (!content) return Failure(content.error());
  if (!*content) return std::optional<NumberedList>();
  auto numbered = parse_numbered_list(**content);
  wipe(**content);  // there may be passwords in it
  return std::optional(std::move(numbered));
}

ControlResult<std::string> ControlDir::colon_list(std::string_view name) const {
  const auto lines = list(name);
  if (!lines) return Failure(lines.error());
  if (!*lines) return std::optional<std::string>();
  return std::optional(joined(**lines, ":"));
}

std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> entries;
  for_each_entry(text,
                 [&](std::size_t, std::string_view entry, bool) { entries.emplace_back(entry); });
  return entries;
}

NumberedList parse_numbered_list(std::string_view text) {
  NumberedList list;
  // Growing, it would leave copies of short lines behind, and there may be passwords in them.
  std::size_t size = 0;
  for_each_entry(text, [&size](std::size_t, std::string_view, bool) { ++size; });
  list.entries.reserve(size);
  for_each_entry(text, [&](std::size_t line, std::string_view entry, bool nul) {
    list.entries.emplace_back(entry);
    list.lines.push_back(line);
    list.ended_by_nul.push_back(nul);
  });
  return list;
}

}  // namespace qmail
