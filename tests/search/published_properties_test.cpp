// Every published deployment that trains is among the legal strategies of its model on its cluster: those that are files, and others.
// published_front_properties_test.cpp has those of the folding paper's table 3.
#include <moeplan/catalog/deepseek.hpp>
#include <moeplan/catalog/gpus.hpp>
#include <moeplan/catalog/llama.hpp>
#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/io/deployment_file.hpp>
#include <moeplan/search/search.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

using namespace moeplan;

namespace {

std::vector<std::string> published() {
  std::vector<std::string> files;
  for (const char* folder : {"/deployments", "/deployments/published"})
    for (const auto& entry : std::filesystem::directory_iterator{std::string{MOEPLAN_TEST_DATA "/../../examples"} + folder})
      if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

/// The one file that is there to be repaired.
bool is_broken(const std::string& file) { return std::filesystem::path{file}.filename() == "deepseek-v3-1024-broken.json"; }

} // namespace

TEST_CASE("the search finds what was published, with the memory that it takes") {
  int found = 0;
  int broken = 0;
  for (const std::string& file : published()) {
    CAPTURE(file);
    const deployment d = io::read_deployment(file).deployment;
    const findings judged = check(d);
    if (is_broken(file)) {
      CHECK(judged.facts.tp == 3);
      CHECK(judged.contains(rule::heads_divide_by_tp));
      CHECK(judged.contains(rule::gpus_are_available));
      ++broken;
      continue;
    }
    REQUIRE(judged.ok());
    search_space space;
    space.base = d;
    strategy wanted = d.strategy;
    for (const axis a : {axis::tp, axis::pp, axis::ep, axis::etp, axis::cp, axis::sp}) wanted.set(a, d.strategy[a]);
    wanted.set(axis::vpp, judged.facts.vpp);
    wanted.set(axis::dp, judged.facts.dp);
    search_candidate match;
    const search_counts counts = visit_strategies(space, [&](const search_candidate& c) {
      match = c;
      return c.strategy == wanted;
    });
    CHECK(counts.ended);
    CHECK(match.gpus == judged.facts.gpus);
    CHECK(match.peak_bytes == judged.facts.peak_bytes);
    CHECK(match.memory_known == judged.facts.knows(known::memory));
    ++found;
  }
  CHECK(broken == 1);
  CHECK(found >= 39); // and each further file
}

namespace {

/// What stands in no file. Where publications do not say it, recomputation and the type of gradients are what it takes to fit.
struct published_run {
  const char* source;
  model described;
  cluster machines;
  training run;
  layout layers;
  strategy degrees; ///< with DP
};

cluster on(const gpu& g, std::int64_t gpus_per_node, std::int64_t nodes) {
  return {.gpu = g, .gpus_per_node = gpus_per_node, .nodes = nodes};
}

training batch(std::int64_t sequences, std::int64_t length) {
  return {.global_batch = sequences, .sequence_length = length, .sharding = sharding::optimizer};
}
training again(training t) {
  t.recompute = recompute::full;
  return t;
}
training bf16_gradients(training t) {
  t.precision.gradients = number_type::bf16;
  return t;
}
training mxfp8(training t) {
  t.precision.fp8 = fp8_recipe::mxfp8;
  return t;
}

model without_limit(model m) {
  m.max_positions = {};
  return m;
}
model without_mtp(model m) {
  m.mtp_layers = 0;
  return m;
}

std::vector<published_run> other_runs() {
  using namespace catalog;
  const model mixtral = without_limit(mixtral_8x22b);
  const model main = without_mtp(deepseek_v3);
  const char* const folding = "arXiv 2504.14960, table 5, without folding";
  const char* const accuracy = "arXiv 2504.14960, accuracy";
  const char* const bridge = "Megatron-Bridge 25.11, performance summary";
  const char* const zoo = "Megatron-MoE-ModelZoo, README";
  const layout even = layout::even();
  const layout both = layout::even_with(true, true);
  const layout spread = layout::balanced();
  const training full = again(batch(4096, 4096));
  return {
      {accuracy, mixtral_8x7b, on(h100_sxm, 8, 2), again(batch(256, 4096)), even, {tp{2}, sp{2}, cp{2}, pp{2}, ep{8}, dp{2}}},
      {folding, mixtral, on(h100_sxm, 8, 16), batch(1024, 16384), even, {tp{2}, sp{2}, cp{4}, pp{8}, ep{4}, etp{2}, dp{2}}},
      {folding, mixtral, on(h100_sxm, 8, 32), batch(512, 32768), even, {tp{2}, sp{2}, cp{8}, pp{8}, ep{4}, etp{2}, dp{2}}},
      {folding, mixtral, on(h100_sxm, 8, 64), batch(256, 65536), even, {tp{2}, sp{2}, cp{16}, pp{8}, ep{4}, etp{2}, dp{2}}},
      {folding, mixtral, on(h100_sxm, 8, 128), batch(128, 131072), even, {tp{4}, sp{4}, cp{16}, pp{8}, ep{8}, etp{4}, dp{2}}},
      {bridge, main, on(b300_sxm, 4, 64), full, spread, {pp{2}, vpp{4}, ep{32}, dp{128}}},
      {bridge, main, on(gb200, 4, 64), full, spread, {pp{4}, vpp{4}, ep{64}, dp{64}}},
      {bridge, main, on(gb200, 4, 64), mxfp8(full), spread, {pp{8}, vpp{4}, ep{32}, dp{32}}},
      {bridge, deepseek_v3, on(b200_sxm, 8, 32), mxfp8(again(batch(2048, 4096))), spread, {pp{16}, ep{8}, dp{16}}},
      {zoo, deepseek_v3, on(h100_sxm, 8, 64), full, layout::first_last(8, 5), {tp{2}, sp{2}, pp{8}, ep{64}, dp{32}}},
      {zoo, deepseek_v3, on(b200_sxm, 8, 32), full, layout::first_last(16, 13), {pp{4}, ep{64}, dp{64}}},
      {bridge, llama_3_1_405b, on(b300_sxm, 4, 64), bf16_gradients(batch(1536, 8192)), both, {tp{2}, sp{2}, cp{2}, pp{8}, dp{8}}},
      {bridge, llama_3_1_405b, on(gb200, 4, 64), batch(1536, 8192), both, {tp{4}, sp{4}, pp{16}, dp{4}}},
      {bridge, llama_3_1_70b, on(h100_sxm, 8, 8), batch(128, 8192), even, {tp{4}, sp{4}, pp{8}, dp{2}}},
  };
}

} // namespace

TEST_CASE("what was published and is no file is found too") {
  for (const published_run& r : other_runs()) {
    CAPTURE(r.source);
    search_space space;
    space.base = {.model = r.described, .cluster = r.machines, .layout = r.layers, .workload = r.run};
    deployment d = space.base;
    d.strategy = r.degrees;
    const findings judged = check(d);
    CHECK(judged.ok());
    CHECK(judged.facts.gpus == judged.facts.available);
    std::int64_t peak = 0;
    const search_counts counts = visit_strategies(space, [&](const search_candidate& c) {
      peak = c.peak_bytes;
      return std::equal(c.strategy.degrees, c.strategy.degrees + 8, r.degrees.degrees);
    });
    CHECK(counts.ended);
    CHECK(peak == judged.facts.peak_bytes);
  }
}
