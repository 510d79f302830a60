#pragma once

#include <cstdint>
#include <initializer_list>

#include <moeplan/cost/order_nodes.hpp>
#include <moeplan/describe/deployment.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/number/divisors.hpp>
#include <moeplan/verify/order_number.hpp>

/// @file
/// The numbers that rules are about, taken from a deployment once.

namespace moeplan {

/// What is legal enough to compute with. A rule is judged only where all it reads is; what is not has a finding of its own.
namespace known {
inline constexpr std::uint32_t tp = 1U << 0;
inline constexpr std::uint32_t pp = 1U << 1;
inline constexpr std::uint32_t vpp = 1U << 2;
inline constexpr std::uint32_t ep = 1U << 3;
inline constexpr std::uint32_t etp = 1U << 4;
inline constexpr std::uint32_t dp = 1U << 5; ///< given and legal, or derived
inline constexpr std::uint32_t cp = 1U << 6;
inline constexpr std::uint32_t sp = 1U << 7;
inline constexpr std::uint32_t no_overflow = 1U << 8;
inline constexpr std::uint32_t folded = 1U << 9;
inline constexpr std::uint32_t cluster = 1U << 10; ///< a legal number of GPUs is described
inline constexpr std::uint32_t model = 1U << 11; ///< layers, hidden size, vocabulary and heads are at least 1, nothing is negative
inline constexpr std::uint32_t experts = 1U << 12;   ///< the model has routed experts
inline constexpr std::uint32_t placement = 1U << 13; ///< which layers hold experts is well-formed
inline constexpr std::uint32_t batch = 1U << 14;
inline constexpr std::uint32_t sequence = 1U << 15;
inline constexpr std::uint32_t training = 1U << 16;
inline constexpr std::uint32_t serving = 1U << 17;
inline constexpr std::uint32_t layout = 1U << 18;           ///< no number of the layout is negative
inline constexpr std::uint32_t experts_fit = 1U << 19;      ///< the expert grid exists: ETP x EP divides TP x CP x DP
inline constexpr std::uint32_t replicate = 1U << 20;        ///< copies of what data parallelism shards: at least 1
inline constexpr std::uint32_t decode_context = 1U << 21;   ///< at least 1
inline constexpr std::uint32_t whole_sets = 1U << 22;       ///< the GPUs that share experts hold each of them equally often
inline constexpr std::uint32_t linear_attention = 1U << 23; ///< some layers have it
inline constexpr std::uint32_t memory =
    1U << 24; ///< what the fullest stage needs, and what a GPU has for it; only where no other rule is violated
inline constexpr std::uint32_t chunks = 1U << 25;        ///< every rank has as many virtual stages
inline constexpr std::uint32_t window = 1U << 26;        ///< attention has one, on some layers
inline constexpr std::uint32_t micro_batches = 1U << 27; ///< how many a step has: a whole number, of a global batch that is given
inline constexpr std::uint32_t nodes = 1U << 28;         ///< GPUs of a node and of an NVLink domain, at most 4096
inline constexpr std::uint32_t spread =
    1U << 29; ///< on how many NVLink domains groups lie, in an order of ranks that has every axis
inline constexpr std::uint32_t degrees = tp | pp | vpp | ep | etp | dp | cp | sp;
inline constexpr std::uint32_t grids = degrees | no_overflow | folded | experts_fit;
} // namespace known

/// Values as described where somebody described them, 0 for what cannot be computed; `known` says which is which.
struct facts {
  std::uint32_t known = 0;
  moeplan::profile profile = moeplan::profile::megatron;

  // The strategy.
  std::int64_t tp = 0, pp = 0, vpp = 0, ep = 0, etp = 0, dp = 0, cp = 0, sp = 0;
  bool dp_given = false;
  bool cluster_described = false;
  bool etp_given = false;
  bool vpp_given = false;
  bool overflows = false;
  std::int64_t model_parallel = 0; ///< what the number of GPUs must be a multiple of for DP to be derived
  std::int64_t gpus = 0;
  std::int64_t stage_gpus = 0;   ///< TP x CP x DP
  std::int64_t expert_ranks = 0; ///< ETP x EP
  std::int64_t edp = 0;
  std::int64_t edp_if_etp_is_tp = 0; ///< 0: TP x EP does not divide the GPUs of a stage
  std::int64_t sharing_gpus = 0;     ///< GPUs of a stage that share one set of experts; fewer than all if DP ranks are replicas
  std::int64_t moe_dp = 0;           ///< copies of each expert among those GPUs; 0 if they do not hold whole sets
  std::int64_t dense_before_pp = 0;  ///< ranks between neighbouring stages on the dense grid
  std::int64_t expert_before_pp = 0; ///< the same on the expert grid
  std::int64_t available = 0;        ///< GPUs of the cluster
  std::int64_t gpus_per_node = 0, nodes = 0, cluster_total = 0;
  bool order_ends_with_pp = false;
  bool order_is_default = false;
  std::uint16_t order_names = 0; ///< one bit an axis
  bool nvlink_domain_given = false;
  std::int64_t nvlink_domain = 0; ///< as described
  std::int64_t nvlink_gpus = 0;   ///< of an NVLink domain, which is a node unless the cluster says more
  /// NVLink domains that a group of each kind touches at most, and in the best order of ranks. 0 where neither had to be computed to see
  /// that they are the same.
  std::int64_t tp_domains = 0, fewest_tp_domains = 0, cp_domains = 0, fewest_cp_domains = 0;
  std::int64_t etp_domains = 0, fewest_etp_domains = 0, ep_domains = 0, fewest_ep_domains = 0;
  std::int64_t best_order = 0; ///< its number

  // The model.
  std::int64_t layers = 0, hidden_size = 0, vocabulary_size = 0, heads = 0, kv_heads = 0;
  std::int64_t smallest_size = 0; ///< the least of the sizes that may be 0 but not negative
  std::int64_t head_dim = 0;      ///< as described, 0 if hidden size / heads
  std::int64_t kv_lora_rank = 0, v_head_dim = 0;
  std::int64_t qk_head_dim = 0; ///< of latent attention, the parts with and without rotary embedding together
  std::int64_t dense_layers = 0;
  std::int64_t dense_mlp = 0; ///< intermediate size where a layer is dense, else 0
  std::int64_t expert_mlp = 0;
  std::int64_t shared_mlp = 0; ///< of the shared experts where there are routed ones, else 0
  std::int64_t experts = 0, top_k = 0, groups = 0, group_top_k = 0;
  std::int64_t physical_experts = 0; ///< with redundant copies; 0 if there are none or they need more than 64 bits
  std::int64_t mtp_layers = 0, max_positions = 0;
  std::int64_t linear_key_heads = 0, linear_value_heads = 0,
               attended_tokens = 0; ///< attended_tokens: 0 unless an indexer chooses them
  std::int64_t first_softmax_layer = 0, softmax_every = 0, softmax_phase = 0;
  std::int64_t first_full_layer = 0, full_every = 0, full_phase = 0; ///< of the layers without the window that others have
  std::int64_t first_moe_layer = 0, moe_every = 0, moe_phase = 0;
  bool latent_attention = false;
  bool has_max_positions = false;
  bool sigmoid_router = false;
  bool selection_bias = false;
  bool tied_embeddings = false;

  // The workload.
  std::int64_t global_batch = 0, micro_batch = 0, sequence_length = 0, batch = 0, redundant_experts = 0;
  std::int64_t batch_unit = 0;    ///< micro-batch x DP; 0 if it needs more than 64 bits
  std::int64_t micro_batches = 0; ///< of a step
  std::int64_t rounds = 0;        ///< of at least PP micro-batches, in which they pass through a rank's virtual stages (torchtitan)
  std::int64_t micro_batch_tokens = 0; ///< micro-batch x sequence length; 0 if it needs more than 64 bits
  std::int64_t vocabulary_multiple = 0;
  std::int64_t dp_replicate = 0, dp_shard = 0; ///< dp_shard: 0 if dp_replicate does not divide DP
  std::int64_t decode_context = 0;
  std::int64_t expert_share = 0; ///< of an expert's intermediate size on each of its ETP ranks; 0 if that does not divide
  bool global_batch_given = false;
  moeplan::recompute recompute = moeplan::recompute::none;
  moeplan::context_exchange context = context_exchange::ring;
  moeplan::token_dispatcher dispatcher = token_dispatcher::all_gather;
  moeplan::load_balancing balancing = load_balancing::none;
  moeplan::overlap overlap{};
  std::int64_t recompute_layers = 0;
  std::int64_t block_size = 0, step_tokens = 0; ///< serving
  std::int64_t chunks = 0;                      ///< virtual stages of each pipeline rank, before the schedule adds to them
  moeplan::schedule schedule = moeplan::schedule::one_forward_one_backward;
  bool placed_in_a_v = false;      ///< two chunks a rank, there and back
  bool one_chunk_schedule = false; ///< DualPipe, ZB-H1, ZB-H2
  bool is_dualpipe = false;
  bool offloads_too_much = false;      ///< more than all optimizer states
  bool busiest_takes_too_much = false; ///< more than all routed tokens
  bool latent_cache = false;           ///< a format for latent attention alone
  bool linear_state_is_none = false;
  bool has_capacity = false;
  bool pad_to_capacity = false;
  bool pre_softmax = false;
  bool replicas = false; ///< serving: DP ranks are replicas
  bool elastic_ep = false;

  // The layout.
  layout_kind layout = layout_kind::even;
  std::int64_t slots = 0; ///< decoder layers and what else counts as one
  std::int64_t first_layers = 0, last_layers = 0, middle_layers = 0, middle_stages = 0;
  std::int64_t listed_stages = 0, listed_layers = 0, listed_mtp = 0;
  std::int64_t mtp_stages = 0;       ///< virtual stages that hold multi-token prediction
  std::int64_t mtp_stage = 0;        ///< the first of them
  std::int64_t layers_after_mtp = 0; ///< decoder layers on later stages
  std::int64_t last_chunk = 0;       ///< the first virtual stage of the last chunk
  bool first_given = false;
  bool last_given = false;
  bool places_mtp = false;

  // Memory, in bytes on each rank of a stage.
  std::int64_t fullest_stage = 0;
  std::int64_t peak_bytes = 0;        ///< the largest number where it needs more than 63 bits
  std::int64_t one_request_bytes = 0; ///< serving: weights and one sequence of full length
  std::int64_t capacity_bytes = 0;    ///< what a GPU has for it
  std::int64_t reserve_bytes = 0;     ///< what is set aside, and not part of that
  std::int64_t missing_bytes = 0;     ///< of the peak
  std::int64_t request_missing_bytes = 0;

  /// Whether the order of ranks names an axis.
  [[nodiscard]] constexpr bool names(axis a) const noexcept { return (order_names >> static_cast<unsigned>(a) & 1U) != 0; }

  [[nodiscard]] constexpr bool knows(std::uint32_t needed) const noexcept { return (needed & ~known) == 0; }
};

namespace detail {

/// Whether a count is a legal number of ranks or layers: they are signed 64-bit integers.
[[nodiscard]] constexpr bool fits(saturating_count n) noexcept { return n.bits >> 63 == 0; }
[[nodiscard]] constexpr std::int64_t or_zero(saturating_count n) noexcept {
  return fits(n) ? static_cast<std::int64_t>(n.bits) : 0;
}

constexpr void note(facts& f, bool condition, std::uint32_t what) noexcept {
  if (condition) f.known |= what;
}

/// In larger ones nothing is said about where groups lie.
inline constexpr std::int64_t most_nvlink_gpus = 4096;

constexpr void read_cluster(facts& f, const cluster& c) noexcept {
  f.gpus_per_node = c.gpus_per_node.number;
  f.nodes = c.nodes.number;
  f.cluster_total = c.total.number;
  f.cluster_described = c.total.given || c.gpus_per_node.given || c.nodes.given;
  const bool by_nodes = f.gpus_per_node > 0 && f.nodes > 0;
  const auto in_nodes = by_nodes ? saturating_count{f.gpus_per_node} * f.nodes : saturating_count{0};
  const bool nodes_given = c.gpus_per_node.given || c.nodes.given;
  const auto gpus = c.total.given && f.cluster_total > 0 ? saturating_count{f.cluster_total} : in_nodes;
  const bool clear = c.total.given ? f.cluster_total > 0 && (!nodes_given || in_nodes == gpus) : by_nodes;
  f.available = clear ? or_zero(gpus) : 0;
  note(f, f.available > 0, known::cluster);
  f.nvlink_domain_given = c.nvlink_domain.given;
  f.nvlink_domain = c.nvlink_domain.number;
  f.nvlink_gpus = c.nvlink_domain.value_or(f.gpus_per_node);
  const bool whole_nodes = f.gpus_per_node > 0 && f.nvlink_gpus > 0 && f.nvlink_gpus % f.gpus_per_node == 0;
  note(f, f.available > 0 && whole_nodes && f.nvlink_gpus <= most_nvlink_gpus, known::nodes);
}

constexpr void read_degrees(facts& f, const strategy& s) noexcept {
  f.tp = s[axis::tp];
  f.pp = s[axis::pp];
  f.vpp = s[axis::vpp];
  f.ep = s[axis::ep];
  f.etp = s[axis::etp];
  f.dp = s[axis::dp];
  f.cp = s[axis::cp];
  f.sp = s[axis::sp];
  f.dp_given = s.gives(axis::dp);
  f.etp_given = s.gives(axis::etp);
  f.vpp_given = s.gives(axis::vpp);
  note(f, f.tp > 0, known::tp);
  note(f, f.pp > 0, known::pp);
  note(f, f.vpp > 0, known::vpp);
  note(f, f.ep > 0, known::ep);
  note(f, f.etp > 0, known::etp);
  note(f, f.dp > 0, known::dp);
  note(f, f.cp > 0, known::cp);
  note(f, f.sp > 0, known::sp);
  note(f, s.mapping == mapping::folded, known::folded);
}

/// DP where it is not given: what the cluster leaves.
constexpr void derive_dp(facts& f, const strategy& s) noexcept {
  constexpr std::uint32_t needed = known::degrees & ~known::dp;
  if (!f.knows(needed)) return;
  const auto unit = gpus<saturating_count>(s.with(dp{1}));
  f.model_parallel = or_zero(unit);
  f.overflows |= !fits(unit) || !fits(saturating_count{f.etp} * f.ep) || !fits(saturating_count{f.pp} * f.vpp);
  if (f.dp_given || !f.knows(known::cluster) || f.model_parallel == 0 || f.available % f.model_parallel != 0) return;
  f.dp = f.available / f.model_parallel;
  f.known |= known::dp;
}

constexpr void read_order(facts& f, const rank_order& order) noexcept {
  for (const axis a : order.axes) {
    f.order_names = static_cast<std::uint16_t>(f.order_names | 1U << static_cast<unsigned>(a));
    f.order_ends_with_pp = a == axis::pp;
  }
  f.order_is_default = order == rank_order{};
}

/// How many ranks apart neighbouring pipeline stages are: the product of the sizes of the axes before pp, on either grid.
constexpr void read_stage_strides(facts& f, const rank_order& order) noexcept {
  f.dense_before_pp = 1;
  f.expert_before_pp = 1;
  for (const axis a : order.axes) {
    switch (a) {
      case axis::tp: f.dense_before_pp *= f.tp, f.expert_before_pp *= f.etp; break;
      case axis::dp: f.dense_before_pp *= f.dp, f.expert_before_pp *= f.edp; break;
      case axis::cp: f.dense_before_pp *= f.cp; break;
      case axis::ep: f.expert_before_pp *= f.ep; break;
      default: return;
    }
  }
}

/// Whether the order of ranks names every axis whose size is not 1 on both grids.
[[nodiscard]] constexpr bool orders_every_axis(const facts& f) noexcept {
  return (f.names(axis::tp) || (f.tp == 1 && f.etp == 1)) && (f.names(axis::cp) || f.cp == 1) && (f.names(axis::ep) || f.ep == 1) &&
         (f.names(axis::dp) || (f.dp == 1 && f.edp == 1)) && (f.names(axis::pp) || f.pp == 1);
}

/// On how many NVLink domains the groups of Megatron-LM's order of ranks lie, and could.
constexpr void read_spread(facts& f, const rank_order& order) noexcept {
  if (f.profile != profile::megatron || !f.knows(known::grids | known::nodes)) return;
  if (!orders_every_axis(f)) return;
  f.known |= known::spread;
  const ordered_axes axes{{f.tp, f.cp, f.dp, f.etp, f.ep, f.edp, f.pp}, order};
  if (axes.dense.plainly_best(f.nvlink_gpus) && axes.expert.plainly_best(f.nvlink_gpus)) return;
  const inner_nodes dense = axes.dense.nodes(f.nvlink_gpus);
  const inner_nodes fewest_dense = axes.dense.fewest(f.nvlink_gpus);
  const inner_nodes expert = axes.expert.nodes(f.nvlink_gpus);
  const inner_nodes fewest_expert = axes.expert.fewest(f.nvlink_gpus);
  f.tp_domains = dense.tensor;
  f.cp_domains = dense.other;
  f.etp_domains = expert.tensor;
  f.ep_domains = expert.other;
  f.fewest_tp_domains = fewest_dense.tensor;
  f.fewest_cp_domains = fewest_dense.other;
  f.fewest_etp_domains = fewest_expert.tensor;
  f.fewest_ep_domains = fewest_expert.other;
  f.best_order = number_of(axes.best_order(f.nvlink_gpus));
}

/// Everything that needs all degrees.
constexpr void read_grids(facts& f, const strategy& described) noexcept {
  if (!f.knows(known::degrees)) return;
  const strategy s = described.with(dp{f.dp});
  const auto all = gpus<saturating_count>(s);
  const auto stage = stage_gpus<saturating_count>(s);
  const saturating_count ranks = saturating_count{f.etp} * f.ep;
  f.overflows |= !fits(all);
  if (f.overflows) return;
  f.known |= known::no_overflow;
  f.gpus = or_zero(all);
  f.stage_gpus = or_zero(stage);
  f.expert_ranks = or_zero(ranks);
  if (!f.knows(known::folded) || f.stage_gpus % f.expert_ranks != 0) return;
  f.known |= known::experts_fit;
  f.edp = f.stage_gpus / f.expert_ranks;
  const saturating_count folded_by_tp = saturating_count{f.tp} * f.ep;
  if (fits(folded_by_tp) && f.stage_gpus % or_zero(folded_by_tp) == 0) f.edp_if_etp_is_tp = f.stage_gpus / or_zero(folded_by_tp);
  read_stage_strides(f, described.order);
}

constexpr void read_model(facts& f, const model& m) noexcept {
  const attention& a = m.attention;
  const experts& e = m.experts;
  const linear_attention& linear = m.linear_attention;
  f.linear_key_heads = linear.key_heads;
  f.linear_value_heads = linear.value_heads;
  f.attended_tokens = a.indexer.top_k;
  f.first_softmax_layer = linear.softmax_layers.first;
  f.softmax_every = linear.softmax_layers.every;
  f.softmax_phase = linear.softmax_layers.phase;
  note(f, m.has_linear_attention(), known::linear_attention);
  f.first_full_layer = a.window.full_layers.first;
  f.full_every = a.window.full_layers.every;
  f.full_phase = a.window.full_layers.phase;
  note(f, m.has_window(), known::window);
  f.layers = m.layers;
  f.hidden_size = m.hidden_size;
  f.vocabulary_size = m.vocabulary_size;
  f.heads = a.heads;
  f.kv_heads = a.kv_heads;
  f.head_dim = a.head_dim;
  f.latent_attention = a.kind == attention_kind::latent;
  f.expert_mlp = e.intermediate_size;
  f.shared_mlp = e.routed > 0 ? e.shared_intermediate_size : 0;
  f.experts = e.routed;
  f.top_k = e.top_k;
  f.groups = e.groups;
  f.group_top_k = e.group_top_k;
  f.mtp_layers = m.mtp_layers;
  f.max_positions = m.max_positions.number;
  f.has_max_positions = m.max_positions.given;
  f.sigmoid_router = e.score == router_score::sigmoid;
  f.selection_bias = e.selection_bias;
  f.tied_embeddings = m.tied_embeddings;
  f.first_moe_layer = e.layers.first;
  f.moe_every = e.layers.every;
  f.moe_phase = e.layers.phase;
  for (const std::int64_t size :
       {m.intermediate_size, a.head_dim, a.q_lora_rank, a.kv_lora_rank, a.qk_nope_head_dim, a.qk_rope_head_dim, a.v_head_dim,
        e.routed, e.intermediate_size, e.shared_intermediate_size, m.mtp_layers, linear.key_heads, linear.value_heads,
        linear.key_head_dim, linear.value_head_dim, linear.convolution, a.indexer.heads, a.indexer.head_dim, a.indexer.top_k})
    if (size < f.smallest_size) f.smallest_size = size;
  note(f, f.layers > 0 && f.hidden_size > 0 && f.vocabulary_size > 0 && f.heads > 0 && f.kv_heads > 0 && f.smallest_size == 0,
       known::model);
  note(f, f.experts > 0, known::experts);
  note(f, f.first_moe_layer >= 0 && f.moe_every > 0 && f.moe_phase >= 0 && f.moe_phase < f.moe_every, known::placement);
  if (f.knows(known::model) && (f.experts == 0 || f.knows(known::placement))) f.dense_layers = m.dense_layers();
  if (f.dense_layers > 0) f.dense_mlp = m.intermediate_size;
  f.kv_lora_rank = a.kv_lora_rank;
  f.v_head_dim = a.v_head_dim;
  if (f.knows(known::model)) f.qk_head_dim = or_zero(saturating_count{a.qk_nope_head_dim} + a.qk_rope_head_dim);
}

constexpr void read_training(facts& f, const training& t) noexcept {
  f.known |= known::training;
  f.micro_batch = t.micro_batch;
  f.global_batch = t.global_batch.number;
  f.global_batch_given = t.global_batch.given;
  f.recompute = t.recompute;
  f.context = t.context;
  f.dispatcher = t.dispatcher;
  f.balancing = t.routing.balancing;
  f.has_capacity = t.routing.capacity_factor != ratio{0};
  f.pad_to_capacity = t.routing.pad_to_capacity;
  f.pre_softmax = t.routing.pre_softmax;
  f.overlap = t.overlap;
  f.recompute_layers = t.recompute_layers;
  f.schedule = t.schedule;
  f.placed_in_a_v = placed_in_a_v(t.schedule);
  f.is_dualpipe = t.schedule == schedule::dualpipe;
  f.one_chunk_schedule = f.is_dualpipe || t.schedule == schedule::zb_h1 || t.schedule == schedule::zb_h2;
  f.offloads_too_much = t.optimizer_offload > ratio{1};
  f.busiest_takes_too_much = t.routing.busiest_share > ratio{1};
  note(f, t.micro_batch > 0 && (!t.global_batch.given || t.global_batch.number > 0), known::batch);
  if (t.micro_batch > 0 && t.sequence_length > 0)
    f.micro_batch_tokens = or_zero(saturating_count{t.micro_batch} * t.sequence_length);
  f.dp_replicate = t.dp_replicate;
  note(f, t.dp_replicate > 0, known::replicate);
  if (f.knows(known::replicate | known::dp) && f.dp % f.dp_replicate == 0) f.dp_shard = f.dp / f.dp_replicate;
  if (t.micro_batch > 0 && f.knows(known::dp)) f.batch_unit = or_zero(saturating_count{t.micro_batch} * f.dp);
  if (f.batch_unit == 0 || f.global_batch < 1 || f.global_batch % f.batch_unit != 0) return;
  f.known |= known::micro_batches;
  f.micro_batches = f.global_batch / f.batch_unit;
  if (f.knows(known::pp)) f.rounds = f.micro_batches / f.pp;
}

constexpr void read_serving(facts& f, const serving& s) noexcept {
  f.known |= known::serving;
  f.batch = s.batch;
  f.redundant_experts = s.redundant_experts;
  f.decode_context = s.decode_context;
  f.replicas = s.data_parallelism == data_parallelism::replicas;
  f.elastic_ep = s.elastic_ep;
  f.block_size = s.block_size;
  f.step_tokens = s.step_tokens;
  f.latent_cache = s.cache == cache_format::fp8_ds_mla;
  f.linear_state_is_none = s.linear_state == number_type::none;
  note(f, s.decode_context > 0, known::decode_context);
  if (f.knows(known::model | known::experts | known::etp) && f.expert_mlp % f.etp == 0) f.expert_share = f.expert_mlp / f.etp;
  if (!f.knows(known::degrees | known::no_overflow | known::folded)) return;
  f.sharing_gpus = f.replicas ? f.tp * f.cp : f.stage_gpus;
  if (!f.knows(known::experts_fit) || f.sharing_gpus % f.expert_ranks != 0) return;
  f.known |= known::whole_sets;
  f.moe_dp = f.sharing_gpus / f.expert_ranks;
}

constexpr void read_workload(facts& f, const workload& w) noexcept {
  f.sequence_length = w.sequence_length();
  f.vocabulary_multiple = w.vocabulary_multiple();
  note(f, f.sequence_length > 0, known::sequence);
  if (w.is_training()) return read_training(f, w.train);
  read_serving(f, w.serve);
}

constexpr void read_listed_layout(facts& f, const layout& l) noexcept {
  saturating_count stages;
  saturating_count layers;
  saturating_count mtp;
  saturating_count layers_up_to_mtp;
  for (const stage_run& run : l.runs) {
    if (run.stages < 0 || run.decoder_layers < 0 || run.mtp_layers < 0) return;
    if (l.places_mtp && run.mtp_layers > 0 && run.stages > 0) {
      if (f.mtp_stages == 0) {
        f.mtp_stage = or_zero(stages);
        layers_up_to_mtp = layers + run.decoder_layers;
      }
      f.mtp_stages = or_zero(saturating_count{f.mtp_stages} + run.stages);
    }
    stages += run.stages;
    layers += saturating_count{run.stages} * run.decoder_layers;
    mtp += saturating_count{run.stages} * run.mtp_layers;
  }
  if (!fits(stages) || !fits(layers) || !fits(mtp)) return;
  f.known |= known::layout;
  f.listed_stages = or_zero(stages);
  f.listed_layers = or_zero(layers);
  f.listed_mtp = or_zero(mtp);
  if (f.mtp_stages != 0) f.layers_after_mtp = or_zero(layers - layers_up_to_mtp);
  // As Megatron-LM does: a layout that says how many stages there are says how many each rank has.
  if (!f.vpp_given && f.knows(known::pp) && f.listed_stages > 0 && f.listed_stages % f.pp == 0) f.vpp = f.listed_stages / f.pp;
  if (f.knows(known::pp)) f.last_chunk = f.listed_stages - f.pp;
}

constexpr void read_layout(facts& f, const layout& l) noexcept {
  f.layout = l.kind;
  f.places_mtp = l.places_mtp;
  if (l.kind == layout_kind::listed) return read_listed_layout(f, l);
  const bool even = l.kind == layout_kind::even;
  const auto slots = saturating_count{f.layers < 0 ? 0 : f.layers} + (even && l.embedding_is_a_layer ? 1 : 0) +
                     (even && l.loss_is_a_layer ? 1 : 0);
  f.slots = or_zero(slots);
  note(f, fits(slots), known::layout);
  if (l.kind != layout_kind::first_last) return;
  f.first_given = l.first.given;
  f.last_given = l.last.given;
  f.first_layers = l.first.number;
  f.last_layers = l.last.number;
  if (f.knows(known::pp)) f.middle_stages = f.pp - (l.first.given ? 1 : 0) - (l.last.given ? 1 : 0);
  if (f.layers < 0 || l.first.value_or(1) < 1 || l.last.value_or(1) < 1) return;
  if (__builtin_sub_overflow(f.layers - l.first.value_or(0), l.last.value_or(0), &f.middle_layers))
    f.middle_layers = -__INT64_MAX__ - 1; // Wrong anyway, only not to be computed.
}

constexpr void read_chunks(facts& f) noexcept {
  if (!f.knows(known::pp | known::vpp | known::layout)) return;
  const bool listed = f.layout == layout_kind::listed;
  if (listed && (f.listed_stages == 0 || f.listed_stages % f.pp != 0)) return;
  f.chunks = listed ? f.listed_stages / f.pp : f.vpp;
  f.known |= known::chunks;
}

} // namespace detail

/// Defined for every deployment, however wrong.
[[nodiscard]] constexpr facts facts_of(const deployment& d) noexcept {
  facts f;
  f.profile = d.profile;
  detail::read_cluster(f, d.cluster);
  detail::read_degrees(f, d.strategy);
  detail::read_order(f, d.strategy.order);
  detail::read_model(f, d.model);
  detail::read_layout(f, d.layout);
  detail::derive_dp(f, d.strategy);
  detail::read_grids(f, d.strategy);
  detail::read_spread(f, d.strategy.order);
  detail::read_workload(f, d.workload);
  detail::read_chunks(f);
  const auto physical = saturating_count{f.experts > 0 ? f.experts : 0} + (f.redundant_experts > 0 ? f.redundant_experts : 0);
  f.physical_experts = detail::or_zero(physical);
  f.overflows |= !detail::fits(physical);
  return f;
}

} // namespace moeplan
