// Result<T, E>: a value or the reason why there is none.
//
// The members are named as in C++23's std::expected, so that this file can go when the compilers of
// the supported systems have it. Asking a failed Result for its value, or a good one for its error,
// throws std::bad_variant_access: a mistake of ours, which ends in the temporary answer.
#pragma once

#include <utility>
#include <variant>

namespace qmail {

// Failure{error} converts to any Result with that error type, as std::unexpected does.
template <typename E>
struct Failure {
  explicit Failure(E e) : error(std::move(e)) {}
  E error;
};

template <typename T, typename E>
class [[nodiscard]] Result {
 public:
  // Not explicit, as in std::expected: `return value;` is the point.
  // cppcheck-suppress noExplicitConstructor
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // cppcheck-suppress noExplicitConstructor
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Failure<E> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  E& error() { return std::get<1>(state_); }
  const E& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

}  // namespace qmail
