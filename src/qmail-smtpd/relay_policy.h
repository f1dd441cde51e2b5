// Who may send what where, as far as lists decide it: badmailfrom, rcpthosts, morercpthosts.cdb.
//
// The lists are read at the start; a list that cannot be read is an error, never an empty list. The
// rights of the client itself (RELAYCLIENT, a certificate) are the session's business.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-smtpd/cdb_file.h"
#include "qmail/constmap.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::smtpd {

// The entries of a list file, for look-ups without regard to letter case.
class EntrySet {
 public:
  EntrySet() = default;
  explicit EntrySet(std::vector<std::string> entries);
  EntrySet(EntrySet&&) = default;  // the strings stay where they are
  EntrySet& operator=(EntrySet&&) = default;
  EntrySet(const EntrySet&) = delete;
  EntrySet& operator=(const EntrySet&) = delete;
  ~EntrySet() = default;

  bool contains(std::string_view entry) const { return map_.contains(entry); }

 private:
  std::vector<std::string> entries_;
  ConstMap map_;  // refers to entries_
};

// control/badmailfrom.
class BadSenders {
 public:
  BadSenders() = default;  // nobody
  explicit BadSenders(std::vector<std::string> entries) : entries_(std::move(entries)) {}
  static Result<BadSenders, ControlError> read(const ControlDir& control);

  // Is the whole address listed, or "@host" with what follows its last '@'?
  bool bars(std::string_view sender) const;

 private:
  EntrySet entries_;
};

// control/rcpthosts and control/morercpthosts.cdb.
class RecipientHosts {
 public:
  RecipientHosts() = default;  // no list: every host
  explicit RecipientHosts(std::vector<std::string> entries,
                          std::optional<CdbFile> more = std::nullopt);
  static Result<RecipientHosts, ControlError> read(const ControlDir& control);

  // Is the host behind the last '@' accepted, itself or through a listed ".suffix"? An address
  // without '@' is; an empty host is not. The error is the cdb's, read only when it is needed.
  Result<bool, ControlError> accept(std::string_view address) const;

 private:
  std::optional<EntrySet> entries_;
  std::optional<CdbFile> more_;
};

}  // namespace qmail::smtpd
