// A program that is run to its end for what it says on one descriptor: a plug-in.
//
// It has /dev/null for 0 and 1, unless 1 is what it speaks on. What it says beyond `most` bytes is
// read and dropped, so that it does not wait for us. When it has ended nobody waits for those it
// left behind, though they may hold the descriptor.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "qmail/child_process.h"
#include "qmail/deadline.h"
#include "qmail/result.h"

namespace qmail {

struct ChildOutput {
  std::string text{};
  std::optional<int> status{};  // as waitpid(2) has it; nothing: time was up, and it was killed
};

// The error: an errno; the program could not be run.
Result<ChildOutput, int> run_for_output(ChildSetup setup, int descriptor, std::size_t most,
                                        Deadline deadline);

}  // namespace qmail
