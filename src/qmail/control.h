// ControlDir: qmail's control files, read as qmail-control(5) says.
//
// A missing file is not an error but an empty optional; whatever else keeps a file from being read
// (permissions, a directory or a FIFO in its place, an I/O error) is a ControlError that names it.
// Trailing SP, TAB, CR and LF of a line are stripped; leading blanks and all other bytes are data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qmail/result.h"

namespace qmail {

struct ControlError {
  std::string file;    // as it was opened: "control/me"
  std::string reason;  // the system's text, or one of ours
};

template <typename T>
using ControlResult = Result<std::optional<T>, ControlError>;

// The whole of a regular file, or nothing if there is none (ENOENT).
ControlResult<std::string> read_file(const std::string& path);

// The entries of a list file, and the line of the file (from 1) that each stands in.
struct NumberedList {
  std::vector<std::string> entries{};
  std::vector<std::size_t> lines{};
  std::vector<bool> ended_by_nul{};  // and not by the end of its line
};

class ControlDir {
 public:
  // `path`: where the files are, seen from the working directory.
  explicit ControlDir(std::string path = "control") : path_(std::move(path)) {}

  // "control/NAME".
  std::string file(std::string_view name) const;
  // Is there something of that name, whatever it is? A symbolic link that leads nowhere is.
  Result<bool, ControlError> has(std::string_view name) const;

  // The first line; an empty file is an empty line.
  ControlResult<std::string> line(std::string_view name) const;
  // The first line of NAME or, if there is no such file, `me` (the content of control/me, if any).
  ControlResult<std::string> line_or(std::string_view name,
                                     const std::optional<std::string>& me) const;
  // The number at the start of the first line, modulo 2^32. No digit there: as if the file were
  // missing.
  ControlResult<std::uint32_t> number(std::string_view name) const;
  // All lines that are neither empty nor begin with '#'. A NUL ends an entry as a line end does.
  ControlResult<std::vector<std::string>> list(std::string_view name) const;
  ControlResult<NumberedList> numbered_list(std::string_view name) const;
  // The same in one, with ':' between them: a list in OpenSSL's form may stand in several lines.
  ControlResult<std::string> colon_list(std::string_view name) const;

 private:
  std::string path_;
};

// The entries of a list file's text; see ControlDir::list.
std::vector<std::string> parse_list(std::string_view text);
NumberedList parse_numbered_list(std::string_view text);

}  // namespace qmail
