#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/dialect/stage_split.hpp>
#include <moeplan/dialect/writing.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/text/text.hpp>

/// @file
/// What all dialects have in common: enumerators in a framework's words, products of degrees, and what most frameworks cannot say.

namespace moeplan::dialect {

/// An enumerator and a framework's word for it.
template <class T>
struct spelling {
  T value{};
  text word{};
};

/// The word for a value; empty if the framework has none.
template <class T, std::size_t N>
[[nodiscard]] constexpr text word_for(const spelling<T> (&spellings)[N], T value) noexcept {
  for (const spelling<T>& s : spellings)
    if (s.value == value) return s.word;
  return {};
}

/// The value of a word, or of an absent one. Precondition: the word is in the list or empty, which a row's choices see to.
template <class T, std::size_t N>
[[nodiscard]] constexpr T value_for(const spelling<T> (&spellings)[N], text word, T absent) noexcept {
  for (const spelling<T>& s : spellings)
    if (s.word == word && !word.empty()) return s.value;
  return absent;
}

/// The product of degrees; 0 if one is below 1 or the product needs more than 63 bits.
template <class... Degrees>
[[nodiscard]] constexpr std::int64_t ranks(Degrees... degrees) noexcept {
  if (((degrees < 1) || ...)) return 0;
  const saturating_count all = (saturating_count{1} * ... * degrees);
  return all.bits >> 63 != 0 ? 0 : static_cast<std::int64_t>(all.bits);
}

/// `whole` / `part`; 0 if that is no integer, or one of the two is below 1.
[[nodiscard]] constexpr std::int64_t divided(std::int64_t whole, std::int64_t part) noexcept {
  return whole < 1 || part < 1 || whole % part != 0 ? 0 : whole / part;
}

/// An integer of a framework's words, only where it is not what the framework takes without it.
[[nodiscard]] constexpr optional_integer unless(std::int64_t value, std::int64_t by_itself) noexcept {
  return value == by_itself ? optional_integer{} : optional_integer{value};
}

/// The size of a cluster as a launcher's flags say. Without a number of nodes it is one.
constexpr void read_launcher(cluster& c, optional_integer nodes, optional_integer gpus_per_node) noexcept {
  if (!nodes.given && !gpus_per_node.given) return;
  c.total = {};
  if (nodes.given) c.nodes = nodes;
  if (gpus_per_node.given) c.gpus_per_node = gpus_per_node;
  if (!c.nodes.given) c.nodes = 1;
}

/// For frameworks that take DP to be what their processes leave, one on every GPU: where the cluster does not say as much.
/// Precondition: degrees are given, as spelled_out() does.
constexpr void note_derived_dp(writing& out, const deployment& d, framework f) noexcept {
  const facts known_of = facts_of(d);
  if (!d.strategy.resolved() || !known_of.knows(known::no_overflow)) return;
  if (known_of.knows(known::cluster) && known_of.gpus == known_of.available) return;
  out.cannot("dp", d.strategy[axis::dp], {})
      .append(title_of(f))
      .append(text{" has no flag for it, and runs on every GPU it is launched on; here that must be "})
      .append(known_of.gpus);
}

/// The rank order in Megatron-LM's spelling.
[[nodiscard]] constexpr text_buffer<32> spelled(const rank_order& order) noexcept {
  text_buffer<32> result;
  for (const axis a : order.axes) {
    if (result.size() != 0) result.append('-');
    result.append(name_of(a));
  }
  return result;
}

/// What no framework's flags say, and what those of a framework that trains or serves do not.
constexpr void note_what_no_flag_says(writing& out, const deployment& d, framework f) noexcept {
  const strategy& s = d.strategy;
  if (s.mapping != mapping::folded)
    out.cannot("mapping product: the degrees of a framework make up two grids, and are never all multiplied");
  if (!s.resolved() && !trains(f)) out.cannot("dp: it is neither given nor to be derived from the number of GPUs");
  if (trains(f) && d.workload.is_serving()) out.cannot("serving: ").append(title_of(f)).append(text{" trains"});
  if (!trains(f) && d.workload.is_training()) out.cannot("training: ").append(title_of(f)).append(text{" serves"});
}

constexpr void note_order(writing& out, const deployment& d, const rank_order& its_own, text why) noexcept {
  if (d.strategy.order == its_own) return;
  out.cannot("order", text{spelled(d.strategy.order)}, why);
}

/// For frameworks whose experts are not cut.
constexpr void note_uncut_experts(writing& out, const deployment& d, text why) noexcept {
  if (d.strategy[axis::etp] != 1) out.cannot("etp", d.strategy[axis::etp], why);
}

/// Members of training that no flag of a serving framework or of a plain trainer is about, where they are not what they are by default.
constexpr void note_overlap(writing& out, const deployment& d, text why) noexcept {
  const overlap& o = d.workload.train.overlap;
  if (o.tensor_parallel) out.cannot("overlap/tensor_parallel", text{"true"}, why);
  if (o.shared_experts) out.cannot("overlap/shared_experts", text{"true"}, why);
  if (o.expert_parallel) out.cannot("overlap/expert_parallel", text{"true"}, why);
  if (o.delayed_weight_gradient) out.cannot("overlap/delayed_weight_gradient", text{"true"}, why);
}

constexpr void note_routing(writing& out, const deployment& d, text why) noexcept {
  const routing& r = d.workload.train.routing;
  const routing by_default{};
  if (r.balancing != by_default.balancing) out.cannot("routing/balancing: ").append(why);
  if (r.capacity_factor != by_default.capacity_factor) out.cannot("routing/capacity_factor: ").append(why);
  if (r.pad_to_capacity) out.cannot("routing/pad_to_capacity", text{"true"}, why);
  if (r.pre_softmax) out.cannot("routing/pre_softmax", text{"true"}, why);
}

/// The padding of the vocabulary, where it is not what a deployment takes by itself.
constexpr void note_vocabulary_multiple(writing& out, const deployment& d, text why) noexcept {
  const std::int64_t by_default = training{}.vocabulary_multiple;
  if (d.workload.vocabulary_multiple() != by_default) out.cannot("vocabulary_multiple", d.workload.vocabulary_multiple(), why);
}

/// EP and ETP of a model without experts, which flags leave at 1.
constexpr void note_experts_of_a_dense_model(writing& out, const deployment& d) noexcept {
  if (d.model.has_experts()) return;
  for (const axis a : {axis::ep, axis::etp})
    if (d.strategy[a] != 1) out.cannot(name_of(a), d.strategy[a], "the model has no experts");
}

/// The training of a base, or that of a deployment which says nothing about it.
[[nodiscard]] constexpr training training_of(const deployment& base) noexcept {
  return base.workload.is_training() ? base.workload.train : training{};
}

/// What serving frameworks say of the workload, in words that they have in common.
struct serving_words {
  optional_integer batch{}, sequence_length{}, redundant_experts{}, decode_context{};
  moeplan::data_parallelism data_parallelism = moeplan::data_parallelism::attention;
  bool elastic_ep = false;
};

/// Serving as flags say; the batch and the sequence length, where these do not say them, as the base does.
[[nodiscard]] constexpr serving serving_of(const deployment& base, const serving_words& w) noexcept {
  serving s = base.workload.is_serving() ? base.workload.serve : serving{};
  s.batch = w.batch.value_or(s.batch);
  // Without a flag every one of the frameworks takes the model's own limit.
  s.sequence_length = w.sequence_length.value_or(s.sequence_length != 0 ? s.sequence_length : base.model.max_positions.number);
  s.redundant_experts = w.redundant_experts.value_or(0);
  s.decode_context = w.decode_context.value_or(1);
  s.data_parallelism = w.data_parallelism;
  s.elastic_ep = w.elastic_ep;
  return s;
}

/// What serving_of() does not find by itself.
[[nodiscard]] constexpr serving_words words_for(const serving& s, const model& m) noexcept {
  serving_words w{.data_parallelism = s.data_parallelism, .elastic_ep = s.elastic_ep};
  w.batch = unless(s.batch, serving{}.batch);
  if (s.sequence_length != 0) w.sequence_length = unless(s.sequence_length, m.max_positions.number);
  w.redundant_experts = unless(s.redundant_experts, 0);
  w.decode_context = unless(s.decode_context, 1);
  return w;
}

/// Turns a base into what a serving framework's words come down to: degrees, the framework's own split of the layers, and serving.
constexpr void serve_with(deployment& d, const strategy& s, stage_split split, const serving_words& w) noexcept {
  d.strategy = s;
  d.layout = layout_of(s[axis::pp], [&](std::int64_t i) { return split(d.model.layers, s[axis::pp], i); });
  d.workload = serving_of(d, w);
  d = spelled_out(d);
}

/// Whether DP ranks are replicas that share nothing. Without experts there is nothing to share.
[[nodiscard]] constexpr bool has_replicas(const deployment& d) noexcept {
  return d.workload.is_serving() && d.workload.serve.data_parallelism == data_parallelism::replicas && d.strategy[axis::dp] > 1;
}

/// For frameworks whose flags start one replica.
constexpr void note_replicas(writing& out, const deployment& d, text why) noexcept {
  out.cannot("data_parallelism", text{"replicas"}, why).append(text{"; these flags start one of "}).append(d.strategy[axis::dp]);
}

/// For frameworks that share keys and values while decoding over ranks of TP, in groups of one size.
constexpr void note_uneven_decode_context(writing& out, const deployment& d, text why) noexcept {
  const std::int64_t ranks_that_share = d.workload.serve.decode_context;
  if (divided(d.strategy[axis::tp], ranks_that_share) == 0)
    out.cannot("decode_context", ranks_that_share, why).append(d.strategy[axis::tp]);
}

/// What serving frameworks have no flags for, beside what is their own.
constexpr void note_serving(writing& out, const deployment& d) noexcept {
  if (d.workload.is_serving()) note_vocabulary_multiple(out, d, "a serving framework pads the vocabulary by itself");
}

constexpr void note_split(writing& out, const deployment& d, stage_split split, text why) noexcept {
  if (!is_split_as(d, split)) out.cannot("layout: ").append(why);
}

constexpr void note_no_interleaving(writing& out, const deployment& d, text why) noexcept {
  if (d.strategy[axis::vpp] != 1) out.cannot("vpp", d.strategy[axis::vpp], why);
}

} // namespace moeplan::dialect
