// The least that a pipeline rank's GPUs have to send and receive over NVLink and over the network in a step, in fractions of integers of
// any length: GPU by GPU, layer by layer. Written from what has to be where, not from the library's sums over groups; slow, for small
// worlds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <moeplan/cost/product_time.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/memory/rank_model.hpp>
#include <moeplan/memory/rank_parameters.hpp>
#include <moeplan/memory/stage_parts.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

#include "cost/slow_topology.hpp"
#include "number/oracle.hpp"

namespace moeplan_test {

/// Bytes of a GPU, on average over those of a pipeline rank.
struct slow_bytes {
  oracle::fraction nvlink_sent;
  oracle::fraction nvlink_received;
  oracle::fraction network_sent;
  oracle::fraction network_received;

  [[nodiscard]] oracle::fraction nvlink() const { return std::max(nvlink_sent, nvlink_received); }
  [[nodiscard]] oracle::fraction network() const { return std::max(network_sent, network_received); }

  slow_bytes& operator+=(const slow_bytes& b) {
    nvlink_sent += b.nvlink_sent;
    nvlink_received += b.nvlink_received;
    network_sent += b.network_sent;
    network_received += b.network_received;
    return *this;
  }
  friend slow_bytes operator+(slow_bytes a, const slow_bytes& b) { return a += b; }
  friend slow_bytes operator*(const oracle::fraction& n, const slow_bytes& b) {
    return {n * b.nvlink_sent, n * b.nvlink_received, n * b.network_sent, n * b.network_received};
  }
  /// The other way round: who has sent receives.
  [[nodiscard]] slow_bytes mirrored() const { return {nvlink_received, nvlink_sent, network_received, network_sent}; }
  /// What neither of two ways does without.
  [[nodiscard]] friend slow_bytes least(const slow_bytes& a, const slow_bytes& b) {
    return {std::min(a.nvlink_sent, b.nvlink_sent), std::min(a.nvlink_received, b.nvlink_received),
            std::min(a.network_sent, b.network_sent), std::min(a.network_received, b.network_received)};
  }
  /// Where one of the two is a part of the other.
  [[nodiscard]] friend slow_bytes most(const slow_bytes& a, const slow_bytes& b) {
    return {std::max(a.nvlink_sent, b.nvlink_sent), std::max(a.nvlink_received, b.nvlink_received),
            std::max(a.network_sent, b.network_sent), std::max(a.network_received, b.network_received)};
  }
};

/// The GPUs of one pipeline rank and the groups that they are in.
class slow_stage {
public:
  slow_stage(const moeplan::deployment& d, std::int64_t pipeline_rank)
      : mesh_{d.strategy}, gpus_of_domain_{d.cluster.nvlink_gpus()} {
    for (std::int64_t rank = 0; rank < mesh_.world(); ++rank)
      if (mesh_.dense_at(rank).pp == pipeline_rank) ranks_.push_back(rank);
  }

  /// Every rank gets the parts of all others in its group, `size` bytes with its own.
  [[nodiscard]] slow_bytes gather(const groups_of_ranks& groups) const {
    return average(groups, [&](const ranks_of_group& group, std::int64_t rank) {
      const oracle::fraction part{1, members(group)};
      const std::int64_t here = in_domain_of(group, rank);
      const std::int64_t elsewhere = members(group) - here;
      slow_bytes b;
      b.nvlink_received = (here - 1) * part;
      if (here > 1) b.nvlink_sent = part;           // A switch copies it for all of them.
      b.network_received = elsewhere * part / here; // It comes once to the domain, whose ranks share the work.
      if (elsewhere > 0) b.network_sent = part;
      return b;
    });
  }
  [[nodiscard]] slow_bytes scatter(const groups_of_ranks& groups) const { return gather(groups).mirrored(); }
  [[nodiscard]] slow_bytes reduce(const groups_of_ranks& groups) const { return gather(groups) + scatter(groups); }

  /// A byte a rank, as much of it to each rank of its group.
  [[nodiscard]] slow_bytes exchange(const groups_of_ranks& groups) const {
    return average(groups, [&](const ranks_of_group& group, std::int64_t rank) {
      const std::int64_t here = in_domain_of(group, rank);
      slow_bytes b;
      b.nvlink_sent = b.nvlink_received = oracle::fraction{here - 1, members(group)};
      b.network_sent = b.network_received = oracle::fraction{members(group) - here, members(group)};
      return b;
    });
  }

  /// To the rank at the same place of another pipeline rank.
  [[nodiscard]] slow_bytes send_to(std::int64_t pipeline_rank) const {
    slow_bytes sum;
    for (const std::int64_t rank : ranks_) {
      moeplan::dense_coordinates at = mesh_.dense_at(rank);
      at.pp = pipeline_rank;
      (same_domain(rank, mesh_.rank(at)) ? sum.nvlink_sent : sum.network_sent) += 1;
    }
    return oracle::fraction{1, members(ranks_)} * sum;
  }

  /// The groups along some axes that lie on this pipeline rank.
  [[nodiscard]] groups_of_ranks along(moeplan::group_axes axes) const {
    groups_of_ranks all;
    for (const std::int64_t rank : ranks_) {
      ranks_of_group group;
      for (const std::int64_t member : mesh_.group(axes, rank)) group.push_back(member);
      if (group.front() == rank) all.push_back(group);
    }
    return all;
  }

  /// Domains that each of the groups touches, if it has as many ranks on each; else 0.
  [[nodiscard]] std::int64_t even_domains(const groups_of_ranks& groups) const {
    std::int64_t domains = 0;
    for (const ranks_of_group& group : groups) {
      const std::int64_t here = in_domain_of(group, group.front());
      for (const std::int64_t rank : group)
        if (in_domain_of(group, rank) != here) return 0;
      if (domains != 0 && domains != members(group) / here) return 0;
      domains = members(group) / here;
    }
    return domains;
  }

  /// Whether any group along some axes lies on several domains.
  [[nodiscard]] bool straddles(moeplan::group_axes axes) const {
    for (const ranks_of_group& group : along(axes))
      if (in_domain_of(group, group.front()) != members(group)) return true;
    return false;
  }

private:
  [[nodiscard]] static std::int64_t members(const ranks_of_group& group) { return static_cast<std::int64_t>(group.size()); }
  [[nodiscard]] bool same_domain(std::int64_t a, std::int64_t b) const { return a / gpus_of_domain_ == b / gpus_of_domain_; }
  [[nodiscard]] std::int64_t in_domain_of(const ranks_of_group& group, std::int64_t rank) const {
    return std::count_if(group.begin(), group.end(), [&](std::int64_t other) { return same_domain(rank, other); });
  }

  template <class OfRank>
  [[nodiscard]] slow_bytes average(const groups_of_ranks& groups, const OfRank& of_rank) const {
    slow_bytes sum;
    for (const ranks_of_group& group : groups)
      for (const std::int64_t rank : group) sum += of_rank(group, rank);
    return oracle::fraction{1, members(ranks_)} * sum;
  }

  moeplan::mesh mesh_;
  std::int64_t gpus_of_domain_;
  ranks_of_group ranks_;
};

/// What both kinds of steps need.
class slow_links_base {
public:
  slow_links_base(const moeplan::deployment& d, std::int64_t pipeline_rank)
      : d_{d}, s_{d.strategy}, rank_{pipeline_rank}, stage_{d, pipeline_rank} {}

  /// What the stage has to send and receive in a step.
  slow_bytes step;

protected:
  using axis = moeplan::axis;
  using fraction = oracle::fraction;
  using integer = oracle::integer;
  enum class how { gather, scatter, reduce, exchange };

  /// What one byte costs; looked at once for each kind of groups.
  [[nodiscard]] const slow_bytes& of_byte(how kind, moeplan::group_axes axes, moeplan::group_part part = moeplan::group_part::all,
                                          std::int64_t ranks = 0) {
    const auto key = std::make_pair(std::make_pair(kind, std::make_pair(axes.grid, axes.places)), std::make_pair(part, ranks));
    const auto found = known_.find(key);
    if (found != known_.end()) return found->second;
    groups_of_ranks groups = stage_.along(axes);
    if (part != moeplan::group_part::all) groups = cut(groups, part, ranks);
    slow_bytes b;
    switch (kind) {
      case how::gather: b = stage_.gather(groups); break;
      case how::scatter: b = stage_.scatter(groups); break;
      case how::reduce: b = stage_.reduce(groups); break;
      case how::exchange: b = stage_.exchange(groups); break;
    }
    return known_[key] = b;
  }

  void add(how kind, moeplan::group_axes axes, const fraction& bytes) { step += bytes * of_byte(kind, axes); }

  /// What is added to a step by itself.
  template <class Add>
  [[nodiscard]] slow_bytes alone(const Add& what) {
    const slow_bytes before = step;
    step = {};
    what();
    const slow_bytes added = step;
    step = before;
    return added;
  }

  /// Bytes to experts and back for each token of a rank, which goes to as few as have room for all of its experts: copied on the way
  /// there, and added up on the way back, so that the rank itself sends once and receives once.
  void exchange_once(const fraction& there, const fraction& back, std::int64_t copies_of_experts, const fraction& kept = 1) {
    const std::int64_t even = s_[axis::etp] > 1 ? 0 : stage_.even_domains(stage_.along(moeplan::groups::etp_ep));
    const fraction ranks = s_[axis::etp] * fewest_on_average(s_[axis::ep], copies_of_experts, kept);
    const fraction domains = fewest_on_average(even > 0 ? even : 1, copies_of_experts, kept);
    const slow_bytes& one = of_byte(how::exchange, moeplan::groups::etp_ep);
    const slow_bytes to{std::min(ranks, fraction{1}) * one.nvlink_sent, ranks * one.nvlink_received,
                        std::min(domains, fraction{1}) * one.network_sent, domains * one.network_received};
    step += there * to + back * to.mirrored();
  }

  /// The same where only a part of the choices is kept: as many as fill places.
  [[nodiscard]] fraction fewest_on_average(std::int64_t places, std::int64_t copies, const fraction& kept) const {
    if (kept == 1) return fewest(places, copies);
    const std::int64_t room = (d_.model.experts.routed + copies) / places;
    return kept * d_.model.experts.top_k / room;
  }

  /// Of so many places with as many experts each, how few have as many as a token chooses.
  [[nodiscard]] std::int64_t fewest(std::int64_t places, std::int64_t copies) const {
    const std::int64_t room = (d_.model.experts.routed + copies) / places;
    std::int64_t few = 1;
    while (few * room < d_.model.experts.top_k) ++few;
    return few;
  }

  const moeplan::deployment& d_;
  const moeplan::strategy& s_;
  std::int64_t rank_;
  slow_stage stage_;

private:
  using group_key = std::pair<moeplan::grid_kind, std::uint16_t>;
  std::map<std::pair<std::pair<how, group_key>, std::pair<moeplan::group_part, std::int64_t>>, slow_bytes> known_;
};

/// A training step.
class slow_training_links : public slow_links_base {
public:
  slow_training_links(const moeplan::deployment& d, std::int64_t pipeline_rank)
      : slow_links_base{d, pipeline_rank}, m_{d.model}, t_{d.workload.train}, sp_{s_[axis::sp] > 1} {
    kept_ = moeplan::bits(t_.precision.weights) / 8;
    multiplied_ = t_.precision.fp8 != moeplan::fp8_recipe::none ? 1 : kept_;
    tokens_ = fraction{t_.micro_batch * t_.sequence_length, s_[axis::cp]};
    const std::int64_t all = t_.global_batch.number / t_.micro_batch / s_[axis::dp];
    const std::int64_t chunks = moeplan::chunks_of_rank(s_, d.layout, t_.schedule);
    const bool both_ends = t_.schedule == moeplan::schedule::dualpipe;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const std::int64_t batches = !both_ends ? all : chunk == 0 ? all - all / 2 : all / 2;
      const std::int64_t virtual_stage = moeplan::virtual_stage(t_.schedule, s_[axis::pp], rank_, chunk);
      const slow_bytes before = step;
      step = {};
      layers(moeplan::contents(m_, s_, d.layout, virtual_stage));
      transfers(virtual_stage, chunk);
      step = before + batches * step;
    }
    weights();
  }

private:
  [[nodiscard]] bool selects(bool moeplan::recompute_modules::*module) const {
    return t_.recompute == moeplan::recompute::selective && t_.recompute_modules.*module;
  }

  void layers(const moeplan::stage_contents& here) {
    const bool full = t_.recompute == moeplan::recompute::full;
    const bool by_block = t_.recompute_method == moeplan::recompute_method::block;
    for (std::int64_t i = 0; i < here.decoder_layers; ++i) {
      const std::int64_t layer = here.first_layer + i;
      const bool again = full && (!by_block || i < t_.recompute_layers);
      if (m_.has_linear_attention(layer))
        shared_block(m_.hidden_size * multiplied_, m_.hidden_size * kept_, again ? 1 : 0);
      else
        attention(m_.has_window(layer), again);
      mlp(m_.has_experts(layer), again);
    }
    for (std::int64_t i = 0; i < here.mtp_layers; ++i) {
      attention(false, full && !by_block);
      mlp(m_.has_experts(m_.layers - 1), full && !by_block);
    }
    if (here.loss)
      for (std::int64_t i = 0; i < 1 + m_.mtp_layers; ++i) head();
  }

  /// Tokens that TP ranks have a part of each, or all of, are multiplied by a part of the columns and then of the rows on each. Bytes are
  /// those of a token's inputs and of the gradients of these.
  void shared_block(const integer& inputs, const integer& gradients, std::int64_t again) {
    using moeplan::groups::tp;
    const fraction outputs = tokens_ * m_.hidden_size;
    if (sp_) {
      add(how::gather, tp, (1 + again) * inputs * tokens_);
      add(how::scatter, tp, outputs * kept_);
      add(how::gather, tp, outputs * multiplied_); // their gradients
      add(how::scatter, tp, gradients * tokens_);
    } else {
      add(how::reduce, tp, outputs * kept_);
      add(how::reduce, tp, gradients * tokens_);
    }
  }

  void attention(bool windowed, bool again) {
    const moeplan::attention& a = m_.attention;
    const bool compresses = a.kind == moeplan::attention_kind::latent && a.q_lora_rank > 0; // Else queries need the hidden state.
    const std::int64_t width = compresses ? a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim : m_.hidden_size;
    const std::int64_t least = std::min(width, m_.hidden_size);
    shared_block(least * multiplied_, least * kept_, again ? 1 : 0);
    if (!again && sp_ && selects(&moeplan::recompute_modules::latent_up_projection)) {
      const std::int64_t projected = compresses ? a.q_lora_rank + a.kv_lora_rank : m_.hidden_size;
      add(how::gather, moeplan::groups::tp, tokens_ * std::min(projected, m_.hidden_size) * multiplied_);
    }
    if (s_[axis::cp] > 1 && a.indexer.top_k == 0)
      context(windowed, again || selects(&moeplan::recompute_modules::core_attention) ? 2 : 1);
  }

  /// Between ranks that have a part of each sequence: what is the same for several TP ranks one of them gets.
  void context(bool windowed, std::int64_t times) {
    const moeplan::attention& a = m_.attention;
    const bool latent = a.kind == moeplan::attention_kind::latent;
    const integer queries = a.heads * (latent ? a.qk_nope_head_dim + a.qk_rope_head_dim : a.head_dim);
    const integer outputs = a.heads * (latent ? a.v_head_dim : a.head_dim);
    const integer pairs = latent ? a.heads * (a.qk_nope_head_dim + a.v_head_dim) + a.qk_rope_head_dim : 2 * a.kv_heads * a.head_dim;
    const integer hidden = m_.hidden_size; // from which all follow
    const integer latents = latent ? std::min(integer{a.kv_lora_rank + a.qk_rope_head_dim}, hidden) : hidden;
    const integer latent_queries = latent && a.q_lora_rank > 0 ? std::min(integer{a.q_lora_rank}, hidden) : hidden;
    const fraction own = tokens_ / s_[axis::tp];
    if (t_.context == moeplan::context_exchange::all_to_all) {
      const slow_bytes there = heads_for_tokens(own * queries, own * latent_queries * multiplied_, how::gather) +
                               heads_for_tokens(own * pairs, own * latents * multiplied_, how::gather);
      const slow_bytes back = heads_for_tokens(own * queries, own * latent_queries * kept_, how::scatter) +
                              heads_for_tokens(own * pairs, own * latents * kept_, how::scatter);
      const fraction whole = own * hidden * s_[axis::cp];
      step += times * least(there, whole * multiplied_ * of_byte(how::gather, moeplan::groups::cp));
      step += least(back, whole * kept_ * of_byte(how::scatter, moeplan::groups::cp));
      // Outputs, or what their projection makes of a part of the heads.
      const slow_bytes heads = own * outputs * kept_ * of_byte(how::exchange, moeplan::groups::cp);
      step += least(heads, whole * kept_ * of_byte(how::scatter, moeplan::groups::cp));
      step += least(heads, whole * multiplied_ * of_byte(how::gather, moeplan::groups::cp));
      return;
    }
    const integer there = std::min(integer{pairs * kept_}, integer{latents * multiplied_});
    const integer back = std::min(pairs, latents) * kept_;
    fraction others = tokens_ * s_[axis::cp] / 2; // Of all tokens half are before a rank's own, on average.
    if (windowed) {
      if (m_.attention.window.kind == moeplan::window_kind::chunked) return; // It may be that no rank begins within a chunk.
      const std::int64_t here = t_.sequence_length / s_[axis::cp];
      others = t_.micro_batch * std::min(m_.attention.window.tokens - 1, here); // All are on the rank before, at least.
    }
    slow_bytes all = times * others / s_[axis::tp] * there * of_byte(how::gather, moeplan::groups::cp) +
                     others / s_[axis::tp] * back * of_byte(how::scatter, moeplan::groups::cp);
    // Of domains with different numbers of ranks those with few may come first, and all of what they have be less than half.
    if (!windowed && stage_.even_domains(stage_.along(moeplan::groups::cp)) == 0) all.network_sent = all.network_received = 0;
    step += all;
  }

  /// Each rank gets all tokens of a part of the heads, or of latents from which all heads follow; or gives back the gradients.
  [[nodiscard]] slow_bytes heads_for_tokens(const fraction& heads, const fraction& latents, how kind) {
    return least(heads * kept_ * of_byte(how::exchange, moeplan::groups::cp),
                 latents * s_[axis::cp] * of_byte(kind, moeplan::groups::cp));
  }

  void mlp(bool has_experts, bool again) {
    if (!has_experts) {
      const bool repeated = again || selects(&moeplan::recompute_modules::mlp);
      shared_block(m_.hidden_size * multiplied_, m_.hidden_size * kept_, repeated ? 1 : 0);
      return;
    }
    const bool repeated = again || selects(&moeplan::recompute_modules::moe);
    const bool shared = m_.experts.shared_intermediate_size > 0 && t_.assumptions.shared_experts == moeplan::held::sharded;
    const slow_bytes there = alone([&] { experts(true, false); });
    const slow_bytes back = alone([&] { experts(false, true); });
    const slow_bytes dense = alone([&] {
      if (shared) shared_block(m_.hidden_size * multiplied_, m_.hidden_size * kept_, 0);
    });
    const slow_bytes inputs = alone([&] {
      if (shared && sp_) add(how::gather, moeplan::groups::tp, tokens_ * m_.hidden_size * multiplied_);
    });
    // What brings a token to routed experts may bring it to shared ones, and what they put out be added up together.
    step += most(fraction{2} * (there + back), dense);
    if (repeated) step += most(there, inputs);
    if (selects(&moeplan::recompute_modules::shared_experts)) step += inputs;
  }

  /// A token to its experts, and what they put out back; gradients go the same ways.
  void experts(bool there, bool back) {
    const moeplan::experts& e = m_.experts;
    const fraction own = tokens_ / s_[axis::tp] * m_.hidden_size; // numbers that the rank sends and gets back
    const fraction in = there ? own * multiplied_ : fraction{};
    const fraction out = back ? own * kept_ : fraction{};
    const moeplan::ratio& capacity = t_.routing.capacity_factor;
    const fraction room{capacity.numerator.value(), capacity.denominator.value()};
    const fraction kept = room > 0 && room < 1 ? room : fraction{1};
    switch (t_.dispatcher) {
      case moeplan::token_dispatcher::all_gather:
        add(how::gather, moeplan::groups::etp_ep, in * s_[axis::ep] * s_[axis::etp]);
        add(how::scatter, moeplan::groups::etp_ep, out * s_[axis::ep] * s_[axis::etp]);
        break;
      case moeplan::token_dispatcher::all_to_all: {
        const fraction choices = kept * e.top_k;
        add(how::exchange, moeplan::groups::ep, choices * (in + out));
        add(how::gather, moeplan::groups::etp, choices * s_[axis::etp] * in);
        add(how::scatter, moeplan::groups::etp, choices * s_[axis::etp] * out);
        break;
      }
      case moeplan::token_dispatcher::flex:
      case moeplan::token_dispatcher::deepep: exchange_once(in, out, 0, kept); break;
    }
  }

  void head() {
    using moeplan::groups::tp;
    const fraction bytes = tokens_ * m_.hidden_size * kept_;
    if (sp_) add(how::gather, tp, bytes);
    add(sp_ ? how::scatter : how::reduce, tp, bytes);
  }

  [[nodiscard]] std::int64_t rank_with(std::int64_t virtual_stage, std::int64_t chunk) const {
    for (std::int64_t rank = 0; rank < s_[axis::pp]; ++rank)
      for (std::int64_t c = 0; c < moeplan::chunks_of_rank(s_, d_.layout, t_.schedule); ++c) {
        if (t_.schedule == moeplan::schedule::dualpipe && c != chunk) continue;
        if (moeplan::virtual_stage(t_.schedule, s_[axis::pp], rank, c) == virtual_stage) return rank;
      }
    return -1;
  }

  /// Activations one way and their gradients the other.
  void transfers(std::int64_t virtual_stage, std::int64_t chunk) {
    if (!sp_ && stage_.straddles(moeplan::groups::tp)) return; // All TP ranks have the tokens: one may be where the next stage is.
    const fraction bytes = tokens_ / s_[axis::tp] * m_.hidden_size * kept_;
    for (const std::int64_t other : {virtual_stage - 1, virtual_stage + 1}) {
      if (other < 0 || other == moeplan::virtual_stages(s_, d_.layout)) continue;
      const std::int64_t to = rank_with(other, chunk);
      if (to == rank_) continue;
      const slow_bytes one = stage_.send_to(to);
      step += bytes * (one + one.mirrored());
    }
  }

  void weights() {
    const auto parts = moeplan::parts_of_rank<integer>(m_, moeplan::rank_model(m_, s_), s_, t_.vocabulary_multiple, t_.assumptions);
    moeplan::rank_parameters<integer> held;
    for (std::int64_t chunk = 0; chunk < moeplan::chunks_of_rank(s_, d_.layout, t_.schedule); ++chunk) {
      const std::int64_t here = moeplan::virtual_stage(t_.schedule, s_[axis::pp], rank_, chunk);
      const moeplan::stage_contents contents = moeplan::contents(m_, s_, d_.layout, here);
      moeplan::stage_parts n = moeplan::parts_of_stage(m_, contents);
      // Of an embedding that is no head few rows change.
      if (n.embedding && !(contents.loss && m_.tied_embeddings)) n.embedding = false;
      held += moeplan::parameters_of_stage<integer>(parts, n);
    }
    const std::int64_t expert_ranks = s_[axis::tp] * s_[axis::cp] * s_[axis::dp] / (s_[axis::etp] * s_[axis::ep]);
    share(moeplan::groups::dp_cp, s_[axis::dp] * s_[axis::cp], held.dense);
    share(moeplan::groups::edp, expert_ranks, held.experts);
  }

  void share(moeplan::group_axes axes, std::int64_t ranks, const moeplan::parameter_group<integer>& held) {
    using moeplan::group_part;
    const integer gradients = held.trained() * (moeplan::bits(t_.precision.gradients) / 8);
    const integer weights = (held.routers + held.others) * kept_ + held.linear * multiplied_;
    const slow_bytes all = alone([&] {
      if (t_.sharding == moeplan::sharding::none) {
        step += gradients * of_byte(how::reduce, axes);
        return;
      }
      const std::int64_t copies = std::min(t_.dp_replicate, ranks);
      const std::int64_t shards = ranks / copies;
      slow_bytes shard = gradients * of_byte(how::scatter, axes, group_part::neighbours, shards);
      if (copies > 1) shard.nvlink_received = shard.network_received = 0; // The sum of all may come from the copies.
      step += shard;
      step += fraction{gradients, shards} * of_byte(how::reduce, axes, group_part::spread, copies);
      step += weights * of_byte(how::gather, axes, group_part::neighbours, shards);
    });
    const std::int64_t twin = s_[axis::pp] - 1 - rank_; // which has the same weights
    if (t_.schedule != moeplan::schedule::dualpipe || twin == rank_) {
      step += all;
      return;
    }
    // The two may add up first, and each do half of the rest; or last, what is then a shard.
    const slow_bytes one = stage_.send_to(twin);
    step += fraction{1, 2} * all;
    step += fraction{gradients, ranks} * (one + one.mirrored());
  }

  const moeplan::model& m_;
  const moeplan::training& t_;
  bool sp_;
  integer kept_;       // bytes of an activation
  integer multiplied_; // bytes of one that is an operand of a linear layer
  fraction tokens_;    // of a micro-batch, on the TP ranks together
};

/// A step of a deployment that serves.
class slow_serving_links : public slow_links_base {
public:
  slow_serving_links(const moeplan::deployment& d, std::int64_t pipeline_rank)
      : slow_links_base{d, pipeline_rank}, m_{d.model}, v_{d.workload.serve} {
    using moeplan::groups::tp;
    hidden_ = fraction{integer{v_.batch} * v_.new_tokens() * m_.hidden_size, s_[axis::cp]};
    const std::int64_t all = moeplan::virtual_stages(s_, d.layout);
    for (std::int64_t stage = rank_; stage < all; stage += s_[axis::pp]) {
      const moeplan::stage_contents here = moeplan::contents(m_, s_, d.layout, stage);
      for (std::int64_t i = 0; i < here.decoder_layers; ++i)
        layer(m_.has_linear_attention(here.first_layer + i), m_.has_experts(here.first_layer + i));
      for (std::int64_t i = 0; v_.drafts && i < here.mtp_layers; ++i) layer(false, m_.has_experts(m_.layers - 1));
      if (s_[axis::pp] == 1 || stage_.straddles(tp)) continue; // Of TP ranks one may be where the next stage is.
      const fraction sent = hidden_ * 2 / s_[axis::tp];
      if (stage > 0) step += sent * stage_.send_to((stage - 1) % s_[axis::pp]).mirrored();
      if (stage + 1 < all) step += sent * stage_.send_to((stage + 1) % s_[axis::pp]);
    }
  }

private:
  [[nodiscard]] static fraction bytes_of(moeplan::number_type type) {
    return fraction{std::min<std::int64_t>(moeplan::bits(type), 16), 8};
  }

  /// Parts of the weights on each TP rank: all inputs to all of them, and the sum of outputs.
  void shared_block(const integer& width, moeplan::number_type type) {
    add(how::gather, moeplan::groups::tp, hidden_ / m_.hidden_size * width * bytes_of(type));
    add(how::scatter, moeplan::groups::tp, 2 * hidden_);
  }

  void layer(bool linear, bool has_experts) {
    const moeplan::attention& a = m_.attention;
    const moeplan::product_types types = moeplan::product_types_of(d_.workload);
    integer width = m_.hidden_size;
    if (!linear && a.kind == moeplan::attention_kind::latent && a.q_lora_rank > 0)
      width = std::min(width, integer{a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim});
    shared_block(width, types.attention);
    if (!has_experts) return shared_block(m_.hidden_size, types.mlps);
    const fraction own = hidden_ / s_[axis::tp];
    const slow_bytes exchanged = alone([&] { exchange_once(own * bytes_of(types.routed_experts), own * 2, v_.redundant_experts); });
    const slow_bytes summed = alone([&] { sum_of_experts(bytes_of(types.routed_experts)); });
    const bool shares = v_.data_parallelism == moeplan::data_parallelism::attention && s_[axis::dp] > 1;
    step += shares ? exchanged : least(exchanged, summed);
  }

  /// Every rank gets all tokens, and the sum of what those have put out that have experts of a token. Where one EP rank has room for all of
  /// them, its ETP ranks have parts of the sum, and no other rank has any.
  void sum_of_experts(const fraction& multiplied) {
    using moeplan::groups::etp_ep;
    add(how::gather, etp_ep, hidden_ * multiplied);
    if (fewest(s_[axis::ep], v_.redundant_experts) == s_[axis::ep])
      add(how::scatter, etp_ep, 2 * hidden_);
    else
      add(how::scatter, moeplan::groups::etp, 2 * hidden_ / s_[axis::ep]);
  }

  const moeplan::model& m_;
  const moeplan::serving& v_;
  fraction hidden_; // numbers of the tokens' hidden states
};

} // namespace moeplan_test
