// Orders as text, for tests that run in constant evaluation too.
#pragma once

#include <moeplan/pipeline/operation.hpp>

#include <cstdint>
#include <string_view>

namespace moeplan_test {

/// "F0.3" a forward pass of micro-batch 3 through chunk 0, "B" a backward pass, "I" one for the input, "W" one for the weights, and
/// "F0.3B1.2" a forward and a backward pass at once.
class order_text {
public:
  constexpr explicit order_text(std::string_view text) : rest_{text} {}

  constexpr bool next(moeplan::operation& out) {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
    if (rest_.empty()) return false;
    using moeplan::pass;
    const char kind = taken();
    out = {.kind = kind == 'F'   ? pass::forward
                   : kind == 'B' ? pass::backward
                   : kind == 'I' ? pass::input_gradient
                                 : pass::weight_gradient};
    out.chunk = number();
    taken();
    out.micro_batch = number();
    if (rest_.empty() || rest_[0] != 'B') return true;
    taken();
    out.kind = pass::forward_and_backward;
    out.backward_chunk = number();
    taken();
    out.backward_micro_batch = number();
    return true;
  }

private:
  constexpr char taken() {
    const char first = rest_[0];
    rest_.remove_prefix(1);
    return first;
  }

  constexpr std::int64_t number() {
    std::int64_t value = 0;
    while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') value = 10 * value + (taken() - '0');
    return value;
  }

  std::string_view rest_;
};

/// Whether a cursor gives these operations and no others.
template <class Cursor>
constexpr bool gives(Cursor cursor, std::string_view text) {
  order_text expected{text};
  moeplan::operation wanted;
  moeplan::operation given;
  while (expected.next(wanted))
    if (!cursor.next(given) || !(given == wanted)) return false;
  const moeplan::operation before = given;
  return !cursor.next(given) && given == before;
}

} // namespace moeplan_test
