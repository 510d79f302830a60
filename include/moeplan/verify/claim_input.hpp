#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <moeplan/number/sequence.hpp>
#include <moeplan/text/text.hpp>
#include <moeplan/verify/printed_value.hpp>

/// @file
/// What a claim is computed from: numbers by name, as the document prints them.

namespace moeplan {

/// What kind of number something is, and so which units it may have.
enum class dimension : std::uint16_t {
  number,         ///< none
  bytes,          ///< bytes
  time,           ///< seconds
  rate,           ///< a rate of anything
  token_rate,     ///< a rate of tokens, or of what is not said
  sample_rate,    ///< of sequences, samples or requests, or of what is not said
  operation_rate, ///< of operations, or of what is not said
  share,          ///< none, percent or times
  answer,         ///< yes or no
  any             ///< whatever another number has that it is compared with
};

[[nodiscard]] constexpr bool suits(dimension d, const printed_value& v) noexcept {
  const printed_unit unit = v.unit;
  const auto is_rate_of = [&v](counted_thing thing) { return v.unit == printed_unit::rate && are_comparable(v.thing, thing); };
  switch (d) {
    case dimension::number: return unit == printed_unit::none;
    case dimension::bytes: return unit == printed_unit::bytes;
    case dimension::time: return unit == printed_unit::seconds;
    case dimension::rate: return unit == printed_unit::rate;
    case dimension::token_rate: return is_rate_of(counted_thing::tokens);
    case dimension::sample_rate: return is_rate_of(counted_thing::sequences) || is_rate_of(counted_thing::requests);
    case dimension::operation_rate: return is_rate_of(counted_thing::operations);
    case dimension::share: return unit == printed_unit::none || unit == printed_unit::percent || unit == printed_unit::times;
    case dimension::answer: return unit == printed_unit::answer;
    case dimension::any: break;
  }
  return true;
}

/// The units of a dimension in words, for messages.
[[nodiscard]] constexpr text units_of(dimension d) noexcept {
  constexpr text words[] = {"a number without a unit",
                            "a number of bytes, such as 17.7 GB",
                            "a time, such as 8.5 ms",
                            "a rate, such as 8000 seq/s",
                            "a rate of tokens, such as 12.8K tokens/s",
                            "a rate of samples, sequences or requests, such as 312 samples/s",
                            "a rate of operations, such as 400T FLOP/s",
                            "a share, such as 27.6%, 64x or 1/8",
                            "yes or no",
                            "a number"};
  return words[static_cast<std::size_t>(d)];
}

/// A number that a claim is computed from. Names are those of a deployment file where it has the number too.
enum class claim_input : std::uint16_t {
  tp_size, ///< degrees: named by their axis, `tp`
  pp_size,
  vpp_size,
  cp_size,
  ep_size,
  etp_size,
  dp_size,
  sp_size,
  gpus,        ///< that there are, or over which something is spread
  needed_gpus, ///< that a strategy takes
  ways,        ///< in how many parts parameters are cut
  degree,      ///< of a group
  layers,
  recomputed_layers, ///< whose activations are computed again
  experts,           ///< routed, of a layer
  hidden_size,
  heads,
  expert_intermediate_size,
  sequence_length,
  global_batch, ///< sequences of a step
  micro_batch,  ///< sequences
  micro_batches,
  batch, ///< sequences in flight
  items, ///< that are dealt out
  parts, ///< to so many
  times, ///< of something
  bytes_per_parameter,
  tokens_per_sample,
  capacity,   ///< memory of a GPU
  parameters, ///< of the whole model
  parameter_memory,
  gradient_memory,
  optimizer_memory,
  activation_memory,
  layer_memory, ///< of one layer
  used_memory,
  utilisation, ///< share of a GPU's memory in use
  latency,
  layer_latency,
  throughput,
  samples, ///< a second
  value,   ///< that is compared with `reference`
  reference,
  achieved_flops,
  peak_flops,
  base_gpus, ///< of the run that scaling is measured from
  base_throughput,
  communication_time, ///< of a step, that nothing hides
  step_time,
};

inline constexpr std::size_t claim_input_count = static_cast<std::size_t>(claim_input::step_time) + 1;

/// What is known of an input without its value.
struct claim_input_entry {
  claim_input id{};
  const char* name = "";
  moeplan::dimension dimension = dimension::number;
  bool exact = true; ///< a count, a degree, a batch, a capacity: not rounded, however it is printed
};

inline constexpr claim_input_entry claim_input_table[] = {
    {claim_input::tp_size, "tp"},
    {claim_input::pp_size, "pp"},
    {claim_input::vpp_size, "vpp"},
    {claim_input::cp_size, "cp"},
    {claim_input::ep_size, "ep"},
    {claim_input::etp_size, "etp"},
    {claim_input::dp_size, "dp"},
    {claim_input::sp_size, "sp"},
    {claim_input::gpus, "gpus"},
    {claim_input::needed_gpus, "needed_gpus"},
    {claim_input::ways, "ways"},
    {claim_input::degree, "degree"},
    {claim_input::layers, "layers"},
    {claim_input::recomputed_layers, "recomputed_layers"},
    {claim_input::experts, "experts"},
    {claim_input::hidden_size, "hidden_size"},
    {claim_input::heads, "heads"},
    {claim_input::expert_intermediate_size, "expert_intermediate_size"},
    {claim_input::sequence_length, "sequence_length"},
    {claim_input::global_batch, "global_batch"},
    {claim_input::micro_batch, "micro_batch"},
    {claim_input::micro_batches, "micro_batches"},
    {claim_input::batch, "batch"},
    {claim_input::items, "items"},
    {claim_input::parts, "parts"},
    {claim_input::times, "times", dimension::share},
    {claim_input::bytes_per_parameter, "bytes_per_parameter"},
    {claim_input::tokens_per_sample, "tokens_per_sample"},
    {claim_input::capacity, "capacity", dimension::bytes},
    {claim_input::parameters, "parameters", dimension::number, false},
    {claim_input::parameter_memory, "parameter_memory", dimension::bytes, false},
    {claim_input::gradient_memory, "gradient_memory", dimension::bytes, false},
    {claim_input::optimizer_memory, "optimizer_memory", dimension::bytes, false},
    {claim_input::activation_memory, "activation_memory", dimension::bytes, false},
    {claim_input::layer_memory, "layer_memory", dimension::bytes, false},
    {claim_input::used_memory, "used_memory", dimension::bytes, false},
    {claim_input::utilisation, "utilisation", dimension::share, false},
    {claim_input::latency, "latency", dimension::time, false},
    {claim_input::layer_latency, "layer_latency", dimension::time, false},
    {claim_input::throughput, "throughput", dimension::rate, false},
    {claim_input::samples, "samples", dimension::sample_rate, false},
    {claim_input::value, "value", dimension::any, false},
    {claim_input::reference, "reference", dimension::any, false},
    {claim_input::achieved_flops, "achieved_flops", dimension::operation_rate, false},
    {claim_input::peak_flops, "peak_flops", dimension::operation_rate},
    {claim_input::base_gpus, "base_gpus"},
    {claim_input::base_throughput, "base_throughput", dimension::rate, false},
    {claim_input::communication_time, "communication_time", dimension::time, false},
    {claim_input::step_time, "step_time", dimension::time, false},
};

[[nodiscard]] constexpr const claim_input_entry& entry(claim_input i) noexcept {
  return claim_input_table[static_cast<std::size_t>(i)];
}

[[nodiscard]] constexpr text name_of(claim_input i) noexcept { return entry(i).name; }

/// Numbers by name, each as it is printed.
struct claim_inputs {
  static constexpr std::size_t capacity = 32; // all of a deployment and its strategy, and what a claim adds

  struct item {
    claim_input name{};
    printed_value value{};

    friend constexpr bool operator==(const item&, const item&) noexcept = default;
  };

  sequence<item, capacity> items{};

  constexpr claim_inputs() noexcept = default;
  constexpr claim_inputs(std::initializer_list<item> given) noexcept {
    for (const item& i : given) set(i.name, i.value);
  }

  /// Replaces what was given before. False, and no change, where there is no room.
  constexpr bool set(claim_input name, const printed_value& value) noexcept {
    const std::size_t at = index_of(name);
    if (at == items.size()) return items.push_back({name, value});
    items[at].value = value;
    return true;
  }

  [[nodiscard]] constexpr bool gives(claim_input name) const noexcept { return index_of(name) != items.size(); }

  /// Precondition: given.
  [[nodiscard]] constexpr const printed_value& operator[](claim_input name) const noexcept { return items[index_of(name)].value; }

  friend constexpr bool operator==(const claim_inputs&, const claim_inputs&) noexcept = default;

private:
  [[nodiscard]] constexpr std::size_t index_of(claim_input name) const noexcept {
    std::size_t at = 0;
    while (at < items.size() && items[at].name != name) ++at;
    return at;
  }
};

} // namespace moeplan
