#include <moeplan/cost/serving_traffic.hpp>

#include <cstdint>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/qwen.hpp>

#include "cost/published_models.hpp"
#include "support/both_times.hpp"
#include "support/is_constant.hpp"

using namespace moeplan;

namespace {

using purpose = communication_purpose;

struct chosen {
  purpose what = purpose::dispatch;
  std::int64_t number = 0;
  saturating_count times{};
  communication first{};
  communication last{};

  constexpr void operator()(const communication& c) {
    if (c.purpose != what) return;
    if (number++ == 0) first = c;
    last = c;
    times += c.times;
  }
};

constexpr chosen of_stage(const deployment& d, std::int64_t stage, purpose what, const serving_exchange& exchange = {}) {
  chosen c{.what = what};
  serving_traffic{d, exchange}.visit_stage(stage, c);
  return c;
}

constexpr deployment served(const model& m, const strategy& s, std::int64_t batch, profile how = profile::vllm) {
  return {.model = m, .strategy = s, .workload = serving{.batch = batch, .sequence_length = 8192}, .profile = how};
}

constexpr serving_exchange low_latency{.dispatcher = token_dispatcher::all_to_all, .dispatch = {.numbers = number_type::fp8}};

// "Insights into DeepSeek-V3" (arXiv 2505.09343, section 2.3.2), with 32 tokens a device and one layer's all-to-alls: a byte there and two
// back for each of the routed experts. It counts the shared expert as a ninth one and 7000 for 7168.
BOTH_TIMES("decoding DeepSeek-V3 on one expert a device", [] {
  model m = moeplan_test::deepseek_v3_without_mtp;
  m.hidden_size = 7000;
  m.experts.routed = 257;
  m.experts.top_k = 9;
  m.experts.groups = m.experts.group_top_k = 1;
  const deployment d = served(m, {ep{257}, dp{257}}, 32);
  const chosen there = of_stage(d, 0, purpose::dispatch, low_latency);
  const chosen back = of_stage(d, 0, purpose::combine, low_latency);
  EXPECT(there.number == 1 && there.times == 58 && back.times == 58);
  EXPECT(there.last.size + back.last.size == (1 + 2) * 32 * 9 * 7000);
});

BOTH_TIMES("a copy for each expert or for each rank", [] {
  const deployment d = served(catalog::deepseek_v3, {ep{8}, dp{8}}, 128);
  const chosen copies = of_stage(d, 0, purpose::dispatch, low_latency);
  EXPECT(copies.last.size == 128 * 8 * 7168 && copies.last.copies == 0);
  serving_exchange once = low_latency;
  once.dispatcher = token_dispatcher::deepep;
  const chosen ranks = of_stage(d, 0, purpose::dispatch, once);
  EXPECT(ranks.last.size == 128 * 4 * 7168 && ranks.last.copies == 4);
  EXPECT(ranks.last.expected_size > 128 * 3.5 * 7168 && ranks.last.expected_size < 128 * 4 * 7168);
  deployment copied = d; // with copies of experts only the limit is known
  copied.workload.serve.redundant_experts = 32;
  const chosen unknown = of_stage(copied, 0, purpose::dispatch, once);
  EXPECT(unknown.last.copies == 8 && unknown.last.expected_size != unknown.last.expected_size);
});

BOTH_TIMES("without data-parallel attention all ranks have all tokens", [] {
  const deployment d = served(catalog::qwen3_235b_a22b, {tp{8}, ep{8}, dp{1}}, 64);
  const chosen output = of_stage(d, 0, purpose::experts_output);
  EXPECT(output.times == 94 && output.last.kind == collective::all_reduce && output.last.ranks == 8);
  EXPECT(output.last.size == 64 * 4096 * 2);
  EXPECT(of_stage(d, 0, purpose::dispatch).number == 0);
  deployment replicas = served(catalog::qwen3_235b_a22b, {tp{8}, ep{8}, dp{2}}, 64);
  replicas.workload.serve.data_parallelism = data_parallelism::replicas;
  EXPECT(of_stage(replicas, 0, purpose::experts_output).last == output.last);
});

BOTH_TIMES("data-parallel attention gathers all tokens", [] {
  const deployment d = served(catalog::qwen3_235b_a22b, {tp{4}, ep{8}, dp{2}}, 64);
  const chosen there = of_stage(d, 0, purpose::dispatch);
  EXPECT(there.last.kind == collective::all_gather && there.last.group == groups::dp && there.last.ranks == 2);
  EXPECT(there.last.size == 2 * 64 * 4096 * 2);
  EXPECT(of_stage(d, 0, purpose::routing).last.size == 2 * 64 * 128 * 2);
  EXPECT(of_stage(d, 0, purpose::combine).last.kind == collective::reduce_scatter);
  EXPECT(of_stage(d, 0, purpose::experts_output).last.group == groups::tp);
});

BOTH_TIMES("TP ranks divide the tokens that go to experts", [] {
  const deployment d = served(catalog::qwen3_235b_a22b, {tp{4}, ep{8}, dp{2}}, 66);
  EXPECT(of_stage(d, 0, purpose::dispatch, low_latency).last.size == 17 * 8 * 4096); // 66 / 4, rounded up
  const chosen output = of_stage(d, 0, purpose::experts_output, low_latency);
  EXPECT(output.last.kind == collective::all_gather && output.last.size == 68 * 4096 * 2);
});

BOTH_TIMES("tensor parallelism", [] {
  const deployment d = served(catalog::llama_3_1_8b, {tp{4}, dp{1}}, 64);
  EXPECT(of_stage(d, 0, purpose::attention).times == 32);
  EXPECT(of_stage(d, 0, purpose::mlp).times == 32);
  EXPECT(of_stage(d, 0, purpose::embedding).times == 1);
  EXPECT(of_stage(d, 0, purpose::mlp).last.size == 64 * 4096 * 2);
  const chosen head = of_stage(d, 0, purpose::head);
  EXPECT(head.last.kind == collective::all_gather && head.last.size == 64 * 128'512 * 2); // padded to a multiple of 512
  deployment prompt = d;
  prompt.workload.serve.step_tokens = 100;
  EXPECT(of_stage(prompt, 0, purpose::mlp).last.size == 6400 * 4096 * 2);
  EXPECT(of_stage(prompt, 0, purpose::head).last.size == head.last.size);
});

constexpr deployment resolved = served(catalog::llama_3_1_8b, {tp{4}, dp{1}}, 64);
constexpr deployment unresolved = served(catalog::llama_3_1_8b, {tp{4}}, 64);
static_assert(moeplan_test::is_constant<decltype([] { return serving_traffic{resolved}.stages(); })>);
static_assert(!moeplan_test::is_constant<decltype([] { return serving_traffic{unresolved}.stages(); })>);

BOTH_TIMES("draft tokens", [] {
  deployment d = served(catalog::deepseek_v3, {tp{8}, ep{8}, dp{1}}, 10);
  EXPECT(of_stage(d, 0, purpose::head).times == 1);
  EXPECT(of_stage(d, 0, purpose::experts_output).times == 58);
  d.workload.serve.drafts = true;
  d.workload.serve.step_tokens = 2;
  EXPECT(of_stage(d, 0, purpose::head).times == 2);
  EXPECT(of_stage(d, 0, purpose::head).last.size == 20 * 130'048 * 2);
  EXPECT(of_stage(d, 0, purpose::experts_output).times == 59);
  EXPECT(of_stage(d, 0, purpose::embedding).times == 2);
});

BOTH_TIMES("transfers between stages", [] {
  const deployment d = served(catalog::llama_3_1_8b, {pp{4}, tp{2}, dp{1}}, 64);
  const chosen first = of_stage(d, 0, purpose::pipeline);
  EXPECT(first.number == 1 && first.last.kind == collective::send && first.last.to_stage == 1);
  EXPECT(first.last.size == 64 * 4096 * 2); // half of hidden states and of the residual
  const chosen second = of_stage(d, 1, purpose::pipeline);
  EXPECT(second.number == 2 && second.first.kind == collective::all_gather && second.first.size == 2 * 64 * 4096 * 2);
  EXPECT(of_stage(d, 3, purpose::pipeline).number == 1);
  deployment other = d;
  other.profile = profile::trtllm;
  EXPECT(of_stage(other, 1, purpose::pipeline).number == 1);
  EXPECT(of_stage(other, 1, purpose::pipeline).last.size == 64 * 4096 * 2);
});

BOTH_TIMES("ranks that share keys and values while decoding", [] {
  deployment d = served(catalog::deepseek_v3, {tp{8}, ep{8}, dp{1}}, 16);
  d.workload.serve.decode_context = 4;
  struct all_of {
    saturating_count sizes[3]{};
    int number = 0;
    constexpr void operator()(const communication& c) {
      if (c.purpose != purpose::context) return;
      EXPECT(c.ranks == 4 && c.part == group_part::neighbours && c.group == groups::tp && c.times == 61);
      sizes[number++] = c.size;
    }
  } found;
  serving_traffic{d}.visit_stage(0, found);
  EXPECT(found.number == 3);
  EXPECT(found.sizes[0] == 16 * (4 * 16) * (512 + 64) * 2); // queries of 64 heads
  EXPECT(found.sizes[1] == 4 * 16 * (4 * 16) * 4);          // a logarithm a head and rank
  EXPECT(found.sizes[2] == 16 * (4 * 16) * 512 * 2);
});

} // namespace
