// What other qmails' control files and variables do, where they have been read: for saying what is
// lost when such a program is replaced. Who is meant by a letter stands in `families`.
#pragma once

#include <span>
#include <string_view>

#include "qmail-tlscheck/findings.h"

namespace qmail::tlscheck {

struct RetiredName {
  std::string_view name;
  std::string_view effect;
  Level level;                // fail: without it something stands open, or is lost
  std::string_view families;  // those who have it; one letter: a mark of that one
};

struct Family {
  char letter;
  std::string_view name;
};

std::span<const Family> families();
std::span<const RetiredName> retired_files();
std::span<const RetiredName> retired_variables();

}  // namespace qmail::tlscheck
