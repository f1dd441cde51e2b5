// Room for bytes that are written before they are read: it is not set to zero first.
// (std::make_unique_for_overwrite, which libc++ has from version 16 on.)
#pragma once

#include <cstddef>
#include <memory>

namespace qmail {

template <typename Byte>
std::unique_ptr<Byte[]> make_buffer(std::size_t size) {
  return std::unique_ptr<Byte[]>(new Byte[size]);
}

}  // namespace qmail
