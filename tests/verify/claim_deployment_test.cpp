#include <moeplan/verify/claim_deployment.hpp>

#include <moeplan/verify/check.hpp>
#include <moeplan/verify/printed_text.hpp>

#include <string>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("integers are read out of printed values, and nothing else is", [] {
  const auto read = [](printed_value v) { return integer_in(claim_inputs{{claim_input::tp_size, v}}, claim_input::tp_size); };
  EXPECT(read(8) == optional_integer{8});
  EXPECT(read("2K"_printed) == optional_integer{2000});
  EXPECT(read("1.5K"_printed) == optional_integer{1500});
  EXPECT(read("8/4"_printed) == optional_integer{2});
  EXPECT(read(0) == optional_integer{0});
  EXPECT(!read("1.5"_printed).given);
  EXPECT(!read("1-2"_printed).given);
  EXPECT(!read("999999999999T"_printed).given);
  EXPECT(!integer_in({}, claim_input::tp_size).given);
});

BOTH_TIMES("degrees not given are 1, DP is left to be derived", [] {
  const strategy s = strategy_described_by({{claim_input::tp_size, 2}, {claim_input::ep_size, 3}});
  EXPECT((s == strategy{tp{2}, ep{3}}));
  EXPECT(!s.resolved());
  EXPECT((strategy_described_by({{claim_input::pp_size, 4},
                                 {claim_input::vpp_size, 2},
                                 {claim_input::cp_size, 3},
                                 {claim_input::etp_size, 2},
                                 {claim_input::dp_size, 5},
                                 {claim_input::sp_size, 1}}) == strategy{pp{4}, vpp{2}, cp{3}, etp{2}, dp{5}, sp{1}}));
});

BOTH_TIMES("what is given is in the deployment", [] {
  const deployment d = deployment_described_by({{claim_input::gpus, 128},
                                                {claim_input::layers, 16},
                                                {claim_input::experts, 64},
                                                {claim_input::hidden_size, 1024},
                                                {claim_input::heads, 16},
                                                {claim_input::expert_intermediate_size, 2048},
                                                {claim_input::global_batch, 128},
                                                {claim_input::micro_batch, 32},
                                                {claim_input::sequence_length, 4096}});
  EXPECT(d.cluster.total == optional_integer{128});
  EXPECT(d.model.layers == 16);
  EXPECT(d.model.experts.routed == 64);
  EXPECT(d.model.experts.intermediate_size == 2048);
  EXPECT(d.model.hidden_size == 1024);
  EXPECT(d.model.attention.heads == 16);
  EXPECT(d.workload.is_training());
  EXPECT(d.workload.train.global_batch == optional_integer{128});
  EXPECT(d.workload.train.micro_batch == 32);
  EXPECT(d.workload.sequence_length() == 4096);
  EXPECT(d.profile == profile::universal);
});

BOTH_TIMES("sequences in flight are served", [] {
  const deployment d = deployment_described_by({{claim_input::gpus, 8}, {claim_input::batch, 12}});
  EXPECT(d.workload.is_serving());
  EXPECT(d.workload.serve.batch == 12);
});

// GLM-4.5: hidden size 5120, 96 heads of 128.
BOTH_TIMES("how wide a head is, is open", [] {
  const claim_inputs given{
      {claim_input::gpus, 8}, {claim_input::tp_size, 8}, {claim_input::hidden_size, 5120}, {claim_input::heads, 96}};
  EXPECT(check(deployment_described_by(given)).ok());
});

// DeepSeek-V3 serves with 256 experts and 32 copies of some on 144 ranks, 2 each.
BOTH_TIMES("how many copies of experts there are is open where it serves", [] {
  claim_inputs given{
      {claim_input::gpus, 144}, {claim_input::experts, 256}, {claim_input::ep_size, 144}, {claim_input::dp_size, 144}};
  EXPECT(check(deployment_described_by(given)).contains(rule::experts_divide_by_ep));
  given.set(claim_input::batch, 144);
  EXPECT(check(deployment_described_by(given)).ok());
  EXPECT(deployment_described_by(given).workload.redundant_experts() == 32);
});

// DeepSeek-V3: 61 layers on 16 stages, which are not given: 13 of 4 layers and 3 of 3 are legal.
BOTH_TIMES("how layers are laid out is open", [] {
  claim_inputs given{{claim_input::gpus, 2048},  {claim_input::layers, 61},  {claim_input::experts, 256},
                     {claim_input::pp_size, 16}, {claim_input::ep_size, 64}, {claim_input::dp_size, 128}};
  EXPECT(check(deployment_described_by(given)).ok());
  given.set(claim_input::layers, 14); // and the embedding, and the loss
  EXPECT(check(deployment_described_by(given)).ok());
  given.set(claim_input::layers, 13);
  EXPECT(check(deployment_described_by(given)).contains(rule::layers_divide_by_pp));
  given.set(claim_input::layers, 64);
  EXPECT((deployment_described_by(given).layout == layout{}));
});

BOTH_TIMES("numbers that are given wrong are found", [] {
  const auto found = [](claim_input name, int value, rule r) {
    claim_inputs given{{claim_input::gpus, 64}, {claim_input::tp_size, 2}, {claim_input::pp_size, 4}, {claim_input::ep_size, 8}};
    EXPECT(check(deployment_described_by(given)).ok());
    given.set(name, value);
    EXPECT(check(deployment_described_by(given)).contains(r));
  };
  found(claim_input::tp_size, 0, rule::tp_is_at_least_1);
  found(claim_input::ep_size, 3, rule::stage_divides_by_expert_ranks);
  found(claim_input::experts, 63, rule::experts_divide_by_ep);
  found(claim_input::layers, 1, rule::layers_divide_by_pp);
  found(claim_input::heads, 3, rule::heads_divide_by_tp);
  found(claim_input::hidden_size, 1001, rule::hidden_divides_by_tp);
  found(claim_input::gpus, 4, rule::gpus_divide_by_model_parallel);
  found(claim_input::dp_size, 16, rule::gpus_are_available);
  found(claim_input::global_batch, 12, rule::global_batch_divides_by_dp);
});

constexpr claim_inputs weights(printed_value parameters, printed_value capacity) noexcept {
  return {{claim_input::parameters, parameters}, {claim_input::bytes_per_parameter, 2}, {claim_input::capacity, capacity}};
}

// 29.5B x 2 bytes over 8 GPUs are 7.375 GB, which is 6.87 GiB.
BOTH_TIMES("weights outgrow memory if they do wherever their number lies within its precision", [] {
  EXPECT(even_share_of_weights(weights("30B"_printed, "80 GB"_printed), 8, false) == interval{7'500'000'000});
  EXPECT(even_share_of_weights(weights("30B"_printed, "80 GB"_printed), 8, true) ==
         (interval{wide_ratio{7'375'000'000}, wide_ratio{7'625'000'000}}));
  const auto outgrow = [](printed_value capacity, byte_reading reading = byte_reading::decimal) {
    return weights_outgrow(weights("30B"_printed, capacity), 8, reading);
  };
  EXPECT(!outgrow("7.375 GB"_printed));
  EXPECT(outgrow("7.374 GB"_printed));
  EXPECT(!outgrow("6.87 GB"_printed, byte_reading::binary));
  EXPECT(outgrow("6.86 GB"_printed, byte_reading::binary));
  EXPECT(!weights_outgrow(weights("10-30B"_printed, "4 GB"_printed), 8, byte_reading::decimal)); // 10B would fit
  for (const claim_inputs& unknown :
       {claim_inputs{{claim_input::capacity, "1 GB"_printed}, {claim_input::parameters, "30B"_printed}},
        claim_inputs{{claim_input::bytes_per_parameter, 2}, {claim_input::parameters, "30B"_printed}}})
    EXPECT(!weights_outgrow(unknown, 1, byte_reading::decimal));
});

} // namespace

TEST_CASE("open numbers never are what is wrong: every strategy whose grids fit is legal") {
  int legal = 0;
  for (const int tp : {1, 2, 3, 8})
    for (const int cp : {1, 2, 3})
      for (const int pp : {1, 2, 5})
        for (const int vpp : {1, 2})
          for (const int ep : {1, 2, 4, 12})
            for (const int etp : {1, 2})
              for (const int dp : {1, 2, 12})
                for (const bool serves : {false, true}) {
                  claim_inputs given{{claim_input::tp_size, tp}, {claim_input::cp_size, cp},   {claim_input::pp_size, pp},
                                     {claim_input::ep_size, ep}, {claim_input::etp_size, etp}, {claim_input::dp_size, dp}};
                  if (vpp > 1) given.set(claim_input::vpp_size, vpp);
                  if (serves) given.set(claim_input::batch, 1);
                  given.set(claim_input::gpus, tp * cp * dp * pp);
                  const bool fits = tp * cp * dp % (ep * etp) == 0 && (vpp == 1 || (pp > 1 && !serves));
                  if (!fits) continue;
                  const findings found = check(deployment_described_by(given));
                  CHECK_MESSAGE(found.ok(), std::string{(*found.begin()).name().data()});
                  ++legal;
                }
  CHECK(legal > 500);
}

TEST_CASE("degrees beyond all bounds are judged, not computed with") {
  for (const claim_input name : {claim_input::tp_size, claim_input::pp_size, claim_input::cp_size, claim_input::ep_size,
                                 claim_input::etp_size, claim_input::dp_size}) {
    claim_inputs given{{claim_input::tp_size, 8}, {claim_input::cp_size, 8}, {claim_input::pp_size, 8}, {claim_input::dp_size, 8}};
    given.set(name, 999'999'999'999'999'999);
    CHECK(!check(deployment_described_by(given)).ok());
  }
}
