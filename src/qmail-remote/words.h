// A control file of words that switch something on: in lines, or with blanks between them, in
// either case. A word that is not known is a bad line: somebody meant something by it.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "qmail-remote/bad_line.h"
#include "qmail/control.h"

namespace qmail::remote {

struct KnownWord {
  std::string_view word;
  bool& said;
};

// Sets what is said in `list`, which is control/`file`, up to the first word that is not known.
std::optional<BadLine> read_words(const NumberedList& list, std::string_view file,
                                  std::span<const KnownWord> known);

}  // namespace qmail::remote
