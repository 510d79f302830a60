// What must hold of every training run, on some thousand random ones that `check` accepts. Where a property has an exception, it is
// named here with its size, and so is the reason.
#include <doctest/doctest.h>

#include <cstdint>
#include <ostream>
#include <random>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/memory/training_memory.hpp>
#include <moeplan/verify/check.hpp>

#include "support/slow_build.hpp"

using namespace moeplan;

namespace {

template <class T, std::size_t N>
T one_of(std::mt19937_64& random, const T (&values)[N]) {
  return values[random() % N];
}

bool coin(std::mt19937_64& random) { return random() % 2 == 0; }

model random_model(std::mt19937_64& random) {
  model m;
  m.layers = 1 + static_cast<std::int64_t>(random() % 12);
  m.hidden_size = 256 * (1 + static_cast<std::int64_t>(random() % 16));
  m.vocabulary_size = 1000 + static_cast<std::int64_t>(random() % 100'000);
  m.intermediate_size = 128 * (1 + static_cast<std::int64_t>(random() % 64));
  m.gated_mlp = coin(random);
  const auto heads = one_of<std::int64_t>(random, {8, 16, 32});
  if (coin(random)) {
    const auto groups = one_of<std::int64_t>(random, {8, heads});
    const auto head_dim = one_of<std::int64_t>(random, {64, 128});
    m.attention = attention::grouped_query(heads, groups, head_dim);
    m.attention.output_gate = random() % 4 == 0;
    m.attention.norm = one_of(random, {query_key_norm::none, query_key_norm::per_head});
  } else {
    m.attention = attention::latent(heads, {.q_lora_rank = one_of<std::int64_t>(random, {0, 256, 768}),
                                            .kv_lora_rank = 256,
                                            .qk_nope_head_dim = 128,
                                            .qk_rope_head_dim = 64,
                                            .v_head_dim = 128});
  }
  if (coin(random)) {
    m.experts = {.routed = one_of<std::int64_t>(random, {8, 16, 64}),
                 .top_k = one_of<std::int64_t>(random, {1, 2, 4, 8}),
                 .intermediate_size = 128 * (1 + static_cast<std::int64_t>(random() % 16)),
                 .shared_intermediate_size = one_of<std::int64_t>(random, {0, 512, 2048}),
                 .groups = one_of<std::int64_t>(random, {1, 4}),
                 .score = one_of(random, {router_score::softmax, router_score::sigmoid}),
                 .layers = layer_set::after_first(static_cast<std::int64_t>(random() % 3))};
    m.experts.group_top_k = m.experts.groups;
  }
  m.mtp_layers = static_cast<std::int64_t>(random() % 4) / 2;
  return m;
}

training random_training(std::mt19937_64& random, std::int64_t data) {
  training t;
  t.micro_batch = 1 + static_cast<std::int64_t>(random() % 3);
  t.global_batch = t.micro_batch * data * (1 + static_cast<std::int64_t>(random() % 12));
  t.sequence_length = 1024 * (1 + static_cast<std::int64_t>(random() % 8));
  t.context = one_of(random, {context_exchange::ring, context_exchange::all_gather, context_exchange::all_to_all});
  t.dispatcher = one_of(random, {token_dispatcher::all_gather, token_dispatcher::all_to_all, token_dispatcher::flex});
  t.routing.pre_softmax = coin(random);
  t.routing.balancing = one_of(random, {load_balancing::none, load_balancing::auxiliary_loss});
  if (coin(random)) t.routing.capacity_factor = one_of(random, {ratio{1}, ratio{5, 4}, ratio{1, 2}});
  t.routing.pad_to_capacity = t.routing.capacity_factor.numerator != 0 && coin(random);
  if (random() % 4 == 0) t.routing.load = routing_load::worst;
  t.precision.fp8 =
      one_of(random, {fp8_recipe::none, fp8_recipe::none, fp8_recipe::tensorwise, fp8_recipe::blockwise, fp8_recipe::mxfp8});
  t.kernels = {.flash_attention = random() % 4 != 0,
               .fused_cross_entropy = coin(random),
               .fused_weight_gradient = coin(random),
               .attention_dropout = coin(random),
               .hidden_dropout = coin(random)};
  t.sharding = one_of(random, {sharding::none, sharding::optimizer, sharding::gradients, sharding::parameters});
  return t;
}

deployment random_run(std::mt19937_64& random) {
  const auto tensor = one_of<std::int64_t>(random, {1, 2, 4, 8});
  const auto data = one_of<std::int64_t>(random, {1, 2, 4, 8});
  deployment d{.model = random_model(random),
               .strategy = {tp{tensor}, sp{coin(random) ? tensor : 1}, pp{one_of<std::int64_t>(random, {1, 2, 3, 4})},
                            vpp{one_of<std::int64_t>(random, {1, 1, 2})}, cp{one_of<std::int64_t>(random, {1, 2, 4})},
                            ep{one_of<std::int64_t>(random, {1, 2, 4, 8})}, etp{one_of<std::int64_t>(random, {1, 1, 2})}, dp{data}},
               .layout = layout::balanced(),
               .workload = random_training(random, data)};
  d.workload.train.schedule = one_of(random, {schedule::one_forward_one_backward, schedule::one_forward_one_backward,
                                              schedule::gpipe, schedule::zb_h1, schedule::dualpipe});
  d.profile = one_of(random, {profile::universal, profile::megatron});
  return d;
}

bool is_legal(deployment d) {
  d.cluster.total = static_cast<std::int64_t>(gpus(d.strategy).value());
  return check(d).ok();
}

/// Calls visit with as many legal runs.
template <class Visit>
void for_runs(int number, std::uint64_t seed, Visit visit) {
  std::mt19937_64 random{seed};
  for (int found = 0; found < number;) {
    const deployment d = random_run(random);
    if (!is_legal(d)) continue;
    ++found;
    visit(d);
  }
}

block_memories blocks_of(const deployment& d) { return training_memory{d}.blocks(); }

/// What a micro-batch keeps on all stages together.
saturating_count kept(const deployment& d) {
  const training_memory memory{d};
  saturating_count sum;
  for (std::int64_t rank = 0; rank < memory.stages(); ++rank)
    for (std::int64_t c = 0; c < memory.chunks(); ++c) {
      const stage_contents held = memory.contents_of(rank, c);
      sum += chunk_memory_of(d.model, memory.blocks(), d.workload.train, held, parts_of_stage(d.model, held)).kept;
    }
  return sum;
}

saturating_count highest_peak(const deployment& d) {
  const training_memory memory{d};
  saturating_count highest;
  for (std::int64_t rank = 0; rank < memory.stages(); ++rank) {
    const saturating_count peak = memory.stage(rank).peak();
    if (peak > highest) highest = peak;
  }
  return highest;
}

/// Whether no block but the embedding keeps more in `b` than in `a`.
bool keeps_no_more(const block_memories& b, const block_memories& a) {
  return b.softmax_attention.kept <= a.softmax_attention.kept && b.dense_mlp.kept <= a.dense_mlp.kept &&
         b.moe_mlp.kept <= a.moe_mlp.kept && b.mtp_input.kept <= a.mtp_input.kept && b.head.kept <= a.head.kept &&
         b.residual <= a.residual;
}

constexpr int runs = moeplan_test::cases_for_build(3000);

} // namespace

TEST_CASE("twice the TP, with sequence parallelism, keeps no more activations") {
  int compared = 0;
  for_runs(runs, 1, [&compared](deployment d) {
    const std::int64_t tensor = d.strategy[axis::tp];
    d.strategy = d.strategy.with(sp{tensor});
    deployment twice = d;
    twice.strategy = d.strategy.with(tp{2 * tensor}).with(sp{2 * tensor});
    if (!is_legal(d) || !is_legal(twice)) return;
    ++compared;
    const block_memories a = blocks_of(d);
    const block_memories b = blocks_of(twice);
    CHECK(keeps_no_more(b, a));
    // The exception: a rank that has a part of the vocabulary keeps which tokens are in it, a byte each.
    const saturating_count mask = tensor == 1 ? allocated(training_memory{twice}.shape().tokens) : saturating_count{0};
    CHECK(b.embedding.kept <= a.embedding.kept + mask);
  });
  CHECK(compared > runs / 4);
}

TEST_CASE("so does twice the CP") {
  int compared = 0;
  for_runs(runs, 2, [&compared](const deployment& d) {
    deployment twice = d;
    twice.strategy = d.strategy.with(cp{2 * d.strategy[axis::cp]});
    if (!is_legal(twice)) return;
    ++compared;
    CHECK(keeps_no_more(blocks_of(twice), blocks_of(d)));
    CHECK(blocks_of(twice).embedding.kept <= blocks_of(d).embedding.kept);
  });
  CHECK(compared > runs / 4);
}

TEST_CASE("half the sequence or half the micro-batch keeps and takes no more") {
  for_runs(runs, 3, [](const deployment& d) {
    deployment half = d;
    half.workload.train.sequence_length /= 2;
    if (!is_legal(half)) return;
    CHECK(keeps_no_more(blocks_of(half), blocks_of(d)));
    CHECK(highest_peak(half) <= highest_peak(d));
  });
}

TEST_CASE("selective recompute, module by module, keeps no more, and full recompute less than any") {
  int more = 0;
  for_runs(runs, 4, [&more](deployment d) {
    training& t = d.workload.train;
    t.recompute = recompute::none;
    const saturating_count none = kept(d);
    t.recompute = recompute::selective;
    t.recompute_modules = {.core_attention = false};
    CHECK(kept(d) == none);
    saturating_count before = none;
    const auto step = [&] {
      const saturating_count now = kept(d);
      CHECK(now <= before);
      before = now;
    };
    recompute_modules& modules = t.recompute_modules;
    modules.layer_norm = true, step();
    modules.moe_activation = true, step();
    modules.shared_experts = true, step();
    modules.mlp = true, step();
    modules.moe = true, step();
    modules.latent_up_projection = true, step();
    modules.core_attention = true;
    // The exception: fused core attention with grouped queries. What is computed again is smaller than the tensor of queries, keys and
    // values that is kept for it, of which the values are a view (see the next test).
    const bool fused_groups = d.model.attention.kind == attention_kind::grouped_query && t.kernels.flash_attention;
    if (!fused_groups) step();
    if (fused_groups && kept(d) > before) ++more;
    t.recompute = recompute::full;
    t.recompute_layers = 1;
    CHECK(kept(d) <= before);
    const saturating_count each = kept(d);
    t.recompute_layers = 2;
    CHECK(kept(d) <= each);
    t.recompute_method = recompute_method::block;
    saturating_count by_layers = none;
    for (const std::int64_t layers : {0, 1, 2, 4, 16}) {
      t.recompute_layers = layers;
      CHECK(kept(d) <= by_layers);
      by_layers = kept(d);
    }
    // Modules of multi-token prediction are computed again by the other method alone.
    if (d.model.mtp_layers > 0)
      CHECK(by_layers > each);
    else
      CHECK(by_layers == each);
  });
  CHECK(more > runs / 10);
}

TEST_CASE("recompute of fused core attention keeps more: 71 MiB a layer of Llama-3 70B") {
  deployment d{.model = catalog::llama_3_1_70b, .strategy = {dp{1}}, .workload = training{.sequence_length = 4096}};
  const saturating_count none = blocks_of(d).softmax_attention.kept;
  d.workload.train.recompute = recompute::selective;
  const saturating_count selective = blocks_of(d).softmax_attention.kept;
  // 80 MiB of queries, keys and values as one; dropped are a copy of the values (8), logarithms of sums (1) and 512 bytes.
  CHECK(selective == none + saturating_count{80 - 8 - 1} * (1 << 20) - 512);
  // With exchanging context parallelism the output before the exchange (64) goes too, and 7 MiB are left.
  d.strategy = {cp{8}, dp{1}};
  d.workload.train.sequence_length = 8LL * 4096;
  d.workload.train.context = context_exchange::all_to_all;
  const saturating_count exchanging = blocks_of(d).softmax_attention.kept;
  d.workload.train.recompute = recompute::none;
  CHECK(exchanging == blocks_of(d).softmax_attention.kept + saturating_count{80 - 8 - 1 - 64} * (1 << 20) - 512);
}

TEST_CASE("what gradients of weights need does not depend on recompute of modules") {
  for_runs(runs / 4, 5, [](deployment d) {
    training& t = d.workload.train;
    t.recompute = recompute::none;
    const block_memories a = blocks_of(d);
    t.recompute = recompute::selective;
    t.recompute_modules = {true, true, true, true, true, true, true};
    const block_memories b = blocks_of(d);
    CHECK(a.softmax_attention.for_weights == b.softmax_attention.for_weights);
    CHECK(a.dense_mlp.for_weights == b.dense_mlp.for_weights);
    CHECK(a.moe_mlp.for_weights == b.moe_mlp.for_weights);
  });
}

TEST_CASE("more micro-batches never need less") {
  for_runs(runs, 6, [](deployment d) {
    optional_integer& batch = d.workload.train.global_batch;
    // The exception: interleaved stages and micro-batches that are no full groups (see the next test).
    const std::int64_t group = d.strategy[axis::vpp] > 1 ? d.strategy[axis::pp] : 1;
    const std::int64_t one = d.workload.train.micro_batch * d.strategy[axis::dp];
    saturating_count before;
    for (std::int64_t number = group; number <= 16; number *= 2) {
      batch = number * one;
      if (!is_legal(d)) continue;
      const saturating_count now = highest_peak(d);
      CHECK(now >= before);
      before = now;
    }
  });
}

TEST_CASE("interleaved stages whose micro-batches are less than a group make all forward passes first, and hold several heads") {
  deployment d{.model = catalog::llama_3_1_8b,
               .strategy = {pp{4}, vpp{2}, dp{1}},
               .workload = training{.global_batch = 2, .sequence_length = 4096}};
  d.model.vocabulary_size *= 2;
  const training_memory two{d};
  const saturating_count head = two.blocks().head.kept;
  const saturating_count layer = two.blocks().softmax_attention.kept + two.blocks().dense_mlp.kept;
  const saturating_count at_work = two.blocks().head.forward_peak;
  CHECK(head > 4 * layer);
  // Two micro-batches of both chunks, four layers each, the second with the head.
  CHECK(two.stage(3).activations == saturating_count{2 * 2 * 4} * layer + head + at_work);
  // Of four, the first has come back before the second goes through the head: four through the first chunk and one through both.
  d.workload.train.global_batch = 4;
  CHECK(training_memory{d}.stage(3).activations == saturating_count{5 * 4} * layer + at_work);
  CHECK(training_memory{d}.stage(3).peak() < two.stage(3).peak());
}

TEST_CASE("a stage's peak is the sum of its components, each at least what it must be") {
  for_runs(runs, 7, [](const deployment& d) {
    const training_memory memory{d};
    const training& t = d.workload.train;
    for (std::int64_t rank = 0; rank < memory.stages(); ++rank) {
      const auto s = memory.stage(rank);
      CHECK(s.peak() == s.weights + s.gradients + s.optimizer + s.activations + s.kv_cache + s.workspace);
      CHECK(!s.peak().overflowed());
      rank_parameters<saturating_count> parameters;
      saturating_count kept_there;
      for (std::int64_t c = 0; c < memory.chunks(); ++c) {
        const stage_contents held = memory.contents_of(rank, c);
        const stage_parts n = parts_of_stage(d.model, held);
        parameters += parameters_of_stage(memory.parts(), n);
        kept_there += chunk_memory_of(d.model, memory.blocks(), t, held, n).kept;
      }
      CHECK(s.parameters() == parameters.total());
      auto states = states_of(parameters.dense, t, memory.ranks().dense);
      states += states_of(parameters.experts, t, memory.ranks().experts);
      CHECK(s.weights == states.weights + states.quantised_weights);
      CHECK(s.gradients == states.gradients);
      if (s.time != peak_time::start) CHECK(s.optimizer == states.optimizer);
      const bool in_a_pass = s.time == peak_time::forward_pass || s.time == peak_time::backward_pass;
      // The chunk that is named may be without layers, as the other direction's stage in DualPipe.
      if (in_a_pass && s.place.block == block::none) {
        const stage_contents empty = memory.contents_of(rank, s.chunk);
        CHECK((empty.decoder_layers == 0 && !empty.embedding && !empty.loss && empty.mtp_layers == 0));
      }
      if (!in_a_pass) CHECK(s.place == work_place{});
      // A single chunk is in flight as a whole at least when its passes turn.
      if (in_a_pass && memory.chunks() == 1) CHECK(s.activations >= kept_there);
    }
  });
}

TEST_CASE("stages are what they are by themselves, in whatever order they are asked for") {
  struct compare {
    const training_memory<>* memory;
    std::int64_t rank = 0;
    void operator()(const training_memory<>::stage_bytes& s) {
      CHECK(s == memory->stage(rank));
      ++rank;
    }
  };
  for_runs(runs, 8, [](const deployment& d) {
    const training_memory memory{d};
    compare each{&memory};
    memory.visit_stages(each);
    CHECK(each.rank == memory.stages());
  });
}

TEST_CASE("more sharding never takes more, but for what is gathered in its stead") {
  for_runs(runs, 9, [](deployment d) {
    training& t = d.workload.train;
    saturating_count states_before;
    saturating_count peak_before;
    for (const sharding s : {sharding::none, sharding::optimizer, sharding::gradients, sharding::parameters}) {
      t.sharding = s;
      if (!is_legal(d)) return;
      const training_memory memory{d};
      for (std::int64_t rank = 0; rank < 1; ++rank) {
        const auto stage = memory.stage(rank);
        stage_parts all;
        rank_parameters<saturating_count> parameters;
        for (std::int64_t c = 0; c < memory.chunks(); ++c) {
          const stage_parts n = parts_of_stage(d.model, memory.contents_of(rank, c));
          all += n;
          parameters += parameters_of_stage(memory.parts(), n);
        }
        auto states = states_of(parameters.dense, t, memory.ranks().dense);
        states += states_of(parameters.experts, t, memory.ranks().experts);
        const saturating_count bytes = states.weights + states.quantised_weights + states.gradients + states.optimizer;
        // The exception: sharded gradients and weights are whole while a layer is at work. Over one rank that is all that changes.
        detail::standing_tensors gathered;
        visit_sharding_workspace(t, memory.parts(), all, gathered);
        if (s != sharding::none) {
          CHECK(bytes <= states_before);
          CHECK(stage.peak() <= peak_before + gathered.bytes);
        }
        states_before = bytes;
        peak_before = stage.peak();
      }
    }
  });
}

TEST_CASE("more ranks share states: none needs more of them") {
  for_runs(runs, 10, [](const deployment& d) {
    deployment twice = d;
    twice.strategy = d.strategy.with(dp{2 * d.strategy[axis::dp]});
    twice.workload.train.global_batch = 2 * d.workload.train.global_batch.number;
    if (!is_legal(twice)) return;
    CHECK(highest_peak(twice) <= highest_peak(d));
  });
}

TEST_CASE("a size near 2^62 gives a peak that says so, and never a small number") {
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  std::int64_t model::*const sizes[] = {&model::hidden_size, &model::vocabulary_size, &model::intermediate_size};
  for (const model& m : {catalog::deepseek_v3, catalog::llama_3_1_70b}) {
    const deployment d{.model = m,
                       .strategy = {pp{2}, ep{1}, dp{2}},
                       .layout = layout::balanced(),
                       .workload = training{.global_batch = 8, .sequence_length = 4096}};
    for (const auto size : sizes) {
      deployment absurd = d;
      absurd.model.*size = huge;
      CHECK(highest_peak(absurd).overflowed());
    }
    for (std::int64_t training::*const size : {&training::sequence_length, &training::micro_batch}) {
      deployment absurd = d;
      absurd.workload.train.*size = huge;
      absurd.workload.train.global_batch = {};
      CHECK(highest_peak(absurd).overflowed());
    }
    deployment padded = d;
    padded.workload.train.vocabulary_multiple = huge;
    CHECK(highest_peak(padded).overflowed());
  }
  std::int64_t experts::*const of_experts[] = {&experts::intermediate_size, &experts::shared_intermediate_size, &experts::routed,
                                               &experts::top_k};
  for (const auto size : of_experts) {
    deployment absurd{.model = catalog::deepseek_v3,
                      .strategy = {dp{1}},
                      .workload = training{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all}};
    absurd.model.experts.*size = huge;
    CHECK(highest_peak(absurd).overflowed());
  }
}

TEST_CASE("as a size grows, a peak grows until it says that it does not fit") {
  for (int i = 0; i < 4; ++i) {
    saturating_count before;
    for (int bits = 10; bits < 63; ++bits) {
      deployment d{.model = i % 2 == 0 ? catalog::deepseek_v3 : catalog::llama_3_1_8b,
                   .strategy = {dp{1}},
                   .workload = training{.sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all}};
      (i < 2 ? d.workload.train.sequence_length : d.model.vocabulary_size) = std::int64_t{1} << bits;
      const saturating_count now = highest_peak(d);
      CHECK(now >= before);
      before = now;
    }
    CHECK(before.overflowed());
  }
}
