#include <moeplan/cost/cost.hpp>
#include <moeplan/verify/check.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "../../examples/published_runs/markdown.hpp"
#include "../../examples/published_runs/most_possible.hpp"
#include "../../examples/published_runs/published_run.hpp"

using namespace moeplan;
using namespace published_runs;

namespace {

const std::vector<run>& all_runs() {
  static const std::vector<run> all = [] {
    std::vector<run> runs;
    for (const table& t : all_tables()) runs.insert(runs.end(), t.runs.begin(), t.runs.end());
    return runs;
  }();
  return all;
}

double bound(const deployment& d) { return cost(d).bound.step().seconds; }

/// The same run with something that a publication leaves open taken otherwise, if that is legal.
void check_not_faster(const run& r, const std::string& what, void (*change)(deployment&)) {
  deployment d = r.deployment;
  change(d);
  d.cluster.gpu.memory = d.cluster.gpu.usable_memory = {};
  if (!check(d).ok()) return;
  CAPTURE(what);
  CHECK(bound(d) >= bound(r.deployment) * (1 - 1e-9));
}

} // namespace

TEST_CASE("the table in the README is what the program prints") {
  std::ifstream file{MOEPLAN_TEST_DATA "/../../examples/published_runs/README.md"};
  const std::string committed{std::istreambuf_iterator<char>(file), {}};
  std::ostringstream printed;
  print_markdown(printed);
  CHECK(printed.str() == committed);
}

TEST_CASE("every claim is possible") {
  int claims = 0;
  for (const run& r : all_runs()) {
    if (r.claimed.what == claim::kind::out_of_memory) continue;
    CAPTURE(r.model);
    CAPTURE(r.method);
    CAPTURE(r.claimed.tenths);
    CHECK(most_possible_of(r).allows_claim());
    CHECK(r.claimed.tenths > 0);
    ++claims;
  }
  CHECK(claims == 109);
}

TEST_CASE("a claim above the bound is found") {
  run r = all_runs().front();
  r.claimed.tenths = 9'900; // 990 TFLOP/s, of a peak of 989.5
  CHECK_FALSE(most_possible_of(r).allows_claim());
}

TEST_CASE("every row of the tables is there") {
  std::vector<std::size_t> rows;
  for (const table& t : all_tables()) rows.push_back(t.runs.size());
  CHECK(rows == std::vector<std::size_t>{4, 20, 58, 8, 13, 4, 3, 1});
}

// Nothing is looked at but what is published: whether it fits is another question.
TEST_CASE("every run is legal but for its memory") {
  for (const run& r : all_runs()) {
    CAPTURE(r.model);
    CAPTURE(r.method);
    deployment d = r.deployment;
    d.cluster.gpu.memory = d.cluster.gpu.usable_memory = {};
    for (const finding f : check(d))
      CHECK_MESSAGE(f.level() != severity::error, std::string(f.message().data(), f.message().size()));
    CHECK(gpus(d.strategy) == d.cluster.gpus());
  }
}

// TFLOP/s over tokens a second are the FLOPs of a token; both are printed to three or four digits. Those of gpt-oss have one matrix less
// in each expert.
TEST_CASE("claims of TFLOP/s and of tokens a second agree with Megatron-LM's FLOPs") {
  int compared = 0;
  for (const run& r : all_runs()) {
    if (r.claimed.tokens_per_second == 0) continue;
    CAPTURE(r.model);
    CAPTURE(r.method);
    const std::int64_t length = r.deployment.workload.train.sequence_length;
    const flops<> f = flops_per_sequence(r.deployment.model, length, flops_convention::megatron());
    auto sequence = static_cast<double>(f.total().value());
    if (r.model == "gpt-oss-120b") sequence -= static_cast<double>(f.routed_experts.value()) / 3;
    const double claimed = static_cast<double>(r.claimed.tenths) * 1e11 / static_cast<double>(r.claimed.tokens_per_second);
    CHECK(claimed == doctest::Approx(3 * sequence / static_cast<double>(length)).epsilon(0.004));
    ++compared;
  }
  CHECK(compared == 20);
}

// Of 989.5 TFLOP/s: the rates of table 2 and the utilisations of table 3.
TEST_CASE("tables 2 and 3 agree") {
  const std::vector<table> tables = parallel_folding();
  const auto share = [&](std::size_t row) { return static_cast<double>(tables[0].runs[row].claimed.tenths) / 9'895; };
  CHECK(share(0) == doctest::Approx(0.463).epsilon(0.001));
  CHECK(share(1) == doctest::Approx(0.493).epsilon(0.001));
  CHECK(tables[0].runs[0].deployment == tables[1].runs[3].deployment);
  CHECK(tables[0].runs[1].deployment == tables[1].runs[4].deployment);
}

TEST_CASE("sizes that follow from the tables' own") {
  const std::vector<table> tables = parallel_folding();
  for (const run& r : tables[3].runs) { // as many tokens in each
    const training& t = r.deployment.workload.train;
    CHECK(t.global_batch.number * t.sequence_length == 16'777'216);
  }
  struct copies {
    std::size_t row;
    std::int64_t dp, edp;
  };
  for (const copies& c : {copies{4, 8, 2}, copies{9, 8, 4}, copies{14, 4, 2}, copies{19, 2, 2}}) {
    const strategy& s = tables[1].runs[c.row].deployment.strategy;
    CHECK(s[axis::dp] == c.dp);
    CHECK(mesh{s}.expert().edp == c.edp);
  }
}

TEST_CASE("what is left open is taken as what makes the bound weakest") {
  for (const run& r : all_runs()) {
    CAPTURE(r.model);
    CAPTURE(r.method);
    check_not_faster(r, "full recompute", [](deployment& d) { d.workload.train.recompute = recompute::full; });
    if (r.claimed.tokens_per_second > 0 || r.model == "DeepSeek-V3") continue; // The rest is printed.
    check_not_faster(r, "micro-batches of one sequence", [](deployment& d) { d.workload.train.micro_batch = 1; });
    check_not_faster(r, "micro-batches twice as large", [](deployment& d) { d.workload.train.micro_batch *= 2; });
    check_not_faster(r, "no virtual stages", [](deployment& d) { d.strategy.set(axis::vpp, 1); });
    check_not_faster(r, "each layer a virtual stage", [](deployment& d) {
      if (d.strategy[axis::pp] > 1) d.strategy.set(axis::vpp, d.model.layers / d.strategy[axis::pp]);
    });
  }
}
