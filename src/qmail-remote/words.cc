#include "qmail-remote/words.h"

#include <algorithm>
#include <string>

#include "qmail/ascii.h"

namespace qmail::remote {

std::optional<BadLine> read_words(const NumberedList& list, std::string_view file,
                                  std::span<const KnownWord> known) {
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    std::string_view rest = list.entries[i];
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      if (word.empty()) continue;
      const auto found = std::find_if(known.begin(), known.end(), [&](const KnownWord& one) {
        return equal_ignoring_case(word, one.word);
      });
      if (found == known.end()) {
        return BadLine{std::string(file), list.lines[i], "unknown word " + std::string(word)};
      }
      found->said = true;
    }
  }
  return std::nullopt;
}

}  // namespace qmail::remote
