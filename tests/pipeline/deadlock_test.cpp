#include <moeplan/pipeline/deadlock.hpp>

#include <cstdint>
#include <initializer_list>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr operation forward(std::int64_t m) { return {pass::forward, 0, m}; }
constexpr operation backward(std::int64_t m) { return {pass::backward, 0, m}; }

struct step {
  std::int64_t rank;
  moeplan::operation operation;
  precedence to_next;
  friend constexpr bool operator==(const step&, const step&) = default;
};

using operations = array_view<const operation>;

/// Whether these orders deadlock in this circle.
constexpr bool deadlocks_in(std::int64_t micro_batches, std::initializer_list<operations> orders,
                            std::initializer_list<step> circle) {
  const pipeline_shape shape{.ranks = static_cast<std::int64_t>(orders.size()), .micro_batches = micro_batches};
  replayed_rank<listed_operations> ranks[3]{};
  std::int64_t slots[32]{};
  for (std::size_t i = 0; i < orders.size(); ++i) ranks[i].order = listed_operations{orders.begin()[i]};
  const replay_storage<listed_operations> storage{ranks, slots};
  const replay_result result = replay(shape, equal_times{}, storage);
  if (result.status != replay_status::deadlock) return false;
  std::size_t met = 0;
  bool same = true;
  const auto compare = [&](std::int64_t rank, const operation& o, precedence to_next) {
    same = same && circle.begin()[met++ % circle.size()] == step{rank, o, to_next};
  };
  visit_deadlock(result, ranks, compare);
  const bool once = met == circle.size();
  visit_deadlock(result, storage, compare);
  return same && once && met == 2 * circle.size();
}

BOTH_TIMES("a rank that does the backward pass first", [] {
  const operation order[] = {backward(0), forward(0)};
  EXPECT(deadlocks_in(1, {order}, {{0, backward(0), precedence::order}, {0, forward(0), precedence::data}}));
});

BOTH_TIMES("a pair with its own forward pass", [] {
  const operation pair{pass::forward_and_backward, 0, 0, 0, 0};
  const operation order[] = {pair};
  EXPECT(deadlocks_in(1, {order}, {{0, pair, precedence::data}}));
});

// Rank 1 wants the second micro-batch, which rank 0 starts after the first is back.
BOTH_TIMES("two ranks", [] {
  const operation first[] = {forward(0), backward(0), forward(1), backward(1)};
  const operation last[] = {forward(0), forward(1), backward(0), backward(1)};
  EXPECT(deadlocks_in(2, {first, last},
                      {{0, backward(0), precedence::order},
                       {0, forward(1), precedence::data},
                       {1, forward(1), precedence::order},
                       {1, backward(0), precedence::data}}));
});

// Rank 2 waits for the circle and is no part of it.
BOTH_TIMES("a rank outside the circle", [] {
  const operation first[] = {forward(0), backward(0), forward(1), backward(1)};
  const operation middle[] = {forward(0), forward(1), backward(0), backward(1)};
  const operation last[] = {forward(0), backward(0), forward(1), backward(1)};
  EXPECT(deadlocks_in(2, {first, middle, last},
                      {{0, backward(0), precedence::order},
                       {0, forward(1), precedence::data},
                       {1, forward(1), precedence::order},
                       {1, backward(0), precedence::data}}));
});

} // namespace
