#pragma once

#include <cstdint>

#include <moeplan/number/divisors.hpp>
#include <moeplan/verify/rule.hpp>

/// @file
/// Nearest legal values: what one could write instead.

namespace moeplan::detail {

[[nodiscard]] constexpr legal_values values(nearest n) noexcept {
  legal_values v;
  if (n.below != 0) v.push_back(static_cast<std::int64_t>(n.below));
  if (n.above != 0 && n.above >> 63 == 0) v.push_back(static_cast<std::int64_t>(n.above));
  return v;
}

/// Divisors of `number` next to `value`.
[[nodiscard]] constexpr legal_values divisors(std::int64_t number, std::int64_t value) noexcept {
  if (number < 1 || value < 1) return {};
  return values(nearest_divisors(static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(value)));
}

/// Multiples of `unit` next to `value`.
[[nodiscard]] constexpr legal_values multiples(std::int64_t unit, std::int64_t value) noexcept {
  if (unit < 1 || value < 0) return {};
  return values(nearest_multiples(static_cast<std::uint64_t>(unit), static_cast<std::uint64_t>(value)));
}

/// One value alone.
[[nodiscard]] constexpr legal_values only(std::int64_t value) noexcept {
  legal_values v;
  v.push_back(value);
  return v;
}

/// GPUs of a stage that EP can spread over; 0 where ETP alone does not divide them, or they are not known.
[[nodiscard]] constexpr std::int64_t ranks_for_ep(const facts& f) noexcept {
  const bool divide = f.knows(known::degrees | known::no_overflow | known::folded) && f.stage_gpus % f.etp == 0;
  return divide ? f.stage_gpus / f.etp : 0;
}

/// Whether the profile is one of those.
[[nodiscard]] constexpr bool under(const facts& f, std::uint32_t profiles) noexcept {
  return (profiles & scope::of(f.profile)) != 0;
}

/// Values of at least 1 and at most `highest` next to `value` that a judgement accepts, as far as nearest_divisors looks.
[[nodiscard]] constexpr legal_values nearest_allowed(const facts& f, std::int64_t value, std::int64_t highest,
                                                     bool (*allows)(const facts&, std::int64_t)) noexcept {
  constexpr auto reach = static_cast<std::int64_t>(nearest_divisor_reach);
  legal_values v;
  if (value < 1 || highest < 1) return v;
  const std::int64_t start = value <= highest ? value : highest + 1;
  const std::int64_t last = highest - start > reach ? start + reach : highest;
  for (std::int64_t n = start - 1; n >= 1 && n >= start - reach && v.empty(); --n)
    if (allows(f, n)) v.push_back(n);
  const std::size_t below = v.size();
  for (std::int64_t n = start; n < last && v.size() == below;)
    if (allows(f, ++n)) v.push_back(n);
  return v;
}

/// TensorRT-LLM: CP ranks share keys and values while decoding, and the experts lie on all of them.
[[nodiscard]] constexpr bool is_helix(const facts& f) noexcept { return f.cp > 1 && f.decode_context == f.cp; }

/// TensorRT-LLM: DP ranks that work together have attention of one kind, tensor parallel or data parallel.
[[nodiscard]] constexpr bool is_attention_of_one_kind(const facts& f) noexcept { return f.replicas || f.tp == 1 || f.dp == 1; }

/// GPUs that TensorRT-LLM's moe_tp x moe_ep cover.
[[nodiscard]] constexpr std::int64_t trtllm_expert_ranks(const facts& f) noexcept {
  return is_helix(f) ? f.sharing_gpus : f.sharing_gpus / f.cp;
}

/// Whether training frameworks allow an EP. Precondition: it divides ranks_for_ep where that is known.
[[nodiscard]] constexpr bool training_allows_ep(const facts& f, std::int64_t ep) noexcept {
  const bool deepep = under(f, scope::megatron | scope::torchtitan) && f.dispatcher == token_dispatcher::deepep;
  if (deepep && f.knows(known::etp) && (f.etp > 160 || ep > 160 / f.etp)) return false;
  const bool shards = under(f, scope::torchtitan) && f.knows(known::degrees | known::no_overflow) && f.dp_shard != 0;
  return !shards || f.dp_shard * f.cp * f.tp % ep == 0;
}

/// Whether serving frameworks allow an EP. Precondition as above.
[[nodiscard]] constexpr bool serving_allows_ep(const facts& f, std::int64_t ep) noexcept {
  if (ranks_for_ep(f) == 0) return true;
  const std::int64_t ranks = f.etp * ep;
  if (f.sharing_gpus % ranks != 0) return false;
  const std::int64_t moe_dp = f.sharing_gpus / ranks;
  switch (f.profile) {
    case profile::vllm: return moe_dp == 1 && (ep == 1 || f.etp == 1);
    case profile::sglang: return moe_dp == 1 || moe_dp == f.cp;
    case profile::trtllm:
      return (ep == 1 || f.cp == 1 || is_helix(f)) && (!is_attention_of_one_kind(f) || ranks == trtllm_expert_ranks(f));
    default: return true;
  }
}

/// Whether every rule on EP accepts a divisor of the experts and of the ranks for them.
[[nodiscard]] constexpr bool allows_ep(const facts& f, std::int64_t ep) noexcept {
  const std::int64_t ranks = ranks_for_ep(f);
  if (ranks % ep != 0 || f.physical_experts % ep != 0) return false;
  if (f.experts < 1) return true;
  return f.knows(known::training) ? training_allows_ep(f, ep) : serving_allows_ep(f, ep);
}

/// EP that every rule accepts, so that following one does not break another. Where a stage cannot carry experts at all, or is not known,
/// the experts alone count.
[[nodiscard]] constexpr legal_values legal_ep(const facts& f) noexcept {
  const std::int64_t ranks = ranks_for_ep(f);
  const std::int64_t highest = gcd(ranks, f.physical_experts);
  return nearest_allowed(f, f.ep, highest, allows_ep);
}

/// The same, and nothing where the stage cannot carry experts.
[[nodiscard]] constexpr legal_values legal_ep_on_stage(const facts& f) noexcept {
  return ranks_for_ep(f) == 0 ? legal_values{} : legal_ep(f);
}

/// Whether every rule on ETP accepts one.
[[nodiscard]] constexpr bool allows_etp(const facts& f, std::int64_t etp) noexcept {
  if (f.expert_mlp % etp != 0) return false;
  if (etp == 1) return true;
  switch (f.profile) {
    case profile::torchtitan:
    case profile::deepspeed: return false;
    case profile::vllm: return !f.knows(known::serving | known::ep) || f.ep == 1;
    case profile::sglang: { // A multiple of the ranks that share experts, exactly all of them, or EP 1.
      if (f.sharing_gpus == 0 || f.ep == 1) return true;
      const auto ranks = saturating_count{etp} * f.ep;
      return !fits(ranks) || f.sharing_gpus % or_zero(ranks) != 0 || f.sharing_gpus == or_zero(ranks);
    }
    default: return true;
  }
}

/// ETP that every rule accepts.
[[nodiscard]] constexpr legal_values legal_etp(const facts& f) noexcept {
  return nearest_allowed(f, f.etp, f.expert_mlp, allows_etp);
}

/// Whether heads, hidden size and intermediate sizes allow a TP.
[[nodiscard]] constexpr bool allows_tp(const facts& f, std::int64_t tp) noexcept {
  // Where DP is what the GPUs leave, less TP would make it more than 1, and TensorRT-LLM has one or the other.
  if (under(f, scope::trtllm) && f.knows(known::serving) && !f.dp_given && tp != 1) return false;
  const bool split = !under(f, scope::megatron | scope::torchtitan | scope::vllm | scope::sglang) || f.kv_heads % tp == 0;
  const bool copied = !under(f, scope::torchtitan) && tp % f.kv_heads == 0;
  const bool vocabulary = f.vocabulary_multiple != 0 || f.vocabulary_size % tp == 0;
  return (split || copied) && vocabulary && f.heads % tp == 0 && f.hidden_size % tp == 0 && f.dense_mlp % tp == 0 &&
         f.shared_mlp % tp == 0;
}

/// TP that every rule on what TP splits accepts. It is at most the number of heads.
[[nodiscard]] constexpr legal_values legal_tp(const facts& f) noexcept { return nearest_allowed(f, f.tp, f.heads, allows_tp); }

/// What DP must be a multiple of so that ETP x EP divides the GPUs of a stage; 0 if that needs more than 64 bits.
/// Precondition: all degrees but DP are known.
[[nodiscard]] constexpr std::int64_t dp_unit(const facts& f) noexcept {
  if (!f.knows(known::folded)) return 1;
  const auto dense = saturating_count{f.tp} * f.cp;
  const auto expert = saturating_count{f.etp} * f.ep;
  return dense.overflowed() || expert.overflowed() ? 0 : or_zero(expert / gcd(dense, expert));
}

/// Numbers of GPUs that both grids divide.
[[nodiscard]] constexpr legal_values legal_gpus(const facts& f) noexcept {
  return multiples(or_zero(saturating_count{f.model_parallel} * dp_unit(f)), f.available);
}

/// The largest DP that the cluster has GPUs for, the experts fit and the global batch divides by.
[[nodiscard]] constexpr legal_values legal_dp(const facts& f) noexcept {
  const std::int64_t unit = dp_unit(f);
  if (unit == 0) return {};
  const bool batch_counts = f.knows(known::training | known::batch) && f.global_batch_given && f.global_batch % f.micro_batch == 0;
  std::int64_t dp = f.available / f.model_parallel / unit * unit;
  for (std::uint64_t tried = 0; dp >= 1 && tried < nearest_divisor_reach; dp -= unit, ++tried)
    if (!batch_counts || f.global_batch / f.micro_batch % dp == 0) return only(dp);
  return {};
}

/// The DP that leaves no GPU idle, if there is one.
[[nodiscard]] constexpr legal_values legal_dp_for_all(const facts& f) noexcept {
  const legal_values v = legal_dp(f);
  const bool too_many = under(f, scope::sglang) && f.replicas && f.gpus_per_node > 0 && f.available > f.gpus_per_node;
  return !v.empty() && v[0] * f.model_parallel == f.available && !too_many ? v : legal_values{};
}

/// What context and sequence parallelism want a sequence to be a multiple of; 0 if that needs more than 64 bits.
[[nodiscard]] constexpr std::int64_t sequence_unit(const facts& f) noexcept {
  if (!f.knows(known::training | known::cp)) return 1;
  const bool torchtitan = under(f, scope::torchtitan);
  const auto chunks = saturating_count{f.cp} * ((torchtitan || under(f, scope::megatron)) && f.cp > 1 ? 2 : 1);
  const bool deepep = torchtitan && f.dispatcher == token_dispatcher::deepep;
  const auto ranks = torchtitan ? chunks : saturating_count{f.cp};
  const auto shards = ranks * (f.knows(known::tp | known::sp) && (f.sp > 1 || deepep) ? f.tp : 1);
  return chunks.overflowed() || shards.overflowed() ? 0 : or_zero(lcm(chunks, shards));
}

/// Sequence lengths that every rule accepts.
[[nodiscard]] constexpr legal_values legal_sequence(const facts& f) noexcept {
  const bool bounded = under(f, scope::megatron | scope::torchtitan | scope::vllm | scope::sglang) && f.has_max_positions;
  legal_values v;
  for (const std::int64_t length : multiples(sequence_unit(f), f.sequence_length))
    if (!bounded || length <= f.max_positions) v.push_back(length);
  return v;
}

/// Whether a rank runs 1F1B on several virtual stages, or on one.
[[nodiscard]] constexpr bool interleaves(const facts& f) noexcept {
  return f.schedule == schedule::one_forward_one_backward && f.chunks > 1;
}
[[nodiscard]] constexpr bool is_plain_1f1b(const facts& f) noexcept {
  return f.schedule == schedule::one_forward_one_backward && f.chunks == 1;
}

/// What pipelines want the micro-batches of a step to be: a multiple of `unit`, and at least `least`, which is one.
struct wanted_micro_batches {
  std::int64_t unit = 1;
  saturating_count least = 1;
};
[[nodiscard]] constexpr wanted_micro_batches micro_batches_wanted(const facts& f) noexcept {
  if (!f.knows(known::training | known::pp)) return {};
  if (f.is_dualpipe) return {2, saturating_count{f.pp} * 2};
  if (f.schedule == schedule::dualpipe_v) return {1, saturating_count{f.pp} * 2};
  if (!f.knows(known::chunks)) return {};
  if (under(f, scope::megatron) && interleaves(f)) return {f.pp, f.pp};
  if (under(f, scope::torchtitan) && is_plain_1f1b(f)) return {1, f.pp};
  return {};
}

/// PyTorch's interleaved 1F1B: rounds of PP micro-batches or somewhat more, equally many each.
[[nodiscard]] constexpr bool divide_into_rounds(std::int64_t micro_batches, std::int64_t pp) noexcept {
  const std::int64_t rounds = micro_batches / pp;
  return rounds < 2 || micro_batches % rounds == 0;
}

/// Global batches that every rule accepts.
[[nodiscard]] constexpr legal_values legal_global_batch(const facts& f) noexcept {
  const wanted_micro_batches wanted = micro_batches_wanted(f);
  const std::int64_t unit = or_zero(saturating_count{f.batch_unit} * wanted.unit);
  const std::int64_t least = or_zero(wanted.least * f.batch_unit);
  if (unit == 0 || least == 0) return {};
  if (f.global_batch < least) return only(least);
  const bool in_rounds = f.knows(known::pp | known::chunks) && under(f, scope::torchtitan) && interleaves(f);
  const auto allowed = [&](std::int64_t n) { return !in_rounds || divide_into_rounds(n, f.pp); };
  constexpr auto reach = static_cast<std::int64_t>(nearest_divisor_reach);
  const std::int64_t units = f.global_batch / unit;
  legal_values v;
  for (std::int64_t n = f.global_batch % unit == 0 ? units - 1 : units; n >= least / unit && n > units - reach && v.empty(); --n)
    if (allowed(n)) v.push_back(n * unit);
  const std::size_t below = v.size();
  const std::int64_t most = __INT64_MAX__ / unit;
  const std::int64_t last = most - units > reach ? units + reach : most;
  for (std::int64_t n = units; n < last && v.size() == below;)
    if (allowed(++n)) v.push_back(n * unit);
  return v;
}

/// The longest sequence that the model's positions and every rule allow.
[[nodiscard]] constexpr legal_values legal_longest_sequence(const facts& f) noexcept {
  const std::int64_t unit = sequence_unit(f);
  return unit < 1 || f.max_positions < unit ? legal_values{} : only(f.max_positions / unit * unit);
}

/// Off, where nothing needs it, or TP.
[[nodiscard]] constexpr legal_values legal_sp(const facts& f) noexcept {
  legal_values v;
  if (!f.knows(known::training) || !f.overlap.tensor_parallel) v.push_back(1);
  if (f.tp != 1) v.push_back(f.tp);
  return v;
}

/// CP that divides both the query heads and the heads of keys and values of a TP rank, which all-to-all exchange needs.
[[nodiscard]] constexpr legal_values legal_cp_for_heads(const facts& f) noexcept {
  const std::int64_t heads = f.knows(known::tp) && f.heads % f.tp == 0 ? f.heads / f.tp : 0;
  // DeepSpeed's rule is on heads before TP divides them, which it does not do beside Ulysses.
  if (under(f, scope::deepspeed)) return divisors(gcd(heads, f.kv_heads), f.cp);
  const std::int64_t kv_heads = f.kv_heads % f.tp == 0 ? f.kv_heads / f.tp : f.tp % f.kv_heads == 0 ? 1 : 0;
  return divisors(gcd(heads, kv_heads), f.cp);
}

/// Divisors of a number of layers or stages as PP. Where DP is what the GPUs leave, another PP changes how many copies there are of each
/// expert, of which SGLang has one beside a pipeline: then PP is 1.
[[nodiscard]] constexpr legal_values legal_pp(const facts& f, std::int64_t number) noexcept {
  const bool copies = under(f, scope::sglang) && f.knows(known::serving) && !f.dp_given;
  return copies && number > 0 && f.pp != 1 ? only(1) : divisors(number, f.pp);
}

/// Groups that a token may visit: no more than there are, nor than it has experts.
[[nodiscard]] constexpr legal_values legal_group_top_k(const facts& f) noexcept {
  if (f.groups < 1) return {};
  if (f.group_top_k < 1) return only(1);
  return only(f.top_k >= 1 && f.top_k < f.groups ? f.top_k : f.groups);
}

/// The fewest layers that each of a rank's virtual stages can share evenly.
[[nodiscard]] constexpr legal_values one_a_virtual_stage(const facts& f) noexcept { return only(f.knows(known::vpp) ? f.vpp : 1); }

/// Divisors of the experts, and for torchtitan two experts a group at least.
[[nodiscard]] constexpr legal_values legal_groups(const facts& f) noexcept {
  legal_values v;
  if (f.groups < 1) return only(1);
  for (const std::int64_t groups : divisors(f.experts, f.groups))
    if (groups == 1 || groups != f.experts || !under(f, scope::torchtitan)) v.push_back(groups);
  return v;
}

[[nodiscard]] constexpr legal_values one(const facts&) noexcept { return only(1); }

/// Of so many virtual stages of a rank the memory of training is computed.
inline constexpr std::int64_t most_virtual_stages = 64;

/// Whether the schedule allows so many stages, or virtual stages of each rank, and memory is computed of as many. A listed layout has as many as it lists, whatever VPP says.
[[nodiscard]] constexpr bool suits_schedule(const facts& f, text changes, std::int64_t value) noexcept {
  if (changes == text{"pp"}) return !f.is_dualpipe || value % 2 == 0;
  if (changes != text{"vpp"} || f.layout == layout_kind::listed) return true;
  if (f.knows(known::training) && value > most_virtual_stages) return false;
  return (!f.placed_in_a_v || value == 2) && (!f.one_chunk_schedule || value == 1);
}

/// Values that the schedule allows.
[[nodiscard]] constexpr legal_values suiting_schedule(const facts& f, text changes, const legal_values& values) noexcept {
  legal_values v;
  for (const std::int64_t value : values)
    if (suits_schedule(f, changes, value)) v.push_back(value);
  return v;
}

} // namespace moeplan::detail
