// What candidate_memory leaves out and shares against the memory of every stage, computed alone.
#include <moeplan/search/candidate_memory.hpp>

#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/catalog/qwen.hpp>
#include <moeplan/memory/memory.hpp>
#include <moeplan/verify/check.hpp>

#include <doctest/doctest.h>

#include <random>
#include <utility>

using namespace moeplan;

namespace {

class random_runs {
public:
  /// A legal run of a whole model, whatever GPU it would need.
  deployment next() {
    for (;;) {
      deployment d;
      const model* models[] = {&catalog::deepseek_v3, &catalog::mixtral_8x22b, &catalog::qwen3_next_80b_a3b,
                               &catalog::qwen3_30b_a3b};
      d.model = *models[below(4)];
      d.profile = below(2) == 0 ? profile::megatron : profile::universal;
      d.strategy = {tp{1 << below(3)}, cp{1 << below(2)}, ep{1 << below(4)},
                    pp{1 + below(16)}, vpp{1 + below(8)}, dp{8 << below(3)}};
      if (below(2) == 0) d.strategy = d.strategy.with(sp{d.strategy[axis::tp]});
      if (below(4) == 0) d.strategy = d.strategy.with(pp{d.model.layers + 2}).with(vpp{1});
      const layout layouts[] = {layout::even(), layout::even_with(true, true), layout::balanced()};
      d.layout = layouts[below(3)];
      training t{.sequence_length = 4096};
      t.micro_batch = 1 + below(3);
      const std::int64_t times = 1 + below(3);
      const std::int64_t some = below(2) == 0 ? d.strategy[axis::pp] : 1 + below(40);
      if (below(5) != 0) t.global_batch = t.micro_batch * d.strategy[axis::dp] * times * some;
      t.recompute = static_cast<recompute>(below(3));
      t.recompute_method = static_cast<recompute_method>(below(2));
      t.recompute_layers = 1 + below(5);
      t.schedule = below(3) == 0 ? static_cast<schedule>(below(9)) : schedule::one_forward_one_backward;
      t.sharding = static_cast<sharding>(below(4));
      t.dispatcher = static_cast<token_dispatcher>(below(4));
      t.overlap.expert_parallel = below(5) == 0;
      d.workload = t;
      if (check(d).ok()) return d;
    }
  }

private:
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(n)); }
  std::mt19937_64 bits_{5};
};

} // namespace

TEST_CASE("the peak is that of the fullest stage, and no capacity below it suffices") {
  random_runs runs;
  int deep = 0;
  int interleaved = 0;
  for (int i = 0; i < 10000; ++i) {
    CAPTURE(i);
    const deployment d = runs.next();
    detail::candidate_memory<> shared;
    shared.set_ranks();
    shared.set_experts(d);
    shared.set_pipeline(d);
    shared.set_states(d);
    const auto peak = static_cast<std::int64_t>(memory(d).peak().value());
    const detail::memory_place place{i % 40, i % 3}; // remembered or not
    const detail::memory_verdict enough = shared.judge(d, place, peak);
    CHECK(enough.fits);
    CHECK(enough.peak == peak);
    CHECK(!shared.judge(d, place, peak - 1).fits);
    CHECK(!shared.states_exceed(peak));
    deep += d.strategy[axis::pp] > 8;
    interleaved += d.strategy[axis::vpp] > 2;
  }
  CHECK(deep > 200);
  CHECK(interleaved > 200);
}

TEST_CASE("states exceed what the states of the fullest stage take, less a byte") {
  random_runs runs;
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    const deployment d = runs.next();
    detail::candidate_memory<> shared;
    shared.set_ranks();
    shared.set_experts(d);
    shared.set_pipeline(d);
    shared.set_states(d);
    std::int64_t most = 0;
    const training_memory run{d};
    for (std::int64_t rank = 0; rank < run.stages(); ++rank) {
      const auto s = run.stage(rank);
      if (s.time == peak_time::start) continue; // when there is no state of the optimizer yet
      const auto states = static_cast<std::int64_t>((s.weights + s.gradients + s.optimizer).value());
      if (states > most) most = states;
    }
    if (most == 0) continue;
    CHECK(shared.states_exceed(most - 1));
  }
}

TEST_CASE("turning to another pipeline, other data parallelism and other sharding gives what is computed anew") {
  random_runs runs;
  int turned = 0;
  for (int i = 0; i < 400; ++i) {
    CAPTURE(i);
    deployment d = runs.next();
    detail::candidate_memory<> shared;
    shared.set_ranks();
    shared.set_experts(d);
    for (int other = 0; other < 4; ++other) {
      shared.set_pipeline(d);
      shared.set_states(d);
      CHECK(shared.judge(d, {}, __INT64_MAX__).peak == static_cast<std::int64_t>(memory(d).peak().value()));
      deployment changed = d;
      changed.layout = layout::balanced();
      changed.strategy = changed.strategy.with(pp{1 + (i + other) % 7}).with(vpp{1}).with(dp{d.strategy[axis::dp] * 2});
      changed.workload.train.sharding = static_cast<sharding>((i + other) % 4);
      if (changed.workload.train.global_batch.given) changed.workload.train.global_batch.number *= 2;
      if (!check(changed).ok()) continue;
      d = changed;
      ++turned;
    }
  }
  CHECK(turned > 300);
}

TEST_CASE("another number of micro-batches, other data parallelism and other sharding on the same pipeline do so too") {
  random_runs runs;
  int few = 0;
  int fewer_matter = 0;
  for (int i = 0; i < 1500; ++i) {
    CAPTURE(i);
    deployment d = runs.next();
    detail::candidate_memory<> shared;
    shared.set_ranks();
    shared.set_experts(d);
    shared.set_pipeline(d);
    const std::int64_t ranks = d.strategy[axis::pp];
    for (const std::int64_t micro_batches :
         {5 * ranks, 9 * ranks, 4 * ranks, 2 * ranks + 2, 2 * ranks + 1, ranks, std::int64_t{1}}) {
      training& t = d.workload.train;
      d.strategy = d.strategy.with(dp{8 + 8 * (micro_batches % 2)});
      t.sharding = static_cast<sharding>(micro_batches % 4);
      t.global_batch = t.micro_batch * d.strategy[axis::dp] * micro_batches;
      if (!check(d).ok()) continue;
      shared.set_states(d);
      CHECK(shared.judge(d, {}, __INT64_MAX__).peak == static_cast<std::int64_t>(memory(d).peak().value()));
      few += micro_batches < ranks;
      fewer_matter += detail::micro_batches_that_matter(pipeline_shape_of(d)) < micro_batches;
    }
  }
  CHECK(few > 200);
  CHECK(fewer_matter > 1000);
}

TEST_CASE("a larger micro-batch of which as many matter takes no less memory") {
  random_runs runs;
  int compared = 0;
  for (int i = 0; i < 1500; ++i) {
    CAPTURE(i);
    deployment d = runs.next();
    training& t = d.workload.train;
    std::uint64_t last = 0;
    for (t.micro_batch = 1; t.micro_batch <= 8; ++t.micro_batch) {
      t.global_batch = t.micro_batch * d.strategy[axis::dp] * d.strategy[axis::pp] * 4;
      if (!check(d).ok()) break;
      const std::uint64_t peak = memory(d).peak().value();
      CHECK(peak >= last);
      last = peak;
      ++compared;
    }
  }
  CHECK(compared > 5000);
}

TEST_CASE("other expert ranks do so too") {
  random_runs runs;
  int turned = 0;
  for (int i = 0; i < 1500; ++i) {
    CAPTURE(i);
    deployment d = runs.next();
    detail::candidate_memory<> shared;
    shared.set_ranks();
    for (const auto& [ep_size, etp_size] : {std::pair{1, 1}, {4, 1}, {8, 2}, {2, 4}}) {
      d.strategy = d.strategy.with(ep{ep_size}).with(etp{etp_size});
      if (!check(d).ok()) continue;
      shared.set_experts(d);
      shared.set_pipeline(d);
      shared.set_states(d);
      CHECK(shared.judge(d, {}, __INT64_MAX__).peak == static_cast<std::int64_t>(memory(d).peak().value()));
      ++turned;
    }
  }
  CHECK(turned > 3000);
}
