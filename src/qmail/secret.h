// Secret: bytes that nobody should find later. They are wiped when the owner goes; moving it leaves
// no copy behind.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace qmail {

// Overwrites what the string holds, and empties it.
void wipe(std::string& text);

// The same for what is no string.
void wipe(std::span<char> bytes);

// Overwrites the stack below the caller's frame: what functions that have returned left there, and
// what the dynamic linker saved of the vector registers, in which memcpy(3) carries bytes, when it
// bound a function at its first call (libc's own calls are bound like that, whatever we ask for).
void wipe_dead_stack();

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view bytes);
  // The same, and `bytes` is wiped.
  static Secret taken_from(std::string& bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  std::string_view view() const { return {bytes_.get(), size_}; }
  bool empty() const { return size_ == 0; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

}  // namespace qmail
