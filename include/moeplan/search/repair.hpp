#pragma once

#include <cstddef>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/search/repair_answer.hpp>
#include <moeplan/search/repair_search.hpp>

/// @file
/// The nearest legal deployments to one that violates rules.

namespace moeplan {

/// The legal deployments nearest to one that is not, of one that is legal this one alone. `check` alone decides what is legal: errors make a
/// deployment illegal, warnings and advice do not. In constant expressions the compilers' default limits suffice for the first answer
/// (Most = 1) where one change of a model such as Mixtral is enough, and g++'s where two are.
///
/// **What may change**: the degrees, micro-batch, layout and order of ranks; never the model, the cluster, the batch or what else there
/// is. The mapping is read as folded, whatever it is. Parts in `options.pinned` stay as they are.
/// - TP: divisors of the heads. EP: divisors of the experts, redundant ones included. ETP: divisors of an expert's intermediate size.
///   Both are 1 where the model has no experts.
/// - CP: divisors of the sequence length; in serving, of the cluster's GPUs.
/// - PP: divisors of the layers of an even layout, else up to the number of layers, or of stages that a layout lists. VPP: 1 to 64. No
///   virtual stage of a layout that is not listed becomes empty.
/// - SP: off or TP. Where it is TP it stays so when TP changes, which is no change.
/// - Layout: even, with embedding, loss or both counted as layers, or balanced.
/// - Order of ranks: Megatron-LM's, tp-cp-ep-dp-pp.
/// - Micro-batch: divisors of the global batch; without one, the given one halved, again and again.
/// - DP: derived, so that no GPU of the cluster is idle, which is no change. GPUs left idle are one, even if the given deployment leaves
///   some: then DP is what leaves fewest. Without a cluster, or pinned, DP stays as it is.
/// Nothing becomes more than the cluster's GPUs or 2^20 (`most_repaired_value`), and if a part has more than 512 values
/// (`most_repair_values`) the outcome says so.
///
/// **Nearest**: first, fewer changes. Second, the smaller product of how many times larger or smaller each changed number has become, as
/// an exact fraction: with EP 64 to 32 and micro-batch 32 to 8 it is 8. (That orders like the sum of |log ratio|.) A number below 1 counts as
/// 1, idle GPUs as the cluster's GPUs over those in use, SP, layout and order as 1; products beyond 2^256 are equal. Third, the repair whose
/// costliest change is cheaper, in the order of `repair_part`. Fourth, of the same changes, the smaller TP, then CP, PP, ETP, EP, VPP, SP,
/// the earlier layout in the list above, the smaller micro-batch.
///
/// **No repair contains another**: of each set of parts whose change can do, only the nearest repair is an answer, and none where some of
/// the set already does. So the answers are different ways out. To see a part's other values, pin or set what is to stay.
///
/// The first answer is the nearest of all there are, and each further one the nearest of all that the answers before leave, as long as it
/// has at most `options.further_changes` more changes than the first; unless the outcome says that the search was stopped.
///
/// Cost: 0.1 to 15 ms for deployments of DeepSeek-V3 on 2048 GPUs, and up to half a second where little or nothing fits and
/// options.most_considered is reached. What cannot be repaired is known at once where a rule is violated that no part has to do with, or
/// where weights, gradients and the optimizer's states take more than all GPUs have together. Elsewhere the states of each stage rule out
/// all micro-batches at once.
template <std::size_t Most = 8, int OnUse = 0>
[[nodiscard]] constexpr repairs<Most> nearest_repairs(const deployment& d, const repair_options& options = {}) noexcept {
  detail::repair_search<Most, OnUse> search{d, options};
  search.run();
  return search.result;
}

} // namespace moeplan
