#include "qmail/secret.h"

#include <algorithm>
#include <array>
#include <string.h>  // explicit_bzero
#include <utility>

#include "qmail/buffer.h"

namespace qmail {

void wipe(std::string& text) {
  text.resize(text.capacity());  // what it held before it was shortened, too; needs no memory
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

void wipe(std::span<char> bytes) { ::explicit_bzero(bytes.data(), bytes.size()); }

[[gnu::noinline]] void wipe_dead_stack() {
  // Deeper than anything that handles a secret goes.
  std::array<char, 65536> stack;
  ::explicit_bzero(stack.data(), stack.size());
}

Secret::Secret(std::string_view bytes)
    : bytes_(make_buffer<char>(bytes.size())), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), bytes_.get());
}

Secret Secret::taken_from(std::string& bytes) {
  Secret secret{std::string_view(bytes)};
  wipe(bytes);
  return secret;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

Secret::~Secret() {
  if (bytes_) ::explicit_bzero(bytes_.get(), size_);
}

}  // namespace qmail
