// PolicyFile: control/tlspolicy, lines DOMAIN:POLICY (policy_words.h).
//
// DOMAIN is what mail goes to, ".NAME" for everything below it, or empty for everything; an address
// in brackets may have colons within. The most exact line counts, of equal ones the last. One that
// cannot be used stops the mail it is for; one without a colon, of which nobody can tell whom it is
// for, stops all mail.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qmail-remote/bad_line.h"
#include "qmail-remote/policy_words.h"
#include "qmail/control.h"
#include "qmail/result.h"

namespace qmail::remote {

class PolicyFile {
 public:
  struct Line {
    std::string domain;
    std::string policy;
    std::size_t number;
    bool ended_by_nul;
  };
  struct Found {
    PolicyWords policy;
    bool is_default;  // the line of the empty DOMAIN
  };

  PolicyFile() = default;
  static Result<PolicyFile, BadLine> read(const NumberedList& lines);

  // `destination`: without a final dot, in lower case (smtp_routes.h).
  Result<std::optional<Found>, BadLine> find(std::string_view destination) const;
  // The line that find() goes by; null: there is none.
  const Line* line_for(std::string_view destination) const;
  const std::vector<Line>& lines() const { return lines_; }

  static Result<PolicyWords, BadLine> policy_of(const Line& line);

 private:
  std::vector<Line> lines_;
};

// An address, in brackets or not, and no name.
bool is_address(std::string_view destination);

}  // namespace qmail::remote
