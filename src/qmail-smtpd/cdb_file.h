// CdbFile: an open constant database (cdb(5)) that an administrator made: morercpthosts.cdb, the
// rules of tcprules(1).
//
// It is read where it lies: nothing is mapped, so a database of any size costs no memory, and a
// file that is cut short meanwhile is an error, not a signal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "qmail/control.h"
#include "qmail/result.h"
#include "qmail/unique_fd.h"

namespace qmail::smtpd {

class CdbFile {
 public:
  // `name`: for errors.
  CdbFile(UniqueFd file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}
  // Nothing: there is no such file.
  static Result<std::optional<CdbFile>, ControlError> open(std::string name);

  const std::string& name() const { return name_; }
  Result<bool, ControlError> contains(std::string_view key) const;
  // The data of the key's first record; nothing: there is no such key. Data of more than
  // `longest_data` bytes are an error, as a damaged file would have them.
  static constexpr unsigned longest_data = 65536;
  Result<std::optional<std::string>, ControlError> find(std::string_view key) const;

 private:
  // How long its data are, which begin where the file's offset is then; nothing: no such key.
  Result<std::optional<unsigned>, ControlError> seek(std::string_view key) const;
  Failure<ControlError> trouble(int error) const;

  UniqueFd file_;
  std::string name_;
};

}  // namespace qmail::smtpd
