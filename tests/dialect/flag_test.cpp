#include <moeplan/dialect/flag.hpp>

#include <moeplan/dialect/dialect.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

/// Calls `visit` with every name of a grammar, other names and those that are not modelled included.
template <class Words, std::size_t Count, class Visit>
constexpr void every_name(const grammar<Words, Count>& g, Visit visit) {
  const auto each = [&visit](text name) { return visit(name), false; };
  for (const flag<Words>& row : g.flags) {
    visit(row.name);
    any_name(row.other_names, each);
  }
  for (const text names : {g.not_modelled_switches, g.not_modelled, g.not_modelled_lists}) any_name(names, each);
}

template <class Words, std::size_t Count>
constexpr bool names_differ(const grammar<Words, Count>& g) {
  bool differ = true;
  every_name(g, [&](text name) {
    int times = 0;
    every_name(g, [&](text other) { times += name == other ? 1 : 0; });
    differ = differ && times == 1;
  });
  return differ;
}

template <class Words, std::size_t Count>
constexpr bool rows_are_whole(const grammar<Words, Count>& g) {
  bool whole = true;
  for (const flag<Words>& row : g.flags)
    whole = whole && !row.name.empty() && !row.source.empty() && row.kind != flag_kind::not_modelled;
  return whole;
}

} // namespace

// Too many comparisons for a constant expression.
TEST_CASE("no name stands twice in a grammar") {
  CHECK(names_differ(megatron_grammar));
  CHECK(names_differ(torchtitan_grammar));
  CHECK(names_differ(vllm_grammar));
  CHECK(names_differ(sglang_grammar));
  CHECK(names_differ(trtllm_grammar));
  CHECK(names_differ(deepspeed_grammar));
}

BOTH_TIMES("every row has a name, a kind and a source", [] {
  EXPECT(rows_are_whole(megatron_grammar));
  EXPECT(rows_are_whole(torchtitan_grammar));
  EXPECT(rows_are_whole(vllm_grammar));
  EXPECT(rows_are_whole(sglang_grammar));
  EXPECT(rows_are_whole(trtllm_grammar));
  EXPECT(rows_are_whole(deepspeed_grammar));
});
