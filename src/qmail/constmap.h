// ConstMap: a look-up table made from the entries of a control file, without regard to letter case.
//
// It refers to the entries' bytes and does not copy them: it lives no longer than the list it was
// made from. qmail calls the same thing constmap.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qmail {

class ConstMap {
 public:
  ConstMap() = default;
  // Each entry is a key with an empty value.
  static ConstMap of_keys(const std::vector<std::string>& entries);
  // Each entry is KEY:VALUE, split at the first colon; entries without one are left out. Of entries
  // with equal keys the last one counts.
  static ConstMap of_pairs(const std::vector<std::string>& entries);

  bool contains(std::string_view key) const { return map_.find(key) != map_.end(); }
  // The value, or nothing when the key is not there.
  std::optional<std::string_view> find(std::string_view key) const;

 private:
  struct Hash {
    std::size_t operator()(std::string_view key) const;
  };
  struct Equal {
    bool operator()(std::string_view a, std::string_view b) const;
  };
  std::unordered_map<std::string_view, std::string_view, Hash, Equal> map_;
};

}  // namespace qmail
