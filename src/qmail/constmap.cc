#include "qmail/constmap.h"

#include "qmail/ascii.h"

namespace qmail {

std::size_t ConstMap::Hash::operator()(std::string_view key) const {
  std::size_t hash = 5381;
  for (const char c : key) hash = hash * 33 + static_cast<unsigned char>(to_lower(c));
  return hash;
}

bool ConstMap::Equal::operator()(std::string_view a, std::string_view b) const {
  return equal_ignoring_case(a, b);
}

ConstMap ConstMap::of_keys(const std::vector<std::string>& entries) {
  ConstMap map;
  map.map_.reserve(entries.size());
  for (const std::string& entry : entries) map.map_.emplace(entry, std::string_view());
  return map;
}

ConstMap ConstMap::of_pairs(const std::vector<std::string>& entries) {
  ConstMap map;
  for (const std::string_view entry : entries) {
    const std::size_t colon = entry.find(':');
    if (colon == std::string_view::npos) continue;
    map.map_.insert_or_assign(entry.substr(0, colon), entry.substr(colon + 1));
  }
  return map;
}

std::optional<std::string_view> ConstMap::find(std::string_view key) const {
  const auto found = map_.find(key);
  if (found == map_.end()) return std::nullopt;
  return found->second;
}

}  // namespace qmail
