// Control files of lines that look right and are not: a byte order mark or an invisible blank, from
// an editor or a web page, is a part of the name or the number for qmail.
#include <array>

#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/known_names.h"

namespace qmail::tlscheck {

namespace {

struct Invisible {
  std::string_view bytes;
  std::string_view name;
};
constexpr std::array invisible{
    Invisible{"\xef\xbb\xbf", "a byte order mark"},
    Invisible{"\xc2\xa0", "a no-break space"},
    Invisible{"\xe2\x80\x8b", "a zero width space"},
    Invisible{"\xe2\x80\x8e", "a left-to-right mark"},
};

void check_lines(const Site& site, std::string_view name, Findings& found) {
  const auto lines = site.control.numbered_list(name);
  if (!lines || !*lines) return;  // whose matter this is, says so
  for (std::size_t i = 0; i < (*lines)->entries.size(); ++i) {
    for (const Invisible& sign : invisible) {
      if ((*lines)->entries[i].find(sign.bytes) == std::string::npos) continue;
      found.fail(site.control.file(name),
                 "line " + std::to_string((*lines)->lines[i]) + " has " + std::string(sign.name) +
                     " in it, so it is not what it looks like: write it anew");
    }
  }
}

}  // namespace

void check_lists(const Site& site, Findings& found) {
  for (const KnownFile& file : known_files) {
    if (file.form == KnownFile::Form::lines) check_lines(site, file.name, found);
  }
}

}  // namespace qmail::tlscheck
