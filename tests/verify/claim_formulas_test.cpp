#include <moeplan/verify/claim_formulas.hpp>

#include <initializer_list>

#include <moeplan/pipeline/bubble.hpp>
#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using in = claim_input;
using q = claim_quantity;

constexpr wide_ratio over(std::int64_t n, std::int64_t d) noexcept { return {uint256{n}, uint256{d}}; }
constexpr wide_ratio giga(std::int64_t n, std::int64_t d) noexcept { return {uint256{n} * uint256{1'000'000'000}, uint256{d}}; }

/// The quantity by the formula that takes exactly these inputs, besides those in brackets; overflowed if there is none.
constexpr interval value_of(q quantity, const claim_inputs& given, std::size_t in_brackets = 0,
                            printed_value claimed = 1) noexcept {
  const claim c{.quantity = quantity, .claimed = claimed, .inputs = given};
  for (const claim_formula& f : claim_formula_table) {
    bool suits = f.quantity == quantity && f.needs.size() + in_brackets == given.items.size();
    for (const in needed : f.needs) suits = suits && given.gives(needed);
    if (suits) return f.value({c});
  }
  return wide_ratio{uint256::top()};
}

BOTH_TIMES("GPUs", [] {
  const claim_inputs degrees{{in::tp_size, 8}, {in::pp_size, 4}, {in::ep_size, 64}, {in::dp_size, 4}};
  EXPECT(value_of(q::product_gpus, degrees) == interval{8192});
  claim_inputs more = degrees;
  more.set(in::cp_size, 3);
  more.set(in::sp_size, 5);
  EXPECT(value_of(q::product_gpus, more, 2) == interval{8192 * 15});
  EXPECT(value_of(q::folded_gpus, {{in::tp_size, 8}, {in::pp_size, 4}, {in::dp_size, 4}}) == interval{128});
  EXPECT(value_of(q::folded_gpus, {{in::tp_size, 8}, {in::pp_size, 4}, {in::dp_size, 4}, {in::cp_size, 2}}, 1) == interval{256});
  EXPECT(value_of(q::available_gpus, {{in::gpus, 128}}) == interval{128});
  EXPECT(value_of(q::over_capacity, {{in::needed_gpus, 8192}, {in::gpus, 128}}) == interval{64});
  more = degrees;
  more.set(in::gpus, 128);
  EXPECT(value_of(q::over_capacity, more) == interval{64});
  EXPECT(value_of(q::group_members, {{in::degree, 2}}) == interval{2});
});

BOTH_TIMES("a strategy is deployable if no rule is violated", [] {
  EXPECT(value_of(q::deployable, {{in::gpus, 128}}) == interval{1});
  EXPECT(value_of(q::deployable, {{in::gpus, 3}, {in::tp_size, 2}}, 1) == interval{0});
  EXPECT(value_of(q::deployable, {{in::gpus, 6}, {in::tp_size, 2}, {in::ep_size, 3}, {in::experts, 63}}, 3) == interval{1});
  EXPECT(value_of(q::deployable, {{in::gpus, 6}, {in::tp_size, 2}, {in::ep_size, 3}, {in::experts, 64}}, 3) == interval{0});
});

BOTH_TIMES("what each GPU gets", [] {
  EXPECT(value_of(q::experts_per_gpu, {{in::experts, 63}, {in::ep_size, 3}}) == interval{21});
  EXPECT(value_of(q::experts_per_gpu, {{in::experts, 63}, {in::ep_size, 2}}) == interval{over(63, 2)});
  EXPECT(value_of(q::layers_per_stage, {{in::layers, 16}, {in::pp_size, 4}}) == interval{4});
  EXPECT(value_of(q::heads_per_gpu, {{in::heads, 16}, {in::tp_size, 2}}) == interval{8});
  EXPECT(value_of(q::hidden_per_gpu, {{in::hidden_size, 1024}, {in::tp_size, 8}}) == interval{128});
  EXPECT(value_of(q::expert_hidden_per_gpu, {{in::expert_intermediate_size, 2048}, {in::tp_size, 2}}) == interval{1024});
  EXPECT(value_of(q::expert_hidden_per_gpu, {{in::expert_intermediate_size, 2048}, {in::etp_size, 4}}) == interval{512});
  EXPECT(value_of(q::sequences_per_gpu, {{in::global_batch, 128}, {in::dp_size, 4}}) == interval{32});
  EXPECT(value_of(q::expert_modules, {{in::layers, 16}, {in::experts, 64}}) == interval{1024});
  EXPECT(value_of(q::expert_modules_per_gpu, {{in::layers, 16}, {in::experts, 64}, {in::gpus, 8}}) == interval{128});
  EXPECT(value_of(q::expert_modules_per_gpu, {{in::layers, 16}, {in::experts, 64}, {in::pp_size, 4}, {in::ep_size, 8}}) ==
         interval{32});
  EXPECT(value_of(q::expert_share, {{in::gpus, 8}}) == interval{over(1, 8)});
  EXPECT(value_of(q::expert_share, {{in::pp_size, 4}, {in::ep_size, 8}}) == interval{over(1, 32)});
  EXPECT(value_of(q::micro_batches, {{in::global_batch, 128}, {in::micro_batch, 32}, {in::dp_size, 4}}) == interval{1});
  EXPECT(value_of(q::micro_batches, {{in::global_batch, 15360}, {in::micro_batch, 1}, {in::dp_size, 128}}) == interval{120});
});

BOTH_TIMES("the variance of an even deal, against the definition", [] {
  for (int items = 0; items < 20; ++items) {
    for (int parts = 1; parts < 8; ++parts) {
      // n^2 variances are n times the sum of squares, less the square of the sum.
      std::int64_t squares = 0;
      for (int p = 0; p < parts; ++p) {
        const int share = items / parts + (p < items % parts ? 1 : 0);
        squares += std::int64_t{share} * share;
      }
      const interval expected{over(parts * squares - std::int64_t{items} * items, std::int64_t{parts} * parts)};
      EXPECT(value_of(q::variance, {{in::items, items}, {in::parts, parts}}) == expected);
    }
  }
  EXPECT(value_of(q::variance, {{in::items, 3}, {in::parts, 0}}).overflowed());
  EXPECT(value_of(q::variance, {{in::items, "3-4"_printed}, {in::parts, 2}}).overflowed());
});

BOTH_TIMES("weights", [] {
  constexpr printed_value parameters = "30B"_printed;
  EXPECT(value_of(q::model_size, {{in::parameters, parameters}, {in::bytes_per_parameter, 4}}) == interval{giga(120, 1)});
  EXPECT(value_of(q::parameter_memory, {{in::parameters, parameters}, {in::bytes_per_parameter, 2}, {in::ways, 512}}) ==
         interval{117'187'500});
  EXPECT(
      value_of(q::parameter_memory,
               {{in::parameters, parameters}, {in::bytes_per_parameter, 2}, {in::gpus, 128}, {in::tp_size, 2}, {in::pp_size, 4}}) ==
      (interval{giga(60, 128), giga(60, 8)}));
  EXPECT(value_of(q::parameter_memory, {{in::parameters, parameters}, {in::bytes_per_parameter, 2}, {in::gpus, 128}}) ==
         (interval{giga(60, 128), giga(60, 1)}));
  EXPECT(value_of(q::gradient_memory, {{in::times, 1}, {in::parameter_memory, "223.52 MB"_printed}}) == interval{223'520'000});
  EXPECT(value_of(q::optimizer_memory, {{in::times, 2}, {in::parameter_memory, "223.52 MB"_printed}}) == interval{447'040'000});
  EXPECT(value_of(q::gradient_memory, {{in::parameters, parameters}, {in::bytes_per_parameter, 4}, {in::ways, 512}}) ==
         interval{234'375'000});
  EXPECT(value_of(q::optimizer_memory, {{in::parameters, parameters}, {in::bytes_per_parameter, 8}, {in::ways, 512}}) ==
         interval{468'750'000});
  EXPECT(value_of(q::layer_memory, {{in::parameters, parameters}, {in::bytes_per_parameter, 2}, {in::layers, 16}}) ==
         interval{giga(60, 16)});
  EXPECT(value_of(q::memory_of_a_stage, {{in::layers, 16}, {in::layer_memory, "0.33 GB"_printed}}) == interval{giga(528, 100)});
  EXPECT(value_of(q::gpus_for_memory,
                  {{in::parameters, parameters}, {in::bytes_per_parameter, 18}, {in::capacity, "64 GB"_printed}}) ==
         interval{9}); // 540 / 64
  EXPECT(value_of(q::gpus_for_memory, {{in::used_memory, "20 GB"_printed}, {in::capacity, "64 GB"_printed}}) == interval{1});
  EXPECT(value_of(q::gpus_for_memory, {{in::used_memory, "128 GB"_printed}, {in::capacity, "64 GB"_printed}}) == interval{2});
});

BOTH_TIMES("memory of a GPU", [] {
  constexpr printed_value capacity = "64 GB"_printed;
  EXPECT(value_of(q::total_memory, {{in::parameter_memory, "1 GB"_printed},
                                    {in::gradient_memory, "2 GB"_printed},
                                    {in::optimizer_memory, "3 GB"_printed},
                                    {in::activation_memory, "500 MB"_printed}}) == interval{giga(65, 10)});
  const claim_inputs states{{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::gpus, 8}, {in::capacity, capacity}};
  EXPECT(value_of(q::total_memory, states) == (interval{giga(60, 8), giga(64, 1)}));
  EXPECT(value_of(q::memory_utilisation, states) == (interval{over(60, 512), wide_ratio{1}}));
  claim_inputs too_much = states;
  too_much.set(in::bytes_per_parameter, 18);
  EXPECT(value_of(q::total_memory, too_much) == interval{giga(540, 8)}); // more than the 64 GB
  EXPECT(value_of(q::cluster_memory, {{in::gpus, 8}, {in::capacity, capacity}}) == interval{giga(512, 1)});
  EXPECT(value_of(q::used_memory, {{in::used_memory, "5.9 GB"_printed}}) == interval{giga(59, 10)});
  EXPECT(value_of(q::used_memory, {{in::utilisation, "70%"_printed}, {in::capacity, capacity}}) == interval{giga(448, 10)});
  EXPECT(value_of(q::left_memory, {{in::utilisation, "66.1%"_printed}, {in::capacity, capacity}}) == interval{giga(21'696, 1000)});
  EXPECT(value_of(q::left_memory, {{in::used_memory, "42.3 GB"_printed}, {in::capacity, capacity}}) == interval{giga(217, 10)});
  EXPECT(value_of(q::memory_utilisation, {{in::used_memory, "16 GB"_printed}, {in::capacity, capacity}}) == interval{over(1, 4)});
  EXPECT(value_of(q::cluster_memory_utilisation,
                  {{in::used_memory, "0.53 GB"_printed}, {in::gpus, 64}, {in::capacity, capacity}}) == interval{over(53, 409'600)});
  EXPECT(value_of(q::memory_saving, {{in::recomputed_layers, 14}, {in::layers, 16}}) == (interval{wide_ratio{0}, over(7, 8)}));
  EXPECT(value_of(q::activation_memory,
                  {{in::sequence_length, 4096}, {in::micro_batch, 1}, {in::hidden_size, 1024}, {in::heads, 16}, {in::layers, 16}})
             .overflowed());
});

BOTH_TIMES("Little's law, three ways", [] {
  constexpr printed_value rate = "8000 sequences/s"_printed;
  EXPECT(value_of(q::batch_in_flight, {{in::throughput, rate}, {in::latency, "0.016 s"_printed}}) == interval{128});
  EXPECT(value_of(q::throughput, {{in::batch, 128}, {in::latency, "0.016 s"_printed}}) == interval{8000});
  EXPECT(value_of(q::latency, {{in::batch, 128}, {in::throughput, rate}}) == interval{over(16, 1000)});
  EXPECT(value_of(q::throughput, {{in::batch, 128}, {in::layers, 16}, {in::layer_latency, "1 ms"_printed}}) == interval{8000});
  EXPECT(value_of(q::layer_latency, {{in::batch, 128}, {in::layers, 16}, {in::throughput, rate}}) == interval{over(1, 1000)});
  EXPECT(value_of(q::latency, {{in::layers, 16}, {in::layer_latency, "8.5 ms"_printed}}) == interval{over(136, 1000)});
});

BOTH_TIMES("rates and ratios", [] {
  EXPECT(value_of(q::token_throughput, {{in::samples, "312/s"_printed}, {in::tokens_per_sample, 1024}}) == interval{319'488});
  EXPECT(value_of(q::token_throughput, {{in::samples, "312/s"_printed}}, 0, "319,488/s"_printed) == interval{319'488});
  EXPECT(value_of(q::token_throughput, {{in::samples, "312/s"_printed}}, 0, "319,600/s"_printed).overflowed()); // 1024.36 each
  EXPECT(value_of(q::ratio_to_target, {{in::value, "6,400/ms"_printed}, {in::reference, "12,800/ms"_printed}}) ==
         interval{over(1, 2)});
  EXPECT(value_of(q::compute_utilisation, {{in::achieved_flops, "495/s"_printed}, {in::peak_flops, "990/s"_printed}}) ==
         interval{over(1, 2)});
  EXPECT(value_of(q::communication_overhead, {{in::communication_time, "3 ms"_printed}, {in::step_time, "20 ms"_printed}}) ==
         interval{over(3, 20)});
  EXPECT(value_of(q::scaling_efficiency,
                  {{in::throughput, "750/s"_printed}, {in::gpus, 8}, {in::base_throughput, "100/s"_printed}, {in::base_gpus, 1}}) ==
         interval{over(15, 16)});
});

BOTH_TIMES("the bubble is that of 1F1B", [] {
  for (const int ranks : {1, 2, 4, 7}) {
    for (const int micro_batches : {1, 4, 8}) {
      const pipeline_shape shape{.ranks = ranks, .micro_batches = micro_batches};
      const ratio idle = bubble_of(shape, {.forward = 1, .backward = 2}).worst_idle_share();
      EXPECT(value_of(q::pipeline_bubble, {{in::pp_size, ranks}, {in::micro_batches, micro_batches}}) ==
             interval{wide_ratio{idle}});
      EXPECT(value_of(q::compute_utilisation, {{in::pp_size, ranks}, {in::micro_batches, micro_batches}}) ==
             (interval{wide_ratio{0}, (interval{1} - interval{wide_ratio{idle}}).high}));
    }
  }
  EXPECT(value_of(q::pipeline_bubble, {{in::pp_size, 4}, {in::micro_batches, 8}, {in::vpp_size, 2}}, 1) == interval{over(3, 19)});
  EXPECT(value_of(q::pipeline_bubble, {{in::pp_size, "1-4"_printed}, {in::micro_batches, "4-8"_printed}}) ==
         (interval{wide_ratio{0}, over(3, 7)}));
  EXPECT(value_of(q::compute_utilisation, {{in::pp_size, 4}, {in::micro_batches, 0}}) == interval{0});
});

BOTH_TIMES("every quantity has a formula, and every formula names what it takes", [] {
  for (const claim_quantity_entry& quantity : claim_quantity_table) {
    std::size_t ways = 0;
    for (const claim_formula& f : claim_formula_table) ways += f.quantity == quantity.id ? 1U : 0U;
    EXPECT(ways > 0);
  }
  for (const claim_formula& f : claim_formula_table) {
    EXPECT(!f.needs.empty());
    for (std::size_t i = 0; i < f.needs.size(); ++i) {
      EXPECT(f.takes(f.needs[i]));
      for (std::size_t other = 0; other < i; ++other) EXPECT(f.needs[i] != f.needs[other]);
    }
  }
});

/// Every {name} is an input, every bracket closes.
constexpr bool is_well_formed(text words) noexcept {
  for (std::size_t open = words.find('{'); open != words.size(); open = words.find('{', open + 1)) {
    const text name = words.part(open + 1, words.find('}', open) - open - 1);
    bool known = false;
    for (const claim_input_entry& e : claim_input_table) known = known || name == text{e.name};
    if (!known) return false;
  }
  for (std::size_t open = words.find('['); open != words.size(); open = words.find('[', open + 1))
    if (!(words.find('{', open) < words.find(']', open)) || words.find(']', open) == words.size()) return false;
  return true;
}

BOTH_TIMES("the words of formulas are well-formed", [] {
  for (const claim_formula& f : claim_formula_table)
    EXPECT(is_well_formed(f.words) && is_well_formed(f.at_low) && is_well_formed(f.at_high));
  EXPECT(!is_well_formed("{tpp}"));
  EXPECT(!is_well_formed("[x {tp}"));
});

} // namespace
