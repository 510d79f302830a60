#include <moeplan/dialect/stage_split.hpp>

#include <moeplan/catalog/deepseek.hpp>

#include "support/both_times.hpp"

using namespace moeplan;
using namespace moeplan::dialect;

namespace {

template <std::size_t N>
constexpr bool splits(stage_split split, std::int64_t layers, const std::int64_t (&expected)[N]) {
  for (std::size_t i = 0; i < N; ++i)
    if (split(layers, N, static_cast<std::int64_t>(i)) != expected[i]) return false;
  return true;
}

} // namespace

// get_pp_indices of vLLM, as its docstring says: what is left over goes to the middle, then to the first, never to the last.
BOTH_TIMES("vLLM", [] {
  EXPECT(splits(vllm_split, 8, {2, 2, 2, 2}));
  EXPECT(splits(vllm_split, 9, {2, 2, 3, 2}));
  EXPECT(splits(vllm_split, 10, {2, 3, 3, 2}));
  EXPECT(splits(vllm_split, 11, {3, 3, 3, 2}));
  EXPECT(splits(vllm_split, 7, {4, 3}));
  EXPECT(splits(vllm_split, 5, {5}));
});

// get_pp_indices of SGLang: "the last N partitions will have one extra layer, where N = remainder".
BOTH_TIMES("SGLang", [] {
  EXPECT(splits(sglang_split, 8, {2, 2, 2, 2}));
  EXPECT(splits(sglang_split, 10, {2, 2, 3, 3}));
  EXPECT(splits(sglang_split, 5, {5}));
});

// torch.tensor_split(torch.arange(10), 4) is 3, 3, 2, 2.
BOTH_TIMES("TensorRT-LLM", [] { EXPECT(splits(trtllm_split, 10, {3, 3, 2, 2})); });

BOTH_TIMES("a split as a layout", [] {
  const auto as_layout = [](stage_split split, std::int64_t layers, std::int64_t stages) {
    return layout_of(stages, [&](std::int64_t i) { return split(layers, stages, i); });
  };
  EXPECT(as_layout(vllm_split, 8, 4) == layout::even());
  EXPECT(as_layout(vllm_split, 9, 4) == layout::stages({2, 2}, {1, 3}, {1, 2}));
  EXPECT(as_layout(vllm_split, 9, 0) == layout::even());
});

BOTH_TIMES("whether a deployment's layers lie as a split puts them", [] {
  const auto with = [](const layout& l) {
    return spelled_out({.model = catalog::deepseek_v3, .strategy = {pp{16}, dp{1}}, .layout = l});
  };
  EXPECT(is_split_as(with(layout::balanced()), trtllm_split)); // 61 on 16: 4 on thirteen, 3 on three
  EXPECT(!is_split_as(with(layout::balanced()), sglang_split));
  EXPECT(is_split_as(with(layout::stages({3, 3}, {13, 4})), sglang_split));
  EXPECT(!is_split_as(with(layout::even()), trtllm_split)); // 61 layers are not even on 16 stages
});
