#pragma once

#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/memory_limit.hpp>
#include <moeplan/memory/serving_memory.hpp>
#include <moeplan/memory/stage_memory.hpp>
#include <moeplan/memory/training_memory.hpp>
#include <moeplan/number/bytes.hpp>

/// @file
/// Does it fit? The memory of every pipeline stage of a deployment, for training and for serving.

namespace moeplan {

namespace detail {

/// A rank of a pipeline that serves: weights and cache of its virtual stages.
[[nodiscard]] constexpr saturating_stage_memory serving_stage(const deployment& d, const serving_parts<saturating_count>& served,
                                                              const rank_parts<saturating_count>& counted,
                                                              std::int64_t rank) noexcept {
  saturating_stage_memory m;
  m.stage = rank;
  m.time = peak_time::serving;
  const std::int64_t all = virtual_stages(d.strategy, d.layout);
  for (std::int64_t v = rank; v < all; v += d.strategy[axis::pp]) {
    stage_contents held = contents(d.model, d.strategy, d.layout, v);
    if (!d.workload.serve.drafts) held.mtp_layers = 0; // They are not loaded.
    const rank_parameters<saturating_count> p = parameters_of_stage(counted, parts_of_stage(d.model, held));
    const serving_memory<saturating_count> taken = serving_memory_of(d, served, v);
    m.layers += held.decoder_layers;
    m.dense_parameters += p.dense.total();
    m.expert_parameters += p.experts.total();
    m.weights += taken.weights.total();
    m.kv_cache += taken.cache.total();
  }
  return m;
}

/// Calls visit with the memory of each stage, without an error where one overflows.
template <class Visit>
constexpr void visit_stage_memories(const deployment& d, Visit& visit) noexcept {
  if (d.workload.is_training()) return training_memory{d}.visit_stages(visit);
  const serving& v = d.workload.serve;
  const serving_parts<saturating_count> served = serving_parts_of<saturating_count>(d);
  const rank_parts<saturating_count> counted =
      parts_of_rank<saturating_count>(d.model, served.rank, d.strategy, v.vocabulary_multiple, assumptions::megatron());
  for (std::int64_t rank = 0; rank < d.strategy[axis::pp]; ++rank) visit(serving_stage(d, served, counted, rank));
}

struct highest_stage {
  saturating_stage_memory stage{};
  bool any = false;
  constexpr void operator()(const saturating_stage_memory& s) noexcept {
    if (any && !(s.peak() > stage.peak())) return;
    stage = s;
    any = true;
  }
};

template <class Visit>
struct exact_stages {
  Visit* visit;
  constexpr void operator()(const saturating_stage_memory& s) noexcept { (*visit)(exact(s)); }
};

struct stage_of_rank {
  std::int64_t rank = 0;
  stage_memory stage{};
  constexpr void operator()(const saturating_stage_memory& s) noexcept {
    if (s.stage == rank) stage = exact(s);
  }
};

} // namespace detail

/// The memory of a deployment's stages. It refers to the deployment, which must outlive it. A template so that only who asks for
/// memory compiles it. Precondition: a deployment that `check` accepts; an overflow is a compile error in a constant expression and
/// an overflowed amount otherwise.
template <int OnUse = 0>
class deployment_memory {
public:
  constexpr explicit deployment_memory(const deployment& d) noexcept : deployment_{&d} {}

  [[nodiscard]] constexpr std::int64_t stages() const noexcept { return deployment_->strategy[axis::pp]; }

  /// Calls visit(const stage_memory&) for each stage, from the first to the last.
  template <class Visit>
  constexpr void visit_stages(Visit& visit) const noexcept {
    detail::exact_stages<Visit> each{&visit};
    detail::visit_stage_memories(*deployment_, each);
  }

  /// Precondition: 0 <= stage < stages(). To look at several, visit_stages() is faster.
  [[nodiscard]] constexpr stage_memory stage(std::int64_t stage) const noexcept {
    detail::stage_of_rank found{.rank = stage};
    detail::visit_stage_memories(*deployment_, found);
    return found.stage;
  }

  /// The stage whose ranks need most; of several the first.
  [[nodiscard]] constexpr stage_memory fullest_stage() const noexcept {
    detail::highest_stage highest;
    detail::visit_stage_memories(*deployment_, highest);
    return detail::exact(highest.stage);
  }

  /// The most that any rank has allocated at once.
  [[nodiscard]] constexpr bytes peak() const noexcept { return fullest_stage().peak(); }

  /// What a rank may take: the GPU's usable memory, or the nominal where only that is known, less the reserve. 0: not known, or
  /// the reserve leaves nothing.
  [[nodiscard]] constexpr bytes capacity() const noexcept { return bytes{detail::exact(detail::memory_limit(*deployment_))}; }

  /// Precondition: the GPU's memory is known.
  [[nodiscard]] constexpr bool fits() const noexcept { return peak() <= capacity(); }

private:
  const deployment* deployment_;
};

/// See deployment_memory.
[[nodiscard]] constexpr deployment_memory<> memory(const deployment& d) noexcept { return deployment_memory<>{d}; }

/// It would refer to a deployment that is gone; name it first.
deployment_memory<> memory(deployment&&) = delete;

} // namespace moeplan
