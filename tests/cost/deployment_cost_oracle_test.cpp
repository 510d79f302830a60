// The bound of a step in fractions of integers of any length, resource by resource: stage by stage, rank by rank, token by token, without
// what the library computes once for several.
#include <moeplan/cost/deployment_cost.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <moeplan/cost/serving_traffic.hpp>
#include <moeplan/cost/topology.hpp>
#include <moeplan/cost/training_traffic.hpp>

#include "cost/random_deployments.hpp"
#include "cost/slow_links.hpp"
#include "number/oracle.hpp"
#include "support/slow_build.hpp"

using namespace moeplan;
using namespace moeplan_test;
using oracle::fraction;
using oracle::integer;

namespace {

/// At most the exact value, and hardly less.
bool is(double lowered, const fraction& exact) {
  const fraction value{lowered};
  return value <= exact && value * ((integer{1} << 39) + 1) >= exact * (integer{1} << 39);
}

/// Passes of one micro-batch, or of one sequence while serving, on one virtual stage.
struct slow_work {
  fraction forward;
  fraction input_gradient;
  fraction weight_gradient;
  fraction recomputed; ///< of the input gradient: what no other rank has to wait for

  [[nodiscard]] fraction total() const { return forward + input_gradient + weight_gradient; }
};

class slow_cost {
public:
  explicit slow_cost(const deployment& d) : d_{d}, trains_{d.workload.is_training()} {
    const std::int64_t ranks = d.strategy[axis::pp];
    stages_ = virtual_stages(d.strategy, d.layout);
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      std::vector<std::int64_t> held;
      const schedule order = trains_ ? d.workload.train.schedule : schedule::one_forward_one_backward;
      const std::int64_t chunks = order == schedule::dualpipe ? 2 : stages_ / ranks;
      for (std::int64_t chunk = 0; chunk < chunks; ++chunk) held.push_back(virtual_stage(order, ranks, rank, chunk));
      ranks_.push_back(held);
    }
    for (std::int64_t stage = 0; stage < stages_; ++stage) work_.push_back(trains_ ? training_work(stage) : serving_work(stage));
  }

  [[nodiscard]] fraction compute() const {
    fraction most;
    for (const auto& held : ranks_) {
      fraction sum;
      for (std::size_t chunk = 0; chunk < held.size(); ++chunk) sum += passes(chunk) * at(held[chunk]).total();
      most = std::max(most, sum);
    }
    return most;
  }

  /// From the first pass to the last on the first virtual stage.
  [[nodiscard]] fraction first_to_last() const {
    if (!trains_) return compute(); // Other sequences fill the pipeline.
    const bool splits = splits_backward(d_.workload.train.schedule) || d_.workload.train.overlap.delayed_weight_gradient;
    const bool both_ends = d_.workload.train.schedule == schedule::dualpipe;
    const auto back = [&](std::int64_t s) { return splits ? at(s).input_gradient : fraction{at(s).total() - at(s).forward}; };
    const auto passed = [&](std::int64_t s) -> fraction { return at(s).forward + back(s) - at(s).recomputed; };
    const fraction rest = splits ? at(0).weight_gradient : fraction{};
    fraction most;
    for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
      if (both_ends && 2 * rank >= ranks_.size() + 1) continue;
      fraction sum = rest;
      std::int64_t lowest = stages_;
      for (std::size_t chunk = 0; chunk < ranks_[rank].size(); ++chunk) {
        const std::int64_t stage = ranks_[rank][chunk];
        if (passes(chunk) > 0) lowest = std::min(lowest, stage);
        sum += passes(chunk) * fraction{at(stage).forward + back(stage)};
      }
      for (std::int64_t stage = 0; stage < lowest; ++stage) sum += passed(stage);
      most = std::max(most, sum);
    }
    fraction way = rest;
    for (std::int64_t stage = 0; stage < stages_; ++stage) way += passed(stage);
    fraction of_first_rank;
    if (one_chunk()) of_first_rank = passes(0) * at(0).total();
    return std::max({most, way, of_first_rank});
  }

  /// Without what is computed again, which is done before the last backward pass, or not at all in the first forward pass.
  struct memory_and_update {
    fraction step;
    fraction update;
  };

  [[nodiscard]] fraction memory() const {
    fraction most;
    for (const auto& held : ranks_) {
      fraction sum;
      if (trains_)
        sum = training_bytes(held).step;
      else
        for (const std::int64_t stage : held) sum += serving_bytes(stage);
      most = std::max(most, sum);
    }
    return most;
  }
  [[nodiscard]] bool one_chunk() const { return ranks_[0].size() == 1; }

private:
  [[nodiscard]] const slow_work& at(std::int64_t stage) const { return work_[static_cast<std::size_t>(stage)]; }

  [[nodiscard]] integer passes(std::size_t chunk) const {
    if (!trains_) return d_.workload.serve.batch;
    const training& t = d_.workload.train;
    const std::int64_t all = t.global_batch.number / t.micro_batch / d_.strategy[axis::dp];
    if (t.schedule != schedule::dualpipe) return all;
    return chunk == 0 ? (all + 1) / 2 : all / 2;
  }

  [[nodiscard]] fraction over(const integer& n, number_type type) const { return {n, integer{peak_flops(d_.cluster.gpu, type)}}; }

  /// Of the choices of tokens, those that evenly loaded experts have room for.
  [[nodiscard]] fraction kept() const {
    if (!trains_ || d_.workload.train.routing.capacity_factor == ratio{0}) return 1;
    const ratio& room = d_.workload.train.routing.capacity_factor;
    return std::min(fraction{1}, fraction{room.numerator.value(), room.denominator.value()});
  }

  /// Products with weights, in seconds of one GPU.
  [[nodiscard]] fraction weighted(const flops<integer>& f, const product_types& p) const {
    return over(f.attention_projections, p.attention) + over(f.indexer_projections, p.attention) +
           over(f.linear_projections, p.attention) + over(f.dense_mlp, p.mlps) + over(f.shared_experts, p.mlps) +
           kept() * over(f.routed_experts, p.routed_experts) + over(f.mtp_projections, p.mtp_projections) +
           over(f.router, number_type::bf16) + over(f.head, number_type::bf16);
  }
  [[nodiscard]] fraction unweighted(const flops<integer>& f) const {
    const bool fp8 = !trains_ && d_.workload.serve.cache != cache_format::bf16;
    return over(f.core_attention, fp8 ? number_type::fp8 : number_type::bf16) + over(f.delta_rule, number_type::bf16) +
           over(f.indexer_scores, number_type::fp8);
  }

  [[nodiscard]] slow_work training_work(std::int64_t stage) const {
    const training_flops<integer> f = run_flops<integer>{d_}.of_stage(stage);
    const product_types p = product_types_of(d_.workload);
    const fraction each{d_.workload.train.micro_batch, d_.strategy[axis::tp] * d_.strategy[axis::cp]};
    const fraction w = weighted(f.forward, p);
    const fraction x = unweighted(f.forward);
    const fraction again = weighted(f.recomputed, p) + unweighted(f.recomputed);
    return {each * (w + x), each * (w + 2 * x + again), each * w, each * again};
  }

  /// Layer by layer, each attention in the form that is faster.
  [[nodiscard]] slow_work serving_work(std::int64_t stage) const {
    const serving& v = d_.workload.serve;
    const model& m = d_.model;
    const product_types p = product_types_of(d_.workload);
    stage_contents held = contents(m, d_.strategy, d_.layout, stage);
    const auto vocabulary = padded_vocabulary<integer>(m, d_.strategy, v.vocabulary_multiple);
    const auto blocks = [&](latent_attention_form form) {
      const pass_tokens pass{.cached = v.sequence_length - v.step_tokens,
                             .tokens = v.step_tokens,
                             .logits = v.drafts ? v.step_tokens : 1,
                             .multi_token_prediction = v.drafts,
                             .latent = form};
      return block_flops_of<integer>(m, pass, vocabulary, flops_convention::exact());
    };
    const auto seconds = [&](const flops<integer>& f) -> fraction { return weighted(f, p) + unweighted(f); };
    const auto one = blocks(latent_attention_form::expanded);
    const auto other = blocks(latent_attention_form::absorbed);
    const auto softmax = [&](bool windowed) -> fraction {
      return windowed ? std::min(seconds(one.windowed_attention), seconds(other.windowed_attention))
                      : std::min(seconds(one.full_attention), seconds(other.full_attention));
    };
    fraction sum;
    for (std::int64_t i = held.first_layer; i < held.first_layer + held.decoder_layers; ++i) {
      sum += m.has_linear_attention(i) ? seconds(one.linear_attention) : softmax(m.has_window(i));
      sum += seconds(m.has_experts(i) ? one.moe_mlp : one.dense_mlp);
    }
    const std::int64_t modules = v.drafts ? held.mtp_layers : 0;
    for (std::int64_t i = 0; i < modules; ++i)
      sum += seconds(one.mtp_input) + softmax(false) + seconds(m.has_experts(m.layers - 1) ? one.moe_mlp : one.dense_mlp);
    if (held.loss) sum += (1 + (v.drafts ? m.mtp_layers : 0)) * seconds(one.head);
    return {sum / (d_.strategy[axis::tp] * d_.strategy[axis::cp]), 0, 0, 0};
  }

  [[nodiscard]] memory_and_update training_bytes(const std::vector<std::int64_t>& stages) const {
    const training& t = d_.workload.train;
    const precision& p = t.precision;
    const strategy& s = d_.strategy;
    const auto parts = parts_of_rank<integer>(d_.model, rank_model(d_.model, s), s, t.vocabulary_multiple, t.assumptions);
    memory_and_update b;
    rank_parameters<integer> all;
    for (const std::int64_t stage : stages) {
      const stage_contents held = contents(d_.model, s, d_.layout, stage);
      const stage_parts n = parts_of_stage(d_.model, held);
      const integer embedding = parts.embedding.total() * (bits(p.weights) / 8);
      all += parameters_of_stage(parts, n);
      if (n.embedding) b.step -= embedding;
      if (held.loss && d_.model.tied_embeddings && n.embedding) b.step += embedding;
    }
    const std::int64_t dense_ranks = s[axis::dp] * s[axis::cp];
    const std::int64_t expert_ranks = s[axis::tp] * s[axis::cp] * s[axis::dp] / s[axis::etp] / s[axis::ep];
    const auto size = [](number_type type) -> integer { return bits(type) / 8; };
    const bool fp8 = p.fp8 != fp8_recipe::none;
    for (const auto& [group, ranks] : {std::pair{all.dense, dense_ranks}, std::pair{all.experts, expert_ranks}}) {
      const std::int64_t shards = ranks / std::min(ranks, t.dp_replicate);
      const fraction part{1, t.sharding == sharding::none ? 1 : shards};
      const fraction shard = part * group.trained();
      const fraction linear = p.fp8_weights && fp8 ? fraction{part * group.linear} : fraction{};
      if (t.optimizer != optimizer::none) {
        b.update += shard * size(p.gradients) + linear + (shard - linear) * size(p.weights);
        b.update += 2 * shard * (size(p.master_weights) + size(p.first_moment));
        if (t.optimizer == optimizer::adam) b.update += 2 * shard * size(p.second_moment);
        if (t.optimizer == optimizer::muon) b.update += 2 * (shard - part * group.matrices()) * size(p.second_moment);
      }
      b.step += fraction{group.trained(), t.sharding >= sharding::gradients ? shards : 1} * size(p.gradients);
      b.step += group.linear * (fp8 ? integer{1} : size(p.weights)) + (group.routers + group.others) * size(p.weights);
    }
    b.step += b.update;
    return b;
  }

  /// Positions of keys and values that the new tokens of a sequence look at or are.
  [[nodiscard]] integer positions(bool windowed) const {
    const serving& v = d_.workload.serve;
    const attention_window& w = d_.model.attention.window;
    const std::int64_t chosen = d_.model.attention.indexer.top_k; // of one token, if there is an indexer
    if (!windowed) return chosen > 0 ? std::min(v.sequence_length, std::max(chosen, v.step_tokens)) : v.sequence_length;
    std::set<std::int64_t> all;
    for (std::int64_t token = v.sequence_length - v.step_tokens; token < v.sequence_length; ++token) {
      const std::int64_t first =
          w.kind == window_kind::chunked ? token - token % w.tokens : std::max<std::int64_t>(0, token - w.tokens + 1);
      for (std::int64_t i = first; i <= token; ++i) all.insert(i);
    }
    return static_cast<std::int64_t>(all.size());
  }

  /// That any of so many tokens chooses, expected where each chooses any `top_k` as likely as any others.
  [[nodiscard]] fraction distinct_experts(std::int64_t tokens) const {
    const experts& e = d_.model.experts;
    const fraction missed{e.routed - e.top_k, e.routed}; // by one token
    if (tokens > 1000) return e.routed;                  // An expert is missed less than once in 2^64 steps.
    fraction by_all = 1;
    for (std::int64_t i = 0; i < tokens; ++i) by_all *= missed;
    return e.routed * (1 - by_all);
  }

  [[nodiscard]] fraction serving_bytes(std::int64_t stage) const {
    const serving& v = d_.workload.serve;
    const model& m = d_.model;
    const strategy& s = d_.strategy;
    stage_contents held = contents(m, s, d_.layout, stage);
    if (!v.drafts) held.mtp_layers = 0;
    const model rank = rank_model(m, s);
    serving plain = v;
    plain.absorbed_projections = false;
    const serving_weights<integer> one = weights_of_rank<integer>(m, rank, s, plain);
    std::int64_t tokens = v.batch * v.step_tokens;
    if (v.data_parallelism == data_parallelism::attention) tokens *= s[axis::dp];
    fraction chosen;
    if (m.has_experts()) chosen = distinct_experts(tokens) * one.routed_experts.total() / rank.experts.routed / s[axis::ep];
    fraction sum;
    const auto mlp = [&](bool moe) -> fraction {
      return moe ? fraction{chosen + one.shared_experts.total() + one.router.total()} : fraction{one.dense_mlp.total()};
    };
    const integer each = key_value_bytes<integer>(rank, v.cache) * v.batch;
    const integer of_indexer =
        m.attention.indexer.top_k > 0 ? integer{indexer_key_bytes<integer>(m) * v.batch * v.sequence_length} : 0;
    for (std::int64_t i = held.first_layer; i < held.first_layer + held.decoder_layers; ++i) {
      sum += one.norms.total() + mlp(m.has_experts(i));
      if (m.has_linear_attention(i))
        sum += one.linear_attention.total() + 2 * linear_state_bytes<integer>(rank, v.linear_state) * v.batch;
      else
        sum += one.softmax_attention.total() + each * positions(m.has_window(i)) + of_indexer;
    }
    for (std::int64_t i = 0; i < held.mtp_layers; ++i) {
      fraction module{one.mtp.total()};
      if (m.has_experts(m.layers - 1)) module += chosen - one.routed_experts.total();
      sum += module + each * positions(false) + of_indexer;
    }
    if (held.loss) sum += one.final_norm.total() + one.head.total();
    return sum;
  }

  const deployment& d_;
  bool trains_;
  std::int64_t stages_ = 0;
  std::vector<std::vector<std::int64_t>> ranks_; ///< virtual stages of each
  std::vector<slow_work> work_;
};

/// What the stage with most of it has on each link. Where GPUs of several stages are in a domain, each may pass on over the network what
/// the others have.
struct slow_link_seconds {
  fraction nvlink;
  fraction network;

  explicit slow_link_seconds(const deployment& d) {
    const std::int64_t stages = d.strategy[axis::pp];
    slow_bytes all;
    const auto add = [&](const slow_links_base& links) {
      nvlink = std::max(nvlink, links.step.nvlink());
      network = std::max(network, links.step.network());
      all += links.step;
    };
    for (std::int64_t stage = 0; stage < stages; ++stage)
      if (d.workload.is_training())
        add(slow_training_links{d, stage});
      else
        add(slow_serving_links{d, stage});
    if (share_domains(d)) network = all.network() / stages;
    nvlink /= d.cluster.gpu.nvlink_bandwidth.value();
    network /= d.cluster.gpu.network_bandwidth.value();
  }

private:
  [[nodiscard]] static bool share_domains(const deployment& d) {
    const mesh ranks{d.strategy};
    for (std::int64_t rank = 1; rank < ranks.world(); ++rank)
      if (rank / d.cluster.nvlink_gpus() == (rank - 1) / d.cluster.nvlink_gpus() &&
          ranks.dense_at(rank).pp != ranks.dense_at(rank - 1).pp)
        return true;
    return false;
  }
};

/// How often what the bound tells apart has been drawn.
struct draw_counts {
  int trained = 0;
  int served = 0;
  int several_nodes = 0;
  int copied_shards = 0;
  int gathered_weights = 0;
  int dropped_choices = 0;
  int twins = 0; ///< DualPipe
  int compressed_queries = 0;
  int latent_context = 0;
  int windowed_context = 0;
  int indexed = 0;
  int tied = 0;
  int copied_experts = 0;
  int exchanged_tokens = 0; ///< between data-parallel attention ranks

  void add(const deployment& d) {
    const model& m = d.model;
    const bool trains = d.workload.is_training();
    const training& t = d.workload.train;
    const bool latent = m.attention.kind == attention_kind::latent;
    const bool context = trains && d.strategy[axis::cp] > 1;
    ++(trains ? trained : served);
    several_nodes += d.cluster.nvlink_gpus() > d.cluster.gpus_per_node.number ? 1 : 0;
    copied_shards += trains && t.dp_replicate > 1 ? 1 : 0;
    gathered_weights += trains && t.sharding != sharding::none ? 1 : 0;
    dropped_choices += trains && m.has_experts() && t.routing.capacity_factor == ratio{3, 4} ? 1 : 0;
    twins += trains && t.schedule == schedule::dualpipe ? 1 : 0;
    compressed_queries += latent && m.attention.q_lora_rank > 0 ? 1 : 0;
    latent_context += context && latent ? 1 : 0;
    windowed_context += context && m.has_window() ? 1 : 0;
    indexed += m.attention.indexer.top_k > 0 ? 1 : 0;
    tied += m.tied_embeddings ? 1 : 0;
    copied_experts += !trains && d.workload.serve.redundant_experts > 0 ? 1 : 0;
    exchanged_tokens +=
        !trains && m.has_experts() && d.strategy[axis::dp] > 1 && d.workload.serve.data_parallelism == data_parallelism::attention
            ? 1
            : 0;
  }

  /// Each at least so often.
  void check(int times) const {
    CHECK(several_nodes >= times);
    CHECK(copied_shards >= times);
    CHECK(gathered_weights >= times);
    CHECK(dropped_choices >= times);
    CHECK(twins >= times);
    CHECK(compressed_queries >= times);
    CHECK(latent_context >= times);
    CHECK(windowed_context >= times);
    CHECK(indexed >= times);
    CHECK(tied >= times);
    CHECK(copied_experts >= times);
    CHECK(exchanged_tokens >= times);
    CHECK(trained >= 5 * times);
    CHECK(served >= 5 * times);
  }
};

void check_links(const deployment_cost& c, const slow_link_seconds& links) {
  CHECK(is(c.bound.nvlink.seconds, links.nvlink));
  CHECK(is(c.bound.network.seconds, links.network));
}

TEST_CASE("every resource of random deployments") {
  deployment_draws draw{20270101};
  draw_counts drawn;
  for (int i = 0; i < cases_for_build(700); ++i) {
    deployment d = draw.next();
    const auto world = static_cast<std::int64_t>(gpus<count>(d.strategy).value());
    std::int64_t node = std::int64_t{1} << draw.below(6);
    if (node > world) node = world;
    d.cluster.gpus_per_node = node;
    d.cluster.nodes = world / node;
    d.cluster.nvlink_domain = {};
    if (draw.below(4) == 0 && 2 * node <= world) d.cluster.nvlink_domain = 2 * node;
    const deployment_cost c = cost(d);
    const slow_cost slow{d};
    const slow_link_seconds links{d};
    CAPTURE(i);
    CHECK(is(c.bound.compute.seconds, slow.compute()));
    CHECK(is(c.bound.memory.seconds, fraction{slow.memory() / d.cluster.gpu.memory_bandwidth.value()}));
    check_links(c, links);
    CHECK(is(c.bound.pipeline.seconds, std::max(slow.compute(), slow.first_to_last())));
    drawn.add(d);
  }
  drawn.check(cases_for_build(9));
}

/// What the ranks of each stage send and receive by the communications of a framework, each of which goes around a ring or straight.
struct ring_bytes {
  const topology& where;
  std::vector<by_link<fraction>> sent;
  std::vector<by_link<fraction>> received;

  ring_bytes(const topology& t, std::int64_t stages)
      : where{t}, sent(static_cast<std::size_t>(stages)), received(static_cast<std::size_t>(stages)) {}

  void operator()(const communication& c) {
    const by_link<ratio> bytes = where.link_bytes_of(c);
    add(sent, c.from_stage, bytes);
    // What a collective sends stays among the ranks of the stage, or among those of two that send as much to each other.
    add(received, c.kind == collective::send ? c.to_stage : c.from_stage, bytes);
  }

  [[nodiscard]] fraction nvlink() const {
    fraction most;
    for (std::size_t i = 0; i < sent.size(); ++i)
      most = std::max({most, fraction{sent[i].within_node + sent[i].within_domain},
                       fraction{received[i].within_node + received[i].within_domain}});
    return most;
  }
  [[nodiscard]] fraction network() const {
    fraction most;
    for (std::size_t i = 0; i < sent.size(); ++i)
      most = std::max(
          {most, fraction{sent[i].on_rail + sent[i].across_rails}, fraction{received[i].on_rail + received[i].across_rails}});
    return most;
  }

private:
  static void add(std::vector<by_link<fraction>>& all, std::int64_t stage, const by_link<ratio>& bytes) {
    const auto exact = [](const ratio& r) { return fraction{r.numerator.value(), r.denominator.value()}; };
    by_link<fraction>& sum = all[static_cast<std::size_t>(stage)];
    sum.within_node += exact(bytes.within_node);
    sum.within_domain += exact(bytes.within_domain);
    sum.on_rail += exact(bytes.on_rail);
    sum.across_rails += exact(bytes.across_rails);
  }
};

/// But for what the bound's bytes are rounded.
void check_not_above(const deployment_cost& c, const ring_bytes& rings) {
  const fraction rounding = 1 - fraction{1, integer{1} << 40};
  CHECK(fraction{c.nvlink.bytes} * rounding <= rings.nvlink());
  CHECK(fraction{c.network.bytes} * rounding <= rings.network());
}

TEST_CASE("no link has to carry more than the communications of Megatron-LM and of vLLM put on it") {
  deployment_draws draw{20270103};
  draw_counts drawn;
  for (int i = 0; i < cases_for_build(700); ++i) {
    const deployment d = draw.next();
    const topology where{d};
    ring_bytes rings{where, d.strategy[axis::pp]};
    CAPTURE(i);
    if (d.workload.is_training()) {
      training_traffic<>{d}.visit_stages(rings);
    } else {
      serving_traffic<>{d, {.dispatcher = token_dispatcher::deepep}}.visit_stages(rings);
    }
    drawn.add(d);
    check_not_above(cost(d), rings);
  }
  drawn.check(cases_for_build(9));
}

TEST_CASE("links of deployments that lie unevenly on nodes") {
  deployment_draws draw{20270102};
  draw_counts drawn;
  for (int i = 0; i < cases_for_build(400); ++i) {
    const deployment d = draw.next();
    CAPTURE(i);
    check_links(cost(d), slow_link_seconds{d});
    drawn.add(d);
  }
  drawn.check(cases_for_build(8));
}

} // namespace
