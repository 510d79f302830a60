// Three published deployment analyses, claim by claim: what they say, what comes out, and whether it holds. The computed values and
// verdicts were worked out by hand.
#include <moeplan/verify/claims.hpp>

#include <initializer_list>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using in = claim_input;
using q = claim_quantity;
using is = claim_relation;

/// What an audit makes of a claim.
struct expected_claim {
  claim stated{};
  claim_outcome outcome{};
  text computed{}; ///< in the unit of the claim; empty where nothing can be
};

constexpr auto holds = claim_outcome::holds;
constexpr auto fails = claim_outcome::fails;
constexpr auto undecided = claim_outcome::undecided;

/// Says more than EXPECT can.
void compare(const claim& c, const audited_claim& result, const expected_claim& expected) {
  const auto words = [](text t) { return std::string(t.data(), t.size()); };
  CAPTURE(words(c.id));
  CAPTURE(words(reason(c, result.verdict)));
  CHECK(words(computed_words(c, result.verdict)) == words(expected.computed));
  CHECK(words(name_of(result.outcome())) == words(name_of(expected.outcome)));
}

template <std::size_t N>
constexpr void expect_audit(const expected_claim (&expected)[N]) {
  claim claims[N]{};
  audited_claim results[N]{};
  for (std::size_t i = 0; i < N; ++i) claims[i] = expected[i].stated;
  audit(claims, results);
  for (std::size_t i = 0; i < N; ++i) {
    EXPECT(results[i].outcome() == expected[i].outcome);
    EXPECT(text{computed_words(claims[i], results[i].verdict)} == expected[i].computed);
    if (!std::is_constant_evaluated()) compare(claims[i], results[i], expected[i]);
  }
}

/// 30B parameters, 64 experts, 16 layers, batch 128, micro-batch 32, 128 GPUs of 64 GB.
constexpr claim_inputs original_000{{in::tp_size, 8}, {in::pp_size, 4}, {in::ep_size, 64}, {in::dp_size, 4}};
constexpr claim_inputs corrected_000{{in::tp_size, 2}, {in::pp_size, 4}, {in::ep_size, 64}, {in::dp_size, 4}};

/// Inputs with more of them.
constexpr claim_inputs with(claim_inputs given, std::initializer_list<claim_inputs::item> more) noexcept {
  for (const claim_inputs::item& i : more) given.set(i.name, i.value);
  return given;
}

constexpr expected_claim report_000[] = {
    {{"original gpus", q::product_gpus, is::equals, "8,192"_printed, original_000}, holds, "8,192"},
    {{"over capacity", q::over_capacity, is::equals, "64x"_printed, {{in::needed_gpus, 8192}, {in::gpus, 128}}}, holds, "64x"},
    {{"utilisation", q::over_capacity, is::equals, "6,400%"_printed, with(original_000, {{in::gpus, 128}})}, holds, "6,400%"},
    {{"corrected gpus", q::product_gpus, is::equals, "128"_printed, corrected_000}, fails, "2,048"},
    {{"corrected utilisation", q::over_capacity, is::equals, "100%"_printed, with(corrected_000, {{in::gpus, 128}})},
     fails,
     "1,600%"},
    {{"original deployable", q::deployable, is::equals, "no"_printed,
      with(original_000, {{in::gpus, 128}, {in::layers, 16}, {in::experts, 64}})},
     holds,
     "no"},
    {{"corrected deployable", q::deployable, is::equals, "yes"_printed,
      with(corrected_000, {{in::gpus, 128}, {in::layers, 16}, {in::experts, 64}})},
     fails,
     "no"},
    {{"experts", q::experts_per_gpu, is::equals, "1"_printed, {{in::experts, 64}, {in::ep_size, 64}}}, holds, "1"},
    {{"layers", q::layers_per_stage, is::equals, "4"_printed, {{in::layers, 16}, {in::pp_size, 4}}}, holds, "4"},
    {{"micro-batches",
      q::micro_batches,
      is::equals,
      "4"_printed,
      {{in::global_batch, 128}, {in::micro_batch, 32}, {in::dp_size, 4}}},
     fails,
     "1"},
    {{"parameters",
      q::parameter_memory,
      is::equals,
      "5.9 GB"_printed,
      {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::gpus, 128}, {in::tp_size, 2}, {in::pp_size, 4}}},
     undecided,
     "0.469 GB to 7.5 GB"},
    {{"within limit", q::used_memory, is::less_than, "64 GB"_printed, {{in::used_memory, "5.9 GB"_printed}}}, holds, "5.9 GB"},
    {{"memory before", q::memory_utilisation, is::equals, "85%"_printed, {{in::capacity, "64 GB"_printed}}}, undecided, ""},
    {{"throughput", q::token_throughput, is::equals, "15.6K tokens/s"_printed, {}}, undecided, ""},
    {{"communication", q::communication_overhead, is::equals, "12%"_printed, {}}, undecided, ""},
};

/// 30B parameters, 64 experts, 16 layers, hidden 1,024, batch 128, 512 GPUs of 64 GB.
constexpr claim_inputs original_001{{in::tp_size, 8}, {in::pp_size, 4}, {in::ep_size, 16}, {in::dp_size, 4}};
constexpr claim_inputs option_1{{in::tp_size, 4}, {in::pp_size, 4}, {in::ep_size, 8}, {in::dp_size, 4}};
constexpr claim_inputs option_2{{in::tp_size, 2}, {in::pp_size, 8}, {in::ep_size, 8}, {in::dp_size, 4}};
constexpr claim_inputs parts_001{{in::parameter_memory, "223.52 MB"_printed},
                                 {in::gradient_memory, "223.52 MB"_printed},
                                 {in::optimizer_memory, "447.04 MB"_printed},
                                 {in::activation_memory, "256 MB"_printed}};

constexpr expected_claim report_001[] = {
    {{"original", q::product_gpus, is::equals, "2048"_printed, original_001}, holds, "2,048"},
    {{"too many", q::product_gpus, is::more_than, "512"_printed, original_001}, holds, "2,048"},
    {{"option 1", q::product_gpus, is::equals, "512"_printed, option_1}, holds, "512"},
    {{"option 2", q::product_gpus, is::equals, "512"_printed, option_2}, holds, "512"},
    {{"option 1 deployable", q::deployable, is::equals, "yes"_printed,
      with(option_1, {{in::gpus, 512}, {in::layers, 16}, {in::experts, 64}, {in::hidden_size, 1024}, {in::global_batch, 128}})},
     holds,
     "yes"},
    {{"hidden before", q::hidden_per_gpu, is::equals, "128"_printed, {{in::hidden_size, 1024}, {in::tp_size, 8}}}, holds, "128"},
    {{"hidden", q::hidden_per_gpu, is::equals, "256"_printed, {{in::hidden_size, 1024}, {in::tp_size, 4}}}, holds, "256"},
    {{"experts before", q::experts_per_gpu, is::equals, "4"_printed, {{in::experts, 64}, {in::ep_size, 16}}}, holds, "4"},
    {{"experts", q::experts_per_gpu, is::equals, "8"_printed, {{in::experts, 64}, {in::ep_size, 8}}}, holds, "8"},
    {{"layers", q::layers_per_stage, is::equals, "4"_printed, {{in::layers, 16}, {in::pp_size, 4}}}, holds, "4"},
    {{"sequences", q::sequences_per_gpu, is::equals, "32"_printed, {{in::global_batch, 128}, {in::dp_size, 4}}}, holds, "32"},
    {{"parameters",
      q::parameter_memory,
      is::equals,
      "223.52 MB"_printed,
      {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::ways, 512}}},
     fails,
     "117.1875 MB"},
    {{"gradients",
      q::gradient_memory,
      is::equals,
      "223.52 MB"_printed,
      {{in::times, 1}, {in::parameter_memory, "223.52 MB"_printed}}},
     holds,
     "223.52 MB"},
    {{"optimizer",
      q::optimizer_memory,
      is::equals,
      "447.04 MB"_printed,
      {{in::times, 2}, {in::parameter_memory, "223.52 MB"_printed}}},
     holds,
     "447.04 MB"},
    {{"activations", q::activation_memory, is::equals, "256 MB"_printed, {}}, undecided, ""},
    {{"total", q::total_memory, is::equals, "1.15 GB"_printed, parts_001, "option 1"}, holds, "1.1501 GB"},
    {{"increase", q::total_memory, is::equals, "1.38 GB"_printed, {}, "option 1"}, fails, ""}, // contradicts the total
    {{"increase, by its parts", q::total_memory, is::equals, "1.38 GB"_printed, parts_001}, fails, "1.1501 GB"},
    {{"share",
      q::memory_utilisation,
      is::equals,
      "1.8%"_printed,
      {{in::used_memory, "1.15 GB"_printed}, {in::capacity, "64 GB"_printed}}},
     holds,
     "1.797%"},
    {{"share before", q::memory_utilisation, is::equals, "0.77%"_printed, {{in::capacity, "64 GB"_printed}}}, undecided, ""},
    {{"batch",
      q::batch_in_flight,
      is::equals,
      "128"_printed,
      {{in::throughput, "8000 sequences/second"_printed}, {in::latency, "0.016s"_printed}}},
     holds,
     "128"},
    {{"latency", q::latency, is::equals, "0.016s"_printed, {{in::batch, 128}, {in::throughput, "8000 sequences/second"_printed}}},
     holds,
     "0.016 s"},
    {{"balance", q::variance, is::equals, "0"_printed, {{in::items, 64}, {in::parts, 8}}}, holds, "0"},
};

/// 63 experts, 3 GPUs of 64 GB, TP 2, EP 3.
constexpr expected_claim report_002[] = {
    {{"tp group", q::group_members, is::differs, "3"_printed, {{in::degree, 2}}}, holds, "2"},
    {{"experts", q::experts_per_gpu, is::equals, "21"_printed, {{in::experts, 63}, {in::ep_size, 3}}}, holds, "21"},
    {{"variance", q::variance, is::equals, "0"_printed, {{in::items, 63}, {in::parts, 3}}}, holds, "0"},
    {{"left", q::left_memory, is::equals, "21.7 GB"_printed, {{in::capacity, "64 GB"_printed}, {in::utilisation, "66.1%"_printed}}},
     holds,
     "21.696 GB"},
    {{"match", q::group_members, is::equals, "3"_printed, {{in::degree, 3}}}, holds, "3"},
    {{"compatible",
      q::deployable,
      is::equals,
      "yes"_printed,
      {{in::tp_size, 2}, {in::ep_size, 3}, {in::gpus, 3}, {in::experts, 63}}},
     fails,
     "no"},
    {{"tokens", q::token_throughput, is::equals, "319,488 tokens/sec"_printed, {{in::samples, "312 samples/sec"_printed}}},
     holds,
     "319,488 tokens/s"},
    {{"tokens of 1,024",
      q::token_throughput,
      is::equals,
      "319,488 tokens/sec"_printed,
      {{in::samples, "312 samples/sec"_printed}, {in::tokens_per_sample, 1024}}},
     holds,
     "319,488 tokens/s"},
    {{"compute", q::compute_utilisation, is::equals, "80.0%"_printed, {}}, undecided, ""},
    {{"strong scaling", q::scaling_efficiency, is::equals, "95%"_printed, {{in::gpus, 3}}}, undecided, ""},
    {{"weak scaling", q::scaling_efficiency, is::equals, "92%"_printed, {{in::gpus, 3}}}, undecided, ""},
};

BOTH_TIMES("report 000", [] { expect_audit(report_000); });
BOTH_TIMES("report 001", [] { expect_audit(report_001); });
BOTH_TIMES("report 002", [] { expect_audit(report_002); });

} // namespace
