// The bound of a step in fractions of integers of any length, resource by resource: stage by stage, rank by rank, token by token, without
// what the library computes once for several.
#include <moeplan/cost/deployment_cost.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include <moeplan/mesh/mesh.hpp>

#include "cost/random_deployments.hpp"
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
      for (std::int64_t stage = 0; stage < lowest; ++stage) sum += at(stage).forward + back(stage);
      most = std::max(most, sum);
    }
    fraction way = rest;
    for (std::int64_t stage = 0; stage < stages_; ++stage) way += at(stage).forward + back(stage);
    fraction of_first_rank;
    if (one_chunk()) of_first_rank = passes(0) * at(0).total();
    return std::max({most, way, of_first_rank});
  }

  [[nodiscard]] fraction one_pass() const { return at(0).total(); }

  struct memory_and_update {
    integer step;
    integer update;
  };

  [[nodiscard]] integer memory() const {
    integer most;
    for (const auto& held : ranks_) {
      integer sum;
      if (trains_)
        sum = training_bytes(held).step;
      else
        for (const std::int64_t stage : held) sum += serving_bytes(stage);
      most = std::max(most, sum);
    }
    return most;
  }
  [[nodiscard]] integer update_memory() const { return trains_ ? training_bytes({0}).update : integer{}; }
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

  /// Products with weights, in seconds of one GPU.
  [[nodiscard]] fraction weighted(const flops<integer>& f, const product_types& p) const {
    return over(f.attention_projections, p.attention) + over(f.indexer_projections, p.attention) +
           over(f.linear_projections, p.attention) + over(f.dense_mlp, p.mlps) + over(f.shared_experts, p.mlps) +
           over(f.routed_experts, p.routed_experts) + over(f.mtp_projections, p.mtp_projections) +
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
    return {each * (w + x), each * (w + 2 * x + weighted(f.recomputed, p) + unweighted(f.recomputed)), each * w};
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
    return {sum / (d_.strategy[axis::tp] * d_.strategy[axis::cp]), 0, 0};
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
    const auto up = [](const integer& a, std::int64_t n) -> integer { return (a + n - 1) / n; };
    const auto size = [](number_type type) -> integer { return bits(type) / 8; };
    const bool fp8 = p.fp8 != fp8_recipe::none;
    for (const auto& [group, ranks] : {std::pair{all.dense, dense_ranks}, std::pair{all.experts, expert_ranks}}) {
      const std::int64_t states = t.sharding == sharding::none ? 1 : ranks;
      const integer shard = up(group.trained(), states);
      const integer linear = p.fp8_weights && fp8 ? up(group.linear, states) : integer{0};
      if (t.optimizer != optimizer::none) {
        b.update += shard * size(p.gradients) + linear + (shard - linear) * size(p.weights);
        b.update += 2 * shard * (size(p.master_weights) + size(p.first_moment));
        if (t.optimizer == optimizer::adam) b.update += 2 * shard * size(p.second_moment);
        if (t.optimizer == optimizer::muon) b.update += 2 * (shard - up(group.matrices(), states)) * size(p.second_moment);
      }
      b.step += up(group.trained(), t.sharding >= sharding::gradients ? ranks : 1) * size(p.gradients);
      b.step += group.linear * (fp8 ? integer{1} : size(p.weights)) + (group.routers + group.others) * size(p.weights);
    }
    b.step += b.update;
    return b;
  }

  /// Positions of keys and values that the new tokens of a sequence look at or are.
  [[nodiscard]] integer positions(bool windowed) const {
    const serving& v = d_.workload.serve;
    const attention_window& w = d_.model.attention.window;
    if (!windowed) return v.sequence_length;
    std::set<std::int64_t> all;
    for (std::int64_t token = v.sequence_length - v.step_tokens; token < v.sequence_length; ++token) {
      const std::int64_t first =
          w.kind == window_kind::chunked ? token - token % w.tokens : std::max<std::int64_t>(0, token - w.tokens + 1);
      for (std::int64_t i = first; i <= token; ++i) all.insert(i);
    }
    return static_cast<std::int64_t>(all.size());
  }

  [[nodiscard]] integer serving_bytes(std::int64_t stage) const {
    const serving& v = d_.workload.serve;
    const model& m = d_.model;
    const strategy& s = d_.strategy;
    stage_contents held = contents(m, s, d_.layout, stage);
    if (!v.drafts) held.mtp_layers = 0;
    const model rank = rank_model(m, s);
    serving plain = v;
    plain.absorbed_projections = false;
    const serving_weights<integer> one = weights_of_rank<integer>(m, rank, s, plain);
    integer tokens = integer{v.batch} * v.step_tokens;
    if (v.data_parallelism == data_parallelism::attention) tokens *= s[axis::dp];
    integer chosen;
    if (m.has_experts()) {
      const integer expert = one.routed_experts.total() / rank.experts.routed;
      const integer choices = std::min(integer{tokens * m.experts.top_k}, integer{m.experts.routed});
      chosen = expert * choices / s[axis::ep];
    }
    integer sum;
    const auto mlp = [&](bool moe) -> integer {
      return moe ? chosen + one.shared_experts.total() + one.router.total() : one.dense_mlp.total();
    };
    const integer each = key_value_bytes<integer>(rank, v.cache) * v.batch;
    for (std::int64_t i = held.first_layer; i < held.first_layer + held.decoder_layers; ++i) {
      sum += one.norms.total() + mlp(m.has_experts(i));
      if (m.has_linear_attention(i))
        sum += one.linear_attention.total() + 2 * linear_state_bytes<integer>(rank, v.linear_state) * v.batch;
      else
        sum += one.softmax_attention.total() + each * positions(m.has_window(i));
    }
    for (std::int64_t i = 0; i < held.mtp_layers; ++i) {
      integer module = one.mtp.total();
      if (m.has_experts(m.layers - 1)) module += chosen - one.routed_experts.total();
      sum += module + each * v.sequence_length;
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

/// What the communications of a stage put on links, counted group by group.
class slow_links {
public:
  explicit slow_links(const deployment& d) : d_{d}, mesh_{d.strategy} {}

  void operator()(const communication& c) {
    const integer size = c.size.value();
    const integer times = c.times.value();
    const auto [nvlink, network] = of_one(c);
    step_nvlink += size * times * nvlink;
    step_network += size * times * network;
    if (c.pass != communication_pass::update) return;
    update_nvlink += size * nvlink;
    update_network += size * network;
  }

  fraction step_nvlink;
  fraction step_network;
  fraction update_nvlink;
  fraction update_network;

private:
  struct parts {
    fraction nvlink;
    fraction network;
  };

  [[nodiscard]] std::int64_t domain(std::int64_t rank) const { return rank / d_.cluster.gpus_per_node.number; }

  [[nodiscard]] std::vector<std::int64_t> ranks_of_stage(std::int64_t stage) const {
    std::vector<std::int64_t> ranks;
    for (std::int64_t r = 0; r < mesh_.world(); ++r)
      if (mesh_.dense_at(r).pp == stage) ranks.push_back(r);
    return ranks;
  }

  [[nodiscard]] parts of_one(const communication& c) const {
    if (c.part == group_part::stages) return of_stages(c);
    parts sum;
    std::int64_t ranks = 0;
    bool all_inside = true;
    for (const rank_group& group : mesh_.groups(c.group)) {
      if (mesh_.dense_at(*group.begin()).pp != c.from_stage) continue;
      std::map<std::int64_t, std::int64_t> on;
      for (const std::int64_t r : group) ++on[domain(r)];
      ranks += c.ranks;
      all_inside = all_inside && on.size() == 1;
      sum.network += network_of(c, group, on);
      for (const auto& [where, here] : on) sum.nvlink += fraction{here * (here - 1), c.ranks};
    }
    sum.network /= ranks;
    sum.nvlink /= ranks;
    if (c.kind == collective::all_reduce && all_inside) sum.nvlink = 1;
    if (c.kind == collective::shift) sum.nvlink = 1 - sum.network;
    if (c.copies > 0) sum.nvlink *= fraction{least(d_.strategy[axis::ep]) * d_.strategy[axis::etp], c.copies};
    return sum;
  }

  [[nodiscard]] fraction network_of(const communication& c, const rank_group& group,
                                    const std::map<std::int64_t, std::int64_t>& on) const {
    const std::int64_t n = c.ranks;
    fraction sum;
    switch (c.kind) {
      case collective::all_reduce: return on.size() > 1 ? static_cast<std::int64_t>(on.size()) : 0;
      case collective::shift: {
        std::vector<std::int64_t> ring;
        for (const std::int64_t r : group) ring.push_back(domain(r));
        for (std::size_t i = 0; i < ring.size(); ++i) sum += ring[i] != ring[(i + 1) % ring.size()] ? 1 : 0;
        return sum;
      }
      default: break;
    }
    for (const auto& [where, here] : on) sum += fraction{here * (n - here), c.kind == collective::all_to_all ? n : n * here};
    if (c.copies > 0) sum *= fraction{domains_of_a_token(on), c.copies};
    return sum;
  }

  /// As few as have room for all of a token's experts, where each has as many as the others.
  [[nodiscard]] std::int64_t domains_of_a_token(const std::map<std::int64_t, std::int64_t>& on) const {
    for (const auto& [where, here] : on)
      if (d_.strategy[axis::etp] > 1 || here != on.begin()->second) return 1;
    return least(static_cast<std::int64_t>(on.size()));
  }

  [[nodiscard]] std::int64_t least(std::int64_t places) const {
    const std::int64_t each = (d_.model.experts.routed + d_.workload.redundant_experts()) / places;
    return (d_.model.experts.top_k + each - 1) / each;
  }

  [[nodiscard]] parts of_stages(const communication& c) const {
    const std::vector<std::int64_t> from = ranks_of_stage(c.from_stage);
    const std::vector<std::int64_t> to = ranks_of_stage(c.to_stage);
    fraction apart;
    for (std::size_t i = 0; i < from.size(); ++i) apart += domain(from[i]) != domain(to[i]) ? 1 : 0;
    apart /= static_cast<std::int64_t>(from.size());
    if (c.ranks > 2) return {0, apart == 1 ? apart : fraction{}};
    return {1 - apart, apart};
  }

  const deployment& d_;
  mesh mesh_;
};

template <class Traffic>
void check_links(const deployment& d, const deployment_cost& c, const slow_cost& slow, const Traffic& traffic) {
  fraction nvlink;
  fraction network;
  fraction update; // seconds
  const gpu& g = d.cluster.gpu;
  for (std::int64_t stage = 0; stage < d.strategy[axis::pp]; ++stage) {
    slow_links links{d};
    traffic.visit_stage(stage, links);
    nvlink = std::max(nvlink, links.step_nvlink);
    network = std::max(network, links.step_network);
    if (stage > 0 || !slow.one_chunk()) continue;
    update = std::max({fraction{slow.update_memory(), g.memory_bandwidth.value()},
                       fraction{links.update_nvlink / integer{g.nvlink_bandwidth.value()}},
                       fraction{links.update_network / integer{g.network_bandwidth.value()}}});
  }
  CHECK(is(c.bound.nvlink.seconds, nvlink / integer{g.nvlink_bandwidth.value()}));
  CHECK(is(c.bound.network.seconds, network / integer{g.network_bandwidth.value()}));
  const fraction one = slow.one_chunk() ? slow.one_pass() : fraction{};
  CHECK(is(c.bound.pipeline.seconds, std::max(slow.compute(), fraction{slow.first_to_last() - one + std::max(one, update)})));
}

TEST_CASE("every resource of random deployments") {
  deployment_draws draw{20270101};
  int trained = 0;
  int served = 0;
  while (trained + served < cases_for_build(700)) {
    deployment d = draw.next();
    const auto world = static_cast<std::int64_t>(gpus<count>(d.strategy).value());
    std::int64_t node = std::int64_t{1} << draw.below(6);
    if (node > world) node = world;
    d.cluster.gpus_per_node = node;
    d.cluster.nodes = world / node;
    const deployment_cost c = cost(d);
    const slow_cost slow{d};
    CAPTURE(trained + served);
    CHECK(is(c.bound.compute.seconds, slow.compute()));
    CHECK(is(c.bound.memory.seconds, fraction{slow.memory(), d.cluster.gpu.memory_bandwidth.value()}));
    if (d.workload.is_training()) {
      check_links(d, c, slow, training_traffic<>{d, detail::least_formats(d.workload.train)});
      ++trained;
    } else {
      check_links(d, c, slow, serving_traffic<>{d, detail::least_exchange(product_types_of(d.workload))});
      ++served;
    }
  }
  CHECK(trained > cases_for_build(200));
  CHECK(served > cases_for_build(200));
}

TEST_CASE("links of deployments that lie unevenly on nodes") {
  deployment_draws draw{20270102};
  for (int i = 0; i < cases_for_build(400); ++i) {
    const deployment d = draw.next();
    const deployment_cost c = cost(d);
    fraction nvlink;
    fraction network;
    for (std::int64_t stage = 0; stage < d.strategy[axis::pp]; ++stage) {
      slow_links links{d};
      if (d.workload.is_training())
        training_traffic<>{d, detail::least_formats(d.workload.train)}.visit_stage(stage, links);
      else
        serving_traffic<>{d, detail::least_exchange(product_types_of(d.workload))}.visit_stage(stage, links);
      nvlink = std::max(nvlink, links.step_nvlink);
      network = std::max(network, links.step_network);
    }
    nvlink /= integer{d.cluster.gpu.nvlink_bandwidth.value()};
    network /= integer{d.cluster.gpu.network_bandwidth.value()};
    CAPTURE(i);
    CHECK(is(c.bound.nvlink.seconds, nvlink));
    CHECK(is(c.bound.network.seconds, network));
  }
}

} // namespace
