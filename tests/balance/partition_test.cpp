#include <moeplan/balance/partition.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/mesh/stage_layers.hpp>

#include <initializer_list>
#include <ostream>

#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;
using moeplan_test::is_constant;

namespace {

/// Whether the best partition of the costs costs as much and has these bounds.
template <std::size_t N, std::size_t Bounds>
constexpr bool parts(const count (&costs)[N], count largest, const std::int64_t (&expected)[Bounds]) {
  std::int64_t bounds[Bounds]{};
  if (partition(costs, bounds) != largest) return false;
  for (std::size_t i = 0; i < Bounds; ++i)
    if (bounds[i] != expected[i]) return false;
  return true;
}

BOTH_TIMES("textbooks' examples", [] {
  // S. Skiena, The Algorithm Design Manual, section on the linear partition problem.
  EXPECT(parts({1, 2, 3, 4, 5, 6, 7, 8, 9}, 17, {0, 5, 7, 9}));
  EXPECT(parts({1, 1, 1, 1, 1, 1, 1, 1, 1}, 3, {0, 3, 6, 9}));
  EXPECT(parts({7, 2, 5, 10, 8}, 18, {0, 3, 5})); // 14 and 18
});

BOTH_TIMES("one part, and as many as items", [] {
  EXPECT(parts({3, 1, 2}, 6, {0, 3}));
  EXPECT(parts({3, 1, 2}, 3, {0, 1, 2, 3}));
  EXPECT(parts({5}, 5, {0, 1}));
});

TEST_CASE("more parts than items, or none, are no partition") {
  const count costs[] = {3, 1};
  std::int64_t bounds[4] = {-1, -1, -1, -1};
  CHECK(partition(costs, bounds).overflowed());
  CHECK(partition(costs, array_view<std::int64_t>{bounds, 1}).overflowed());
  CHECK(partition(costs, {}).overflowed());
  CHECK(partition({}, array_view<std::int64_t>{bounds, 2}).overflowed());
  for (const std::int64_t bound : bounds) CHECK(bound == -1);
  layout l = layout::balanced();
  CHECK(!lay_out(array_view<const std::int64_t>{bounds, 1}, {}, l));
  CHECK(l == layout::balanced());
}

BOTH_TIMES("no part is empty, and zeros are items too", [] {
  EXPECT(parts({0, 0, 0, 0}, 0, {0, 1, 2, 4})); // Every place is as near: each cut as early as it may be.
  EXPECT(parts({9, 0, 0}, 9, {0, 1, 2, 3}));
  EXPECT(parts({0, 0, 9}, 9, {0, 1, 2, 3}));
  EXPECT(parts({0, 9, 0, 0, 9, 0}, 9, {0, 2, 6}));
});

BOTH_TIMES("cuts lie where the total is shared evenly, the earlier of two", [] {
  // 10 of 4 at most: 10 / 3 are 3.3 and 6.7.
  EXPECT(parts({1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 4, {0, 3, 7, 10}));
  // 9 over 4: 2.25, 4.5 (as near to 4 as to 5), 6.75.
  EXPECT(parts({1, 1, 1, 1, 1, 1, 1, 1, 1}, 3, {0, 2, 4, 7, 9}));
  EXPECT(parts({1, 5, 1, 6}, 7, {0, 2, 4})); // 6.5 is as near to 6 as to 7.
  EXPECT(parts({1, 5, 0, 6}, 6, {0, 2, 4})); // before the 0 as well as behind it
});

BOTH_TIMES("Llama 3.1 405B with embedding and head as dear as a layer", [] {
  // One layer fewer on the first and on the last of 16 stages (arXiv 2407.21783, section 3.3.2).
  count costs[128]{};
  for (count& cost : costs) cost = 1;
  std::int64_t bounds[17]{};
  EXPECT(partition(costs, bounds) == 8);
  layout l;
  EXPECT(lay_out(bounds, {.embedding = true, .loss = true}, l));
  EXPECT(l == layout::stages({1, 7}, {14, 8}, {1, 7}));
});

BOTH_TIMES("what is no item of its own is on its neighbour's stage", [] {
  // The embedding costs 2 and the head 5, both as part of a layer of 1 each.
  EXPECT(parts({3, 1, 1, 1, 1, 1, 1, 6}, 6, {0, 3, 7, 8}));
  constexpr std::int64_t bounds[] = {0, 3, 7, 8};
  layout l;
  EXPECT(lay_out(bounds, {}, l));
  EXPECT(l == layout::stages({1, 3}, {1, 4}, {1, 1}));
  // As an item, the head may stay alone.
  EXPECT(parts({3, 1, 1, 1, 1, 1, 1, 1, 5}, 5, {0, 3, 8, 9}));
});

BOTH_TIMES("DeepSeek-V3 on 16 ranks of two virtual stages each", [] {
  // Embedding 1, three dense layers of 3, 58 of 4, multi-token prediction 5, loss 8. With 8 at most it would take 33 stages: E33, 34, 28 of
  // two layers, one of one, multi-token prediction, loss. With 9 multi-token prediction joins the single layer.
  count costs[64]{1};
  for (std::size_t i = 1; i < 62; ++i) costs[i] = i < 4 ? 3 : 4;
  costs[62] = 5;
  costs[63] = 8;
  std::int64_t bounds[33]{};
  EXPECT(partition(costs, bounds) == 9);
  layout l;
  EXPECT(lay_out(bounds, {.embedding = true, .mtp_layers = 1, .loss = true}, l));
  const strategy s{pp{16}, vpp{2}};
  EXPECT(virtual_stages(s, l) == 32);
  EXPECT(contents(catalog::deepseek_v3, s, l, 0) ==
         stage_contents{.first_layer = 0, .decoder_layers = 2, .mtp_layers = 0, .embedding = true, .loss = false});
  for (std::int64_t stage = 1; stage < 30; ++stage)
    EXPECT(contents(catalog::deepseek_v3, s, l, stage) == stage_contents{.first_layer = 2 * stage, .decoder_layers = 2});
  EXPECT(contents(catalog::deepseek_v3, s, l, 30) ==
         stage_contents{.first_layer = 60, .decoder_layers = 1, .mtp_layers = 1, .embedding = false, .loss = false});
  EXPECT(contents(catalog::deepseek_v3, s, l, 31) ==
         stage_contents{.first_layer = 61, .decoder_layers = 0, .mtp_layers = 0, .embedding = false, .loss = true});
});

BOTH_TIMES("multi-token prediction is with a decoder layer, with the loss, with neither or with both", [] {
  const pipeline_items items{.embedding = true, .mtp_layers = 2, .loss = true}; // E t t m L
  const auto laid_out = [&items](std::initializer_list<std::int64_t> bounds) {
    layout l;
    std::int64_t array[6]{};
    for (std::size_t i = 0; i < bounds.size(); ++i) array[i] = bounds.begin()[i];
    EXPECT(lay_out(array_view<const std::int64_t>{array, static_cast<std::int64_t>(bounds.size())}, items, l));
    EXPECT(l.places_mtp && l.kind == layout_kind::listed);
    l.places_mtp = false;
    return l;
  };
  EXPECT(laid_out({0, 5}) == layout::stages({1, 2, 2}));
  EXPECT(laid_out({0, 2, 4, 5}) == layout::stages({1, 1, 0}, {1, 1, 2}, {1, 0, 0}));
  EXPECT(laid_out({0, 2, 3, 5}) == layout::stages({1, 1, 0}, {1, 1, 0}, {1, 0, 2}));
  EXPECT(laid_out({0, 1, 2, 3, 4, 5}) == layout::stages({1, 0, 0}, {2, 1, 0}, {1, 0, 2}, {1, 0, 0}));
});

BOTH_TIMES("a layout without room for the partition", [] {
  std::int64_t bounds[66]{};
  for (std::int64_t i = 0; i < 65; ++i) bounds[i + 1] = bounds[i] + 1 + i % 2; // 65 parts, no two neighbours alike
  layout l = layout::balanced();
  EXPECT(!lay_out(bounds, {}, l));
  EXPECT(l == layout::balanced());
  EXPECT(lay_out(array_view<const std::int64_t>{bounds, 65}, {}, l));
  EXPECT(l.runs.size() == 64);
});

BOTH_TIMES("costs up to the largest count", [] {
  constexpr std::uint64_t most = count::top - 1;
  EXPECT(parts({most, most, most}, most, {0, 1, 2, 3})); // The total needs more than 64 bits, no part does.
  EXPECT(parts({most - 2, 1, 1, most}, most, {0, 3, 4}));
  EXPECT(parts({most / 2, most / 2, most / 2, most / 2}, most, {0, 2, 4}));
});

template <std::uint64_t Last>
struct in_two_parts {
  constexpr count operator()() const {
    const count costs[] = {count::top - 1, 1, Last};
    std::int64_t bounds[3]{};
    return partition(costs, bounds);
  }
};
static_assert(is_constant<in_two_parts<count::top - 2>>);
static_assert(!is_constant<in_two_parts<count::top - 1>>);

TEST_CASE("a cost of more than 64 bits is no answer") {
  CHECK(in_two_parts<count::top - 2>{}() == count::top - 1);
  CHECK(in_two_parts<count::top - 1>{}().overflowed());
  count costs[] = {1, count{count::top - 1} + 1, 1};
  std::int64_t bounds[3] = {-1, -1, -1};
  CHECK(partition(costs, bounds).overflowed());
  CHECK(bounds[0] == -1);
  CHECK(bounds[2] == -1);
}

// Of these DeepSpeed's partition_balanced makes 10 7 2, whose largest and smallest differ by 8 as those of 1 9 9 do.
BOTH_TIMES("the costliest part is what counts, not how far apart parts are", [] {
  EXPECT(parts({1, 9, 2, 5, 2}, 9, {0, 1, 2, 5}));
});

} // namespace
