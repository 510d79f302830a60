#include <moeplan/verify/claim_reason.hpp>

#include <initializer_list>

#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using in = claim_input;
using q = claim_quantity;
using is = claim_relation;

constexpr bool says(const claim& c, text expected) noexcept { return text{reason(c, judge(c))} == expected; }

constexpr bool contains(text all, text part) noexcept {
  for (std::size_t at = 0; at + part.size() <= all.size(); ++at)
    if (all.part(at, part.size()) == part) return true;
  return false;
}

constexpr claim_inputs option_1{{in::tp_size, 4}, {in::pp_size, 4}, {in::ep_size, 8}, {in::dp_size, 4}};
constexpr claim_inputs corrected{{in::tp_size, 2}, {in::pp_size, 4}, {in::ep_size, 64}, {in::dp_size, 4}};

BOTH_TIMES("the formula with its numbers, and what came out", [] {
  EXPECT(says({.quantity = q::layers_per_stage, .claimed = 4, .inputs = {{in::layers, 16}, {in::pp_size, 4}}},
              "16 layers / PP 4 = 4"));
  EXPECT(says({.quantity = q::used_memory,
               .relation = is::less_than,
               .claimed = "64 GB"_printed,
               .inputs = {{in::used_memory, "5.9 GB"_printed}}},
              "5.9 GB, less than 64 GB"));
  EXPECT(says({.quantity = q::used_memory,
               .relation = is::more_than,
               .claimed = "64 GB"_printed,
               .inputs = {{in::used_memory, "5.9 GB"_printed}}},
              "5.9 GB (5.85 GB to 5.95 GB with its inputs rounded), not more than 64 GB"));
  EXPECT(says({.quantity = q::group_members, .relation = is::differs, .claimed = 3, .inputs = {{in::degree, 2}}},
              "members of a group of degree 2 = 2, not 3"));
  EXPECT(says({.quantity = q::group_members, .relation = is::differs, .claimed = 3, .inputs = {{in::degree, 3}}},
              "members of a group of degree 3 = 3, not other than 3"));
  EXPECT(says({.quantity = q::available_gpus, .claimed = 8, .inputs = {{in::gpus, 8}}}, "GPUs of the deployment = 8"));
});

// 8000 x 0.02 is 160; 7999.5 x 0.015 is 119.9925, 8000.5 x 0.025 is 200.0125.
BOTH_TIMES("where a claim holds by the precision of its inputs alone, that is said", [] {
  const auto in_flight = [](printed_value claimed) {
    return claim{.quantity = q::batch_in_flight,
                 .claimed = claimed,
                 .inputs = {{in::throughput, "8000 seq/s"_printed}, {in::latency, "0.02 s"_printed}}};
  };
  EXPECT(judge(in_flight(128)).holds());
  EXPECT(says(in_flight(128), "8,000 sequences/s x 0.02 s (Little's law) = 160 (119.99 to 200.01 with its inputs rounded)"));
  EXPECT(says(in_flight(160), "8,000 sequences/s x 0.02 s (Little's law) = 160"));
  EXPECT(says({.quantity = q::used_memory,
               .relation = is::less_than,
               .claimed = "5.86 GB"_printed,
               .inputs = {{in::used_memory, "5.9 GB"_printed}}},
              "5.9 GB (5.85 GB to 5.95 GB with its inputs rounded), less than 5.86 GB"));
});

BOTH_TIMES("more used than there is", [] {
  EXPECT(says({.quantity = q::memory_utilisation,
               .claimed = "125%"_printed,
               .inputs = {{in::used_memory, "80 GB"_printed}, {in::capacity, "64 GB"_printed}}},
              "80 GB / 64 GB = 125% (124.22% to 125.78% with its inputs rounded): more is used than there is"));
});

BOTH_TIMES("what is wrong on any number of GPUs, without what is open", [] {
  EXPECT(says({.quantity = q::deployable, .claimed = "yes"_printed, .inputs = {{in::ep_size, 0}, {in::experts, 64}}},
              "EP is 0; a degree is at least 1; nearest legal ep: 1"));
  EXPECT(says({.quantity = q::deployable, .claimed = "yes"_printed, .inputs = {{in::tp_size, 2}}}, "not given: GPUs"));
  EXPECT(says(
      {.quantity = q::expert_hidden_per_gpu, .claimed = 1024, .inputs = {{in::expert_intermediate_size, 2048}, {in::tp_size, 2}}},
      "2,048 / TP 2 (ETP = TP) = 1,024"));
});

BOTH_TIMES("GPUs under both mappings", [] {
  EXPECT(says({.quantity = q::product_gpus, .claimed = 512, .inputs = option_1},
              "TP 4 x PP 4 x EP 8 x DP 4 = 512; folded it is 64 GPUs (EDP 2)"));
  EXPECT(says({.quantity = q::product_gpus, .claimed = 128, .inputs = corrected},
              "TP 2 x PP 4 x EP 64 x DP 4 = 2,048; folded it is 32 GPUs, and EP 64 does not divide a stage's 8"));
  EXPECT(says({.quantity = q::product_gpus,
               .claimed = 16,
               .inputs = {{in::tp_size, 1}, {in::pp_size, 1}, {in::ep_size, 16}, {in::dp_size, 1}}},
              "TP 1 x PP 1 x EP 16 x DP 1 = 16; folded it is 1 GPU, and EP 16 does not divide a stage's 1"));
  EXPECT(says({.quantity = q::folded_gpus,
               .claimed = 8,
               .inputs = {{in::tp_size, 2}, {in::cp_size, 1}, {in::pp_size, 4}, {in::ep_size, 8}, {in::dp_size, 1}}},
              "TP 2 x CP 1 x DP 1 x PP 4 = 8; all degrees multiplied are 64"));
});

BOTH_TIMES("what a strategy violates, and what would be enough", [] {
  claim c{.quantity = q::deployable,
          .claimed = "yes"_printed,
          .inputs = {{in::tp_size, 2}, {in::ep_size, 3}, {in::gpus, 3}, {in::experts, 63}}};
  EXPECT(says(
      c,
      "3 GPUs cannot be divided evenly into copies of the model of 2 GPUs each (TP x CP x PP; under a product mapping x EP x SP "
      "too); nearest legal gpus: 6; whatever DP is, these degrees take a multiple of 6 GPUs"));
  c.inputs = option_1;
  c.inputs.set(in::gpus, 512);
  EXPECT(says(c,
              "no rule is violated: 64 GPUs of 512 under the folded mapping; the strategy takes 64 GPUs, the cluster has 512: the "
              "rest stays idle; nearest legal dp: 32; all degrees multiplied are 512"));
});

BOTH_TIMES("of many violations two are said and the others counted, however long their numbers are", [] {
  claim c{.quantity = q::deployable,
          .claimed = "yes"_printed,
          .inputs = {{in::gpus, 8}, {in::layers, 16}, {in::heads, 16}, {in::experts, 64}}};
  for (const printed_value& degree : {"7"_printed, "999,999,937"_printed}) {
    for (const in name : {in::tp_size, in::pp_size, in::ep_size, in::etp_size, in::dp_size}) c.inputs.set(name, degree);
    const reason_text said = reason(c, judge(c));
    EXPECT(judge(c).fails());
    EXPECT(contains(said, "; and "));
    EXPECT(contains(said, " more"));
    EXPECT(!said.truncated());
  }
});

BOTH_TIMES("weights that are wrong: how many bytes would do, and how many ways there are", [] {
  claim c{.quantity = q::parameter_memory,
          .claimed = "223.52 MB"_printed,
          .inputs = {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::ways, 512}}};
  EXPECT(says(
      c,
      "30B x 2 bytes / 512 = 117.1875 MB (115.2344 MB to 119.1406 MB with its inputs rounded), or 111.7587 MiB; what is claimed "
      "would be 4 bytes a parameter, in powers of 1024"));
  for (const claim_inputs::item& degree : option_1.items) c.inputs.set(degree.name, degree.value);
  const reason_text said = reason(c, judge(c));
  constexpr text end = "; unless data parallelism shards them too (ZeRO-3), TP x PP x EP = 128 ways (ETP = TP) make it 468.75 MB";
  EXPECT((text{said}.part(said.size() - end.size(), end.size()) == end));
});

BOTH_TIMES("an open value says what its ends assume", [] {
  EXPECT(says(
      {.quantity = q::parameter_memory,
       .claimed = "5.9 GB"_printed,
       .inputs =
           {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::gpus, 128}, {in::tp_size, 2}, {in::pp_size, 4}}},
      "30B x 2 bytes, spread over 128 GPUs: from 0.469 GB (sharded over all 128 GPUs, as by ZeRO-3) to 7.5 GB (cut TP 2 x PP 4 "
      "ways "
      "alone, experts too, into equal stages, nothing replicated)"));
  EXPECT(says(
      {.quantity = q::over_capacity, .claimed = "4-8x"_printed, .inputs = {{in::needed_gpus, "64-128"_printed}, {in::gpus, 16}}},
      "64-128 / 16: from 4x to 8x"));
});

BOTH_TIMES("what is missing", [] {
  EXPECT(says({.quantity = q::memory_utilisation, .claimed = "85%"_printed}, "not given: used memory, capacity"));
  EXPECT(says({.quantity = q::activation_memory,
               .claimed = "256 MB"_printed,
               .inputs = {{in::sequence_length, 1}, {in::micro_batch, 1}, {in::hidden_size, 1}, {in::heads, 1}, {in::layers, 1}}},
              "it takes the tensors of each layer, which the whole architecture decides"));
  EXPECT(says({.quantity = q::product_gpus, .claimed = 4, .inputs = {{in::ep_size, 64}}}, "not given: TP, PP, DP"));
  EXPECT(says({.quantity = q::memory_utilisation, .claimed = "5 GB"_printed}, "a unit does not suit what it is a number of"));
});

BOTH_TIMES("why nothing comes out", [] {
  EXPECT(says({.quantity = q::experts_per_gpu, .claimed = 4, .inputs = {{in::experts, 64}, {in::ep_size, 0}}},
              "nothing comes out: EP is 0"));
  EXPECT(says({.quantity = q::experts_per_gpu, .claimed = 4, .inputs = {{in::experts, 64}, {in::ep_size, "0-8"_printed}}},
              "nothing comes out: EP can be 0"));
  EXPECT(says({.quantity = q::deployable, .claimed = "yes"_printed, .inputs = {{in::gpus, "64-128"_printed}}},
              "nothing comes out: GPUs 64-128 is no single whole number"));
  EXPECT(says({.quantity = q::variance, .claimed = 0, .inputs = {{in::items, "1.5"_printed}, {in::parts, 2}}},
              "nothing comes out: items 1.5 is no single whole number"));
  EXPECT(
      says({.quantity = q::parameter_memory,
            .claimed = "5 GB"_printed,
            .inputs =
                {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::gpus, 4}, {in::tp_size, 2}, {in::pp_size, 4}}},
           "nothing comes out: TP 2 x PP 4 are more parts than there are GPUs, 4"));
  EXPECT(says(
      {.quantity = q::token_throughput, .claimed = "300,000-320,000/s"_printed, .inputs = {{in::samples, "300-312/s"_printed}}},
      "nothing comes out: of ranges and limits it is open how many tokens a sample has"));
  EXPECT(says(
      {.quantity = q::token_throughput, .claimed = "319,500 tokens/s"_printed, .inputs = {{in::samples, "312 samples/s"_printed}}},
      "nothing comes out: 319,500 tokens/s are no whole number of tokens for each of 312 samples/s"));
  constexpr printed_value most = "999,999,999,999,999,999T"_printed;
  EXPECT(says({.quantity = q::product_gpus,
               .claimed = 1,
               .inputs = {{in::tp_size, most}, {in::pp_size, most}, {in::ep_size, most}, {in::dp_size, most}}},
              "nothing comes out: a number needs more than 256 bits"));
});

BOTH_TIMES("less than nothing left", [] {
  const auto left = [](printed_value used, printed_value claimed) {
    return claim{
        .quantity = q::left_memory, .claimed = claimed, .inputs = {{in::capacity, "64 GB"_printed}, {in::used_memory, used}}};
  };
  EXPECT(says(left("80 GB"_printed, "16 GB"_printed),
              "64 GB - 80 GB = -16 GB (-16.5 GB to -15.5 GB with its inputs rounded): more is used than there is"));
  EXPECT(text{computed_words(left("80 GB"_printed, "16 GB"_printed), judge(left("80 GB"_printed, "16 GB"_printed)))} == "-16 GB");
  EXPECT(says(left("60-80 GB"_printed, "4 GB"_printed), "64 GB - 60-80 GB: from -16 GB to 4 GB"));
  EXPECT(says({.quantity = q::left_memory,
               .claimed = "5 GB"_printed,
               .inputs = {{in::capacity, "64 GB"_printed}, {in::utilisation, "125%"_printed}}},
              "64 GB less 125% of it = -16 GB (-16.32 GB to -15.68 GB with its inputs rounded): more is used than there is"));
});

BOTH_TIMES("of degrees that are ranges there is no folded number of GPUs", [] {
  EXPECT(says({.quantity = q::product_gpus,
               .claimed = "128-256"_printed,
               .inputs = {{in::tp_size, 4}, {in::pp_size, 4}, {in::ep_size, "2-4"_printed}, {in::dp_size, 4}}},
              "TP 4 x PP 4 x EP 2-4 x DP 4: from 128 to 256"));
  EXPECT(says({.quantity = q::folded_gpus,
               .claimed = "8-16"_printed,
               .inputs = {{in::tp_size, "2-4"_printed}, {in::pp_size, 4}, {in::ep_size, 8}, {in::dp_size, 1}}},
              "TP 2-4 x DP 1 x PP 4: from 8 to 16"));
});

BOTH_TIMES("weights that the memory of all GPUs cannot hold", [] {
  claim c{.quantity = q::deployable,
          .claimed = "yes"_printed,
          .inputs = {{in::gpus, 8},
                     {in::tp_size, 8},
                     {in::parameters, "671B"_printed},
                     {in::bytes_per_parameter, 2},
                     {in::capacity, "80 GB"_printed}}};
  EXPECT(says(c,
              "no rule is violated: 8 GPUs of 8 under the folded mapping; but the weights alone, 671B x 2 bytes over 8 GPUs, as by "
              "ZeRO-3, take 167.75 GB of each GPU's 80 GB"));
  c.inputs.set(in::tp_size, 16);
  const reason_text said = reason(c, judge(c));
  EXPECT(contains(said, "the weights alone, 671B x 2 bytes over 8 GPUs, as by ZeRO-3, take 167.75 GB of each GPU's 80 GB; "));
});

BOTH_TIMES("where both ends are the same there is one value, and what it assumes", [] {
  EXPECT(
      says({.quantity = q::parameter_memory,
            .claimed = "7.5 GB"_printed,
            .inputs =
                {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::gpus, 8}, {in::tp_size, 2}, {in::pp_size, 4}}},
           "30B x 2 bytes, spread over 8 GPUs = 7.5 GB (cut TP 2 x PP 4 ways alone, experts too, into equal stages, nothing "
           "replicated)"));
});

BOTH_TIMES("one of a thing is not several", [] {
  EXPECT(says({.quantity = q::parameter_memory,
               .claimed = "30 GB"_printed,
               .inputs = {{in::parameters, "30B"_printed}, {in::bytes_per_parameter, 1}, {in::gpus, 1}}},
              "30B x 1 byte, spread over 1 GPU = 30 GB (all of them on each GPU)"));
  EXPECT(says({.quantity = q::pipeline_bubble, .claimed = "0%"_printed, .inputs = {{in::pp_size, 1}, {in::micro_batches, 1}}},
              "a pipeline of 1 stage and 1 micro-batch: (p - 1) / (m v + p - 1) = 0%"));
  EXPECT(says({.quantity = q::expert_modules, .claimed = 11, .inputs = {{in::layers, 1}, {in::experts, 11}}},
              "1 layer x 11 experts = 11"));
});

BOTH_TIMES("other notes", [] {
  EXPECT(says({.quantity = q::experts_per_gpu, .claimed = 21, .inputs = {{in::experts, 64}, {in::ep_size, 3}}},
              "64 experts / EP 3 = 21.33, which is no whole number"));
  EXPECT(says({.quantity = q::token_throughput, .claimed = "319,488/s"_printed, .inputs = {{in::samples, "312/s"_printed}}},
              "312/s x a whole number of tokens a sample = 319,488/s: 1,024 tokens a sample"));
  EXPECT(
      says({.quantity = q::token_throughput, .claimed = "312 tokens/s"_printed, .inputs = {{in::samples, "312 samples/s"_printed}}},
           "312 samples/s x a whole number of tokens a sample = 312 tokens/s: 1 token a sample"));
  EXPECT(says(
      {.quantity = q::token_throughput,
       .relation = is::differs,
       .claimed = "624 tokens/s"_printed,
       .inputs = {{in::samples, "312 samples/s"_printed}}},
      "312 samples/s x a whole number of tokens a sample = 624 tokens/s (623 tokens/s to 625 tokens/s with its inputs rounded), "
      "not other than 624 tokens/s: 2 tokens a sample"));
  EXPECT(says({.quantity = q::parameter_memory,
               .claimed = "223.52 MB"_printed,
               .inputs = {{in::parameters, "30.0B"_printed}, {in::bytes_per_parameter, 4}, {in::ways, 512}}},
              "30.0B x 4 bytes / 512 = 223.5174 MiB, in powers of 1024"));
  EXPECT(says({.quantity = q::pipeline_bubble, .claimed = "27%"_printed, .inputs = {{in::pp_size, 4}, {in::micro_batches, 8}}},
              "a pipeline of 4 stages and 8 micro-batches: (p - 1) / (m v + p - 1) = 27.27%"));
});

BOTH_TIMES("a reading in powers of 1024 is said, whichever number it changes", [] {
  EXPECT(says({.quantity = q::memory_utilisation,
               .claimed = "27.7%"_printed,
               .inputs = {{in::used_memory, "17.7 GiB"_printed}, {in::capacity, "64 GB"_printed}}},
              "17.7 GiB / 64 GB = 27.656%, in powers of 1024"));
});

BOTH_TIMES("computed values in words", [] {
  const claim c{.quantity = q::left_memory,
                .claimed = "21.7 GB"_printed,
                .inputs = {{in::capacity, "64 GB"_printed}, {in::utilisation, "66.1%"_printed}}};
  EXPECT(text{computed_words(c, judge(c))} == "21.696 GB");
  EXPECT(text{computed_words({.quantity = q::throughput, .claimed = "5/s"_printed}, claim_verdict{})} == "");
});

BOTH_TIMES("contradictions", [] {
  reason_text out;
  append_contradiction(out, {.id = "total", .quantity = q::total_memory, .claimed = "1.15 GB"_printed});
  EXPECT(text{out} == "contradicts total (1.15 GB)");
  append_contradiction(out, {.id = "share", .quantity = q::memory_utilisation, .claimed = "15-20%"_printed});
  EXPECT(text{out} == "contradicts total (1.15 GB); contradicts share (15-20%)");
});

} // namespace
