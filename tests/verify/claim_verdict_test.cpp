#include <moeplan/verify/claim_verdict.hpp>

#include <initializer_list>

#include <moeplan/verify/printed_text.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using in = claim_input;
using q = claim_quantity;
using is = claim_relation;

constexpr claim share(printed_value used, printed_value of, printed_value claimed) noexcept {
  return {.quantity = q::memory_utilisation, .claimed = claimed, .inputs = {{in::used_memory, used}, {in::capacity, of}}};
}

constexpr bool holds(const claim& c) noexcept { return judge(c).holds(); }
constexpr bool fails(const claim& c) noexcept { return judge(c).fails(); }

/// A share of 64 units of memory, of which so many are in use.
constexpr bool share_holds(printed_value used, printed_value capacity, printed_value claimed) noexcept {
  const claim_verdict v = judge(share(used, capacity, claimed));
  EXPECT(!v.is_undecided());
  return v.holds();
}

// 17.65 / 64 is 27.578125%, 17.75 / 64 is 27.734375%.
BOTH_TIMES("at the last printed digit, 17.7 of exactly 64, in GB and in GiB", [] {
  const printed_value used[] = {"17.7 GB"_printed, "17.7 GiB"_printed};
  const printed_value capacity[] = {"64 GB"_printed, "64 GiB"_printed};
  for (const std::size_t i : {0U, 1U}) {
    EXPECT(!share_holds(used[i], capacity[i], "27.5%"_printed));
    EXPECT(share_holds(used[i], capacity[i], "27.6%"_printed));
    EXPECT(share_holds(used[i], capacity[i], "27.7%"_printed));
    EXPECT(!share_holds(used[i], capacity[i], "27.8%"_printed));
    EXPECT(!share_holds(used[i], capacity[i], "27.57%"_printed));
    EXPECT(share_holds(used[i], capacity[i], "27.58%"_printed));
    EXPECT(share_holds(used[i], capacity[i], "27.73%"_printed));
    EXPECT(!share_holds(used[i], capacity[i], "27.74%"_printed));
    EXPECT(share_holds(used[i], capacity[i], "0.277"_printed));
    EXPECT(!share_holds(used[i], capacity[i], "0.275"_printed));
  }
});

// 0.95 to 1.05 of 10 is 9.5% to 10.5%, which "9%" and "11%" touch.
BOTH_TIMES("the ends of both intervals belong to them", [] {
  EXPECT(share_holds("1.0 GB"_printed, "10 GB"_printed, "11%"_printed));
  EXPECT(!share_holds("1.0 GB"_printed, "10 GB"_printed, "11.0%"_printed));
  EXPECT(share_holds("1.0 GB"_printed, "10 GB"_printed, "9%"_printed));
  EXPECT(!share_holds("1.0 GB"_printed, "10 GB"_printed, "9.0%"_printed));
});

BOTH_TIMES("the capacity is exact, however it is printed", [] {
  EXPECT(!share_holds("17.7 GB"_printed, "64 GB"_printed, "27.5%"_printed)); // 17.65 / 64.5 would be 27.36%
  EXPECT(entry(in::capacity).exact);
});

constexpr claim left(printed_value capacity, printed_value utilisation, printed_value claimed) noexcept {
  return {.quantity = q::left_memory, .claimed = claimed, .inputs = {{in::capacity, capacity}, {in::utilisation, utilisation}}};
}

// 64 x 0.3385 is 21.664, 64 x 0.3395 is 21.728.
BOTH_TIMES("what is left of 64 at 66.1%, in GB and in GiB", [] {
  for (const printed_value& capacity : {"64 GB"_printed, "64 GiB"_printed}) {
    const auto claimed = [&capacity](printed_value v) {
      v.binary = capacity.binary;
      return left(capacity, "66.1%"_printed, v);
    };
    EXPECT(fails(claimed("21.6 GB"_printed)));
    EXPECT(holds(claimed("21.7 GB"_printed)));
    EXPECT(fails(claimed("21.8 GB"_printed)));
    EXPECT(fails(claimed("21.65 GB"_printed)));
    EXPECT(holds(claimed("21.66 GB"_printed)));
    EXPECT(holds(claimed("21.73 GB"_printed)));
    EXPECT(fails(claimed("21.74 GB"_printed)));
  }
});

BOTH_TIMES("GB is read as GiB where that alone makes a claim true", [] {
  const claim mixed = share("17.7 GiB"_printed, "64 GB"_printed, "27.7%"_printed);
  EXPECT(judge(mixed).holds());
  EXPECT(judge(mixed).reading == byte_reading::binary);
  const claim decimal = share("17.7 GiB"_printed, "64 GB"_printed, "29.7%"_printed); // 19.005 of 64 GB
  EXPECT(judge(decimal).holds());
  EXPECT(judge(decimal).reading == byte_reading::decimal);
  EXPECT(fails(share("17.7 GiB"_printed, "64 GB"_printed, "28.5%"_printed)));
  // 223.52 MiB is 4 bytes for each of 30B / 512 parameters; 223.52 MB is not.
  claim sized{.quantity = q::parameter_memory,
              .claimed = "223.52 MB"_printed,
              .inputs = {{in::parameters, 30'000'000'000}, {in::bytes_per_parameter, 4}, {in::ways, 512}}};
  EXPECT(judge(sized).holds());
  EXPECT(judge(sized).reading == byte_reading::binary);
  sized.claimed = "223.52 MiB"_printed;
  EXPECT(judge(sized).holds());
  EXPECT(judge(sized).reading == byte_reading::decimal);
  sized.claimed = "234.375 MB"_printed;
  EXPECT(judge(sized).holds());
  sized.claimed = "117.1875 MB"_printed;
  EXPECT(judge(sized).fails());
  EXPECT(judge(sized).reading == byte_reading::decimal);
});

constexpr claim used(is relation, printed_value limit) noexcept {
  return {.quantity = q::used_memory, .relation = relation, .claimed = limit, .inputs = {{in::used_memory, "5.9 GB"_printed}}};
}

// 5.85 to 5.95, against a limit that is exact.
BOTH_TIMES("relations of a rounded value to an exact limit: some choice is enough", [] {
  EXPECT(holds(used(is::at_most, "5.85 GB"_printed)));
  EXPECT(fails(used(is::at_most, "5.84 GB"_printed)));
  EXPECT(holds(used(is::less_than, "5.86 GB"_printed)));
  EXPECT(fails(used(is::less_than, "5.85 GB"_printed)));
  EXPECT(holds(used(is::at_least, "5.95 GB"_printed)));
  EXPECT(fails(used(is::at_least, "5.96 GB"_printed)));
  EXPECT(holds(used(is::more_than, "5.94 GB"_printed)));
  EXPECT(fails(used(is::more_than, "5.95 GB"_printed)));
  EXPECT(holds(used(is::less_than, "64 GB"_printed)));
  EXPECT(holds(used(is::differs, "6.1 GB"_printed)));
  EXPECT(fails(used(is::differs, "6.0 GB"_printed))); // 5.95 is both
});

BOTH_TIMES("counts are exact", [] {
  const auto experts = [](printed_value n, printed_value ep, printed_value claimed) {
    return claim{.quantity = q::experts_per_gpu, .claimed = claimed, .inputs = {{in::experts, n}, {in::ep_size, ep}}};
  };
  EXPECT(holds(experts(64, 8, 8)));
  EXPECT(fails(experts(63, 8, 8))); // 7.875 would round to 8
  EXPECT(fails(experts(64, 3, "21.33"_printed)));
  EXPECT(holds(experts(64, 5, "12.8"_printed)));
});

/// Weights between an even share and all of them: 30 GB over 4 GPUs is 7.5.
constexpr claim between(is relation, printed_value claimed) noexcept {
  return {.quantity = q::parameter_memory,
          .relation = relation,
          .claimed = claimed,
          .inputs = {{in::parameters, "15.0B"_printed}, {in::bytes_per_parameter, 2}, {in::gpus, 4}}};
}

BOTH_TIMES("where the value is open, all of it has to agree", [] {
  EXPECT(judge(between(is::equals, "17.7 GB"_printed)).is_undecided());
  EXPECT(judge(between(is::equals, "17.7 GB"_printed)).is_open());
  EXPECT(judge(between(is::equals, "17.7 GB"_printed)).value == (interval{wide_ratio{7'500'000'000}, wide_ratio{30'000'000'000}}));
  EXPECT(judge(between(is::equals, "7.5 GB"_printed)).is_undecided());
  EXPECT(fails(between(is::equals, "6.5 GB"_printed)));
  EXPECT(fails(between(is::equals, "31 GB"_printed)));
  EXPECT(holds(between(is::equals, "7-31 GB"_printed)));
  EXPECT(holds(between(is::differs, "6.5 GB"_printed)));
  EXPECT(judge(between(is::differs, "17.7 GB"_printed)).is_undecided());
  EXPECT(holds(between(is::less_than, "64 GB"_printed)));
  EXPECT(judge(between(is::less_than, "20 GiB"_printed)).is_undecided());
  EXPECT(fails(between(is::less_than, "6 GiB"_printed)));
  EXPECT(holds(between(is::at_most, "40 GiB"_printed)));
  EXPECT(holds(between(is::at_least, "6 GiB"_printed)));
  EXPECT(judge(between(is::at_least, "20 GiB"_printed)).is_undecided());
  EXPECT(fails(between(is::more_than, "40 GiB"_printed)));
  EXPECT(judge(between(is::more_than, "20 GiB"_printed)).is_undecided());
  EXPECT(judge(between(is::at_most, "20 GiB"_printed)).is_undecided());
});

// 46.7B x 2 bytes are 93.4 GB. TP 8 cuts what is dense; experts it cuts only if ETP is 8, too, and else a rank can hold nearly all.
BOTH_TIMES("TP x PP ways are no bound of what a GPU can hold, all the weights are", [] {
  const auto on_8_ways = [](is relation, printed_value claimed) {
    return judge(
        {.quantity = q::parameter_memory,
         .relation = relation,
         .claimed = claimed,
         .inputs = {
             {in::parameters, "46.7B"_printed}, {in::bytes_per_parameter, 2}, {in::gpus, 8}, {in::tp_size, 8}, {in::pp_size, 1}}});
  };
  EXPECT(on_8_ways(is::equals, "90.6 GB"_printed).is_undecided());
  EXPECT(on_8_ways(is::equals, "90.6 GB"_printed).value.is_point()); // 11.675 GB
  EXPECT(on_8_ways(is::equals, "11.7 GB"_printed).is_undecided());
  EXPECT(on_8_ways(is::equals, "10 GB"_printed).fails());
  EXPECT(on_8_ways(is::equals, "110 GB"_printed).fails());
  EXPECT(on_8_ways(is::equals, "11-94 GB"_printed).holds());
  EXPECT(on_8_ways(is::less_than, "64 GB"_printed).is_undecided());
  EXPECT(on_8_ways(is::less_than, "94 GB"_printed).holds());
  EXPECT(on_8_ways(is::less_than, "10 GB"_printed).fails());
  EXPECT(on_8_ways(is::at_least, "11 GB"_printed).holds());
  EXPECT(on_8_ways(is::more_than, "64 GB"_printed).is_undecided());
  EXPECT(on_8_ways(is::more_than, "100 GB"_printed).fails());
});

constexpr claim time_of_16_layers(is relation, printed_value claimed) noexcept {
  return {.quantity = q::latency,
          .relation = relation,
          .claimed = claimed,
          .inputs = {{in::layers, 16}, {in::layer_latency, "15-20 ms"_printed}}};
}

// As printed 240 to 320 ms; 14.5 to 20.5 ms a layer would be 232 to 328.
BOTH_TIMES("a range that is rounded agrees if it does as it is printed", [] {
  EXPECT(holds(time_of_16_layers(is::equals, "240-320 ms"_printed)));
  EXPECT(fails(time_of_16_layers(is::differs, "240-320 ms"_printed)));
  EXPECT(judge(time_of_16_layers(is::equals, "241-320 ms"_printed)).is_undecided());
  EXPECT(judge(time_of_16_layers(is::equals, "240-319 ms"_printed)).is_undecided());
  EXPECT(judge(time_of_16_layers(is::equals, "328 ms"_printed)).is_undecided());
  EXPECT(fails(time_of_16_layers(is::equals, "329 ms"_printed)));
  EXPECT(holds(time_of_16_layers(is::at_most, "320 ms"_printed)));
  EXPECT(judge(time_of_16_layers(is::at_most, "319 ms"_printed)).is_undecided());
  EXPECT(fails(time_of_16_layers(is::at_most, "231 ms"_printed)));
  EXPECT(holds(time_of_16_layers(is::less_than, "321 ms"_printed)));
  EXPECT(judge(time_of_16_layers(is::less_than, "320 ms"_printed)).is_undecided());
  EXPECT(holds(time_of_16_layers(is::at_least, "240 ms"_printed)));
  EXPECT(judge(time_of_16_layers(is::at_least, "241 ms"_printed)).is_undecided());
  EXPECT(holds(time_of_16_layers(is::more_than, "239 ms"_printed)));
  EXPECT(judge(time_of_16_layers(is::more_than, "240 ms"_printed)).is_undecided());
  EXPECT(holds(share("40-50 GB"_printed, "64 GB"_printed, "62.5-78.1%"_printed)));
  EXPECT(holds({.quantity = q::throughput,
                .claimed = "400-533 seq/s"_printed,
                .inputs = {{in::batch, 128}, {in::latency, "240-320 ms"_printed}}}));
  EXPECT(holds({.quantity = q::total_memory,
                .claimed = "4.5-5.5 GB"_printed,
                .inputs = {{in::parameter_memory, "1.5-2.5 GB"_printed},
                           {in::gradient_memory, "1 GB"_printed},
                           {in::optimizer_memory, "1 GB"_printed},
                           {in::activation_memory, "1 GB"_printed}}}));
});

BOTH_TIMES("an input that is a range leaves the value open", [] {
  const auto times = [](printed_value needed, printed_value claimed) {
    return claim{.quantity = q::over_capacity, .claimed = claimed, .inputs = {{in::needed_gpus, needed}, {in::gpus, 16}}};
  };
  EXPECT(holds(times("64-128"_printed, "4-8x"_printed)));
  EXPECT(judge(times("64-128"_printed, "4x"_printed)).is_undecided());
  EXPECT(fails(times("64-128"_printed, "2x"_printed)));
  EXPECT(holds(times("64"_printed, "4-8x"_printed)));
});

BOTH_TIMES("what is missing is named, of the formula that lacks least", [] {
  const claim_verdict none = judge({.quantity = q::memory_utilisation, .claimed = "85%"_printed});
  EXPECT(none.is_undecided());
  EXPECT(!none.computed);
  EXPECT(none.missing.size() == 2);
  EXPECT(none.missing[0] == in::used_memory && none.missing[1] == in::capacity);
  const claim_verdict some =
      judge({.quantity = q::memory_utilisation, .claimed = "85%"_printed, .inputs = {{in::capacity, "64 GB"_printed}}});
  EXPECT(some.missing.size() == 1 && some.missing[0] == in::used_memory);
  const claim_verdict other =
      judge({.quantity = q::used_memory, .claimed = "5 GB"_printed, .inputs = {{in::utilisation, "5%"_printed}}});
  EXPECT(other.missing.size() == 1);
});

BOTH_TIMES("units that do not suit are no verdict", [] {
  EXPECT(!has_suitable_units(share("17.7 GB"_printed, "64 GB"_printed, "27.6 GB"_printed)));
  EXPECT(!has_suitable_units(share("17.7 GB"_printed, "64"_printed, "27.6%"_printed)));
  const claim wrong = share("17.7"_printed, "64 GB"_printed, "27.6%"_printed);
  EXPECT(judge(wrong).is_undecided());
  EXPECT(judge(wrong).missing.empty());
  const auto ratio = [](printed_value a, printed_value b) {
    return claim{.quantity = q::ratio_to_target, .claimed = "0.5"_printed, .inputs = {{in::value, a}, {in::reference, b}}};
  };
  EXPECT(holds(ratio("6,400 tokens/ms"_printed, "12,800 tokens/ms"_printed)));
  EXPECT(!has_suitable_units(ratio("6,400 tokens/ms"_printed, "12,800 GB"_printed)));
  EXPECT(!has_suitable_units(ratio("6,400 tokens/ms"_printed, "12,800 sequences/ms"_printed)));
  EXPECT(holds(ratio("6,400 tokens/ms"_printed, "12,800/ms"_printed)));
  EXPECT(holds(ratio("156 samples/s"_printed, "312 sequences/s"_printed)));
  const auto scaling = [](printed_value rate, printed_value base) {
    return claim{.quantity = q::scaling_efficiency,
                 .claimed = "50%"_printed,
                 .inputs = {{in::throughput, rate}, {in::gpus, 4}, {in::base_throughput, base}, {in::base_gpus, 1}}};
  };
  EXPECT(holds(scaling("200 tokens/s"_printed, "100 tokens/s"_printed)));
  EXPECT(!has_suitable_units(scaling("200 tokens/s"_printed, "100 samples/s"_printed)));
});

constexpr claim left_by_use(is relation, printed_value used, printed_value claimed) noexcept {
  return {.quantity = q::left_memory,
          .relation = relation,
          .claimed = claimed,
          .inputs = {{in::capacity, "64 GB"_printed}, {in::used_memory, used}}};
}

BOTH_TIMES("where more is used than there is, less than nothing is left", [] {
  constexpr printed_value used = "80 GB"_printed;
  const claim_verdict v = judge(left_by_use(is::equals, used, "16 GB"_printed));
  EXPECT(v.fails());
  EXPECT(v.value == interval{0} && v.shortfall == interval{wide_ratio{16'000'000'000}});
  EXPECT(!v.is_open());
  EXPECT(fails(left_by_use(is::equals, used, "0 GB"_printed)));
  EXPECT(fails(left_by_use(is::at_least, used, "0 GB"_printed)));
  EXPECT(fails(left_by_use(is::more_than, used, "0 GB"_printed)));
  EXPECT(holds(left_by_use(is::at_most, used, "0 GB"_printed)));
  EXPECT(holds(left_by_use(is::less_than, used, "0 GB"_printed)));
  EXPECT(holds(left_by_use(is::differs, used, "16 GB"_printed)));
  EXPECT(fails(left("64 GB"_printed, "125%"_printed, "16 GB"_printed)));
  EXPECT(holds(left("64 GB"_printed, "100.0%"_printed, "0 GB"_printed)));
  EXPECT(holds(left_by_use(is::equals, "64 GB"_printed, "0 GB"_printed)));
});

// 60 to 80 of 64 leave 4 to -16.
BOTH_TIMES("where it is open whether more is used than there is", [] {
  constexpr printed_value used = "60-80 GB"_printed;
  EXPECT(judge(left_by_use(is::equals, used, "3 GB"_printed)).is_undecided());
  EXPECT(judge(left_by_use(is::equals, used, "0-5 GB"_printed)).is_undecided());
  EXPECT(holds(left_by_use(is::equals, "60-64 GB"_printed, "0-4 GB"_printed))); // as printed nothing is below zero
  EXPECT(judge(left_by_use(is::equals, "60-65 GB"_printed, "0-4 GB"_printed)).is_undecided());
  EXPECT(holds(left_by_use(is::at_most, used, "4 GB"_printed)));
  EXPECT(holds(left_by_use(is::at_least, "60-64 GB"_printed, "0 GB"_printed)));
  EXPECT(fails(left_by_use(is::equals, used, "6 GB"_printed)));
  EXPECT(judge(left_by_use(is::at_least, used, "0 GB"_printed)).is_undecided());
  EXPECT(judge(left_by_use(is::less_than, used, "4 GB"_printed)).is_undecided());
  EXPECT(holds(left_by_use(is::less_than, used, "5 GB"_printed)));
  EXPECT(fails(left_by_use(is::more_than, used, "5 GB"_printed)));
});

// 63.8 less 63.5 to 64.5 is 0.3 to -0.7.
BOTH_TIMES("what is printed as more than there is can be less", [] {
  const auto used_64 = [](printed_value claimed) {
    return claim{.quantity = q::left_memory,
                 .claimed = claimed,
                 .inputs = {{in::capacity, "63.8 GB"_printed}, {in::used_memory, "64 GB"_printed}}};
  };
  EXPECT(holds(used_64("0.3 GB"_printed)));
  EXPECT(fails(used_64("0.4 GB"_printed)));
});

constexpr claim weights_on(printed_value gpus, printed_value capacity, printed_value answer) noexcept {
  return {.quantity = q::deployable,
          .claimed = answer,
          .inputs = {{in::gpus, gpus}, {in::parameters, "30B"_printed}, {in::bytes_per_parameter, 2}, {in::capacity, capacity}}};
}

// 29.5B x 2 bytes over 4 GPUs are 14.75 GB, and 13.74 GiB.
BOTH_TIMES("a strategy whose weights cannot fit is not deployable", [] {
  EXPECT(holds(weights_on(4, "16 GB"_printed, "yes"_printed)));
  EXPECT(fails(weights_on(4, "16 GB"_printed, "no"_printed)));
  EXPECT(holds(weights_on(4, "14.75 GB"_printed, "yes"_printed)));
  EXPECT(fails(weights_on(4, "12 GB"_printed, "yes"_printed)));
  EXPECT(holds(weights_on(4, "12 GB"_printed, "no"_printed)));
  EXPECT(holds(weights_on(5, "12 GB"_printed, "yes"_printed)));
  EXPECT(holds(weights_on(4, "14 GB"_printed, "yes"_printed))); // if that is GiB
  EXPECT(judge(weights_on(4, "14 GB"_printed, "yes"_printed)).reading == byte_reading::binary);
  EXPECT(fails(weights_on(4, "13.7 GiB"_printed, "yes"_printed)));
  claim idle = weights_on(8, "16 GB"_printed, "yes"_printed); // 4 of 8 GPUs would do, 2 do not
  idle.inputs.set(in::dp_size, 4);
  EXPECT(holds(idle));
  idle.inputs.set(in::dp_size, 2);
  EXPECT(fails(idle));
});

BOTH_TIMES("no utilisation is above 100%", [] {
  EXPECT(share_holds("64.0 GB"_printed, "64 GB"_printed, "100%"_printed));
  EXPECT(!share_holds("64.2 GB"_printed, "64 GB"_printed, "100%"_printed)); // 64.15 at least
  EXPECT(!share_holds("80 GB"_printed, "64 GB"_printed, "125%"_printed));
  EXPECT(holds({.quantity = q::memory_utilisation,
                .relation = is::differs,
                .claimed = "125%"_printed,
                .inputs = {{in::used_memory, "80 GB"_printed}, {in::capacity, "64 GB"_printed}}}));
  EXPECT(fails({.quantity = q::cluster_memory_utilisation,
                .claimed = "125%"_printed,
                .inputs = {{in::used_memory, "160 GB"_printed}, {in::gpus, 2}, {in::capacity, "64 GB"_printed}}}));
  EXPECT(fails({.quantity = q::compute_utilisation,
                .claimed = "110%"_printed,
                .inputs = {{in::achieved_flops, "1100T FLOP/s"_printed}, {in::peak_flops, "1000T FLOP/s"_printed}}}));
  EXPECT(holds({.quantity = q::over_capacity, .claimed = "125%"_printed, .inputs = {{in::needed_gpus, 10}, {in::gpus, 8}}}));
});

// 128 sequences in 0.016 s are 8,000 sequences a second, and more tokens.
BOTH_TIMES("what is in flight is counted in sequences", [] {
  const auto passing = [](printed_value rate) {
    return claim{.quantity = q::throughput, .claimed = rate, .inputs = {{in::batch, 128}, {in::latency, "0.016 s"_printed}}};
  };
  for (const printed_value& rate :
       {"8000 sequences/s"_printed, "8000 samples/s"_printed, "8000 requests/s"_printed, "8000/s"_printed})
    EXPECT(holds(passing(rate)));
  for (const printed_value& rate : {"8000 tokens/s"_printed, "8000 FLOP/s"_printed, "8000 steps/s"_printed}) {
    EXPECT(judge(passing(rate)).is_undecided());
    EXPECT(!has_suitable_units(passing(rate)));
    const claim_inputs flown{{in::throughput, rate}, {in::latency, "0.016 s"_printed}};
    EXPECT(!has_suitable_units({.quantity = q::batch_in_flight, .claimed = 128, .inputs = flown}));
    const claim_inputs passed{{in::throughput, rate}, {in::batch, 128}, {in::layers, 16}};
    EXPECT(!has_suitable_units({.quantity = q::latency, .claimed = "0.016 s"_printed, .inputs = passed}));
    EXPECT(!has_suitable_units({.quantity = q::layer_latency, .claimed = "1 ms"_printed, .inputs = passed}));
  }
});

BOTH_TIMES("what degrees say comes before what the number of GPUs alone does", [] {
  const claim_inputs given{{in::layers, 16}, {in::experts, 64}, {in::gpus, 8}, {in::pp_size, 4}, {in::ep_size, 8}};
  EXPECT(holds({.quantity = q::expert_share, .claimed = "1/32"_printed, .inputs = given}));
  EXPECT(fails({.quantity = q::expert_share, .claimed = "1/8"_printed, .inputs = given}));
  EXPECT(holds({.quantity = q::expert_modules_per_gpu, .claimed = 32, .inputs = given}));
  EXPECT(fails({.quantity = q::expert_modules_per_gpu, .claimed = 128, .inputs = given}));
});

BOTH_TIMES("what is wrong on any number of GPUs is wrong where there is none", [] {
  const auto deployable = [](int ep, int dp, printed_value answer) {
    claim c{.quantity = q::deployable, .claimed = answer, .inputs = {{in::tp_size, 2}, {in::ep_size, ep}}};
    if (dp != 0) c.inputs.set(in::dp_size, dp);
    return judge(c);
  };
  EXPECT(deployable(4, 3, "yes"_printed).fails()); // EP 4 does not divide 6
  EXPECT(deployable(4, 3, "no"_printed).holds());
  EXPECT(deployable(0, 0, "yes"_printed).fails());
  EXPECT(deployable(3, 3, "yes"_printed).is_undecided()); // legal on 6 GPUs
  EXPECT(deployable(3, 3, "yes"_printed).missing.size() == 1);
  EXPECT(deployable(4, 0, "yes"_printed).is_undecided()); // DP can be 2
});

constexpr claim_verdict tokens(is relation, printed_value claimed, printed_value samples) noexcept {
  return judge({.quantity = q::token_throughput, .relation = relation, .claimed = claimed, .inputs = {{in::samples, samples}}});
}

BOTH_TIMES("how many tokens a sample has is open, unless the numbers themselves are such a multiple", [] {
  EXPECT(tokens(is::equals, "319,488 tokens/s"_printed, "312 samples/s"_printed).holds()); // 1,024 each
  EXPECT(tokens(is::equals, "319,500 tokens/s"_printed, "312 samples/s"_printed).is_undecided());
  EXPECT(tokens(is::equals, "8.1B tokens/s"_printed, "1.3M samples/s"_printed).is_undecided());
  EXPECT(tokens(is::equals, "100 tokens/s"_printed, "312 samples/s"_printed).fails()); // A sample has one at least.
  EXPECT(tokens(is::at_least, "312,000 tokens/s"_printed, "312 samples/s"_printed).is_undecided());
});

BOTH_TIMES("what has no value is undecided", [] {
  const claim_verdict by_zero =
      judge({.quantity = q::experts_per_gpu, .claimed = 1, .inputs = {{in::experts, 64}, {in::ep_size, 0}}});
  EXPECT(by_zero.is_undecided());
  EXPECT(by_zero.missing.empty());
  EXPECT(!by_zero.computed);
  const printed_value most = "999,999,999,999,999,999T"_printed;
  const claim_verdict large =
      judge({.quantity = q::product_gpus,
             .claimed = 1,
             .inputs = {{in::tp_size, most}, {in::pp_size, most}, {in::ep_size, most}, {in::dp_size, most}}});
  EXPECT(large.is_undecided());
  EXPECT(!large.computed);
});

} // namespace
