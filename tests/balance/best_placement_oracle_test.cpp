// The best placement against DeepSeek's EPLB on every layer of its recorded runs, under the constraints that EPLB had.
#include <moeplan/balance/best_placement.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "balance/best.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

const nlohmann::json& runs() {
  static const nlohmann::json all = [] {
    std::ifstream file{std::string{MOEPLAN_TEST_DATA} + "/eplb.json"};
    return nlohmann::json::parse(file);
  }();
  return all["cases"];
}

struct run {
  std::string name{};
  placement_shape shape{};
  placement_policy policy = placement_policy::global;
  std::vector<std::vector<std::int64_t>> loads{};
  std::vector<double> peer{}; ///< max over mean; not a number where all loads are zero

  explicit run(const nlohmann::json& j)
      : name{j["name"]},
        shape{j["experts"], j["replicas"], j["groups"], j["nodes"], j["gpus"]},
        policy{j["policy"] == "hierarchical" ? placement_policy::hierarchical : placement_policy::global},
        loads{j["load"].get<std::vector<std::vector<std::int64_t>>>()} {
    for (const auto& ratio : j["max_over_mean"]) peer.push_back(ratio.is_null() ? __builtin_nan("") : ratio.get<double>());
  }

  [[nodiscard]] bool limits_nodes() const { return policy == placement_policy::hierarchical && shape.nodes > 1; }
};

/// What a run came to, its worst layer.
struct summary {
  double peer = 0;
  double found = 0;
  double bound = 0;
  double gap = 0;
};

void note(summary& s, double peer, const best_layer& b) {
  const double found = b.found.quality.max_over_mean();
  if (!(found >= 0)) return; // All loads are zero.
  s.peer = std::max(s.peer, peer);
  s.found = std::max(s.found, found);
  s.bound = std::max(s.bound, b.found.bound.max_over_mean);
  s.gap = std::max(s.gap, found / b.found.bound.max_over_mean - 1);
}

/// Rounding apart: the peer's figure and ours are sums of doubles in different orders.
bool no_more(double a, double b) { return !(a > b * (1 + 1e-12)); }

TEST_CASE("never less even than EPLB") {
  for (const auto& j : runs()) {
    const run r{j};
    summary all;
    for (std::size_t layer = 0; layer < r.loads.size(); ++layer) {
      CAPTURE(r.name);
      CAPTURE(layer);
      const best_layer b{r.shape, r.loads[layer], {.policy = r.policy}};
      REQUIRE(b.found.error.ok());
      CHECK(b.found.quality.gpus_with_an_expert_twice == 0);
      CHECK((r.policy == placement_policy::global || groups_stay_on_their_node(b.view())));
      const double found = b.found.quality.max_over_mean();
      // EPLB may put an expert on a GPU twice. Where it is more even for that, nothing else can be.
      if (!no_more(found, r.peer[layer])) {
        CHECK(r.name == "mixtral_8_r12_g4");
        CHECK(b.found.bound.reason == bound_reason::search);
        CHECK(no_more(found, b.found.bound.max_over_mean));
      }
      const best_layer t{r.shape, r.loads[layer], {.policy = r.policy, .copies = same_expert::together, .trials = 4000}};
      CHECK(no_more(t.found.quality.max_over_mean(), r.peer[layer]));
      if (r.shape.slots_per_gpu() >= 6 && !r.limits_nodes()) CHECK(no_more(found, 1.0003 * b.found.bound.max_over_mean));
      CHECK(no_more(b.found.bound.max_over_mean, found));
      note(all, r.peer[layer], b);
    }
    CHECK(all.gap < 0.0075); // of any run
    char line[200];
    std::snprintf(line, sizeof line, "%-20s %2zu layers: EPLB %.5f, found %.5f, bound %.5f, largest gap %.5f", r.name.c_str(),
                  r.loads.size(), all.peer, all.found, all.bound, all.gap);
    MESSAGE(line);
  }
}

// The same loads without a limit to nodes: six slots a GPU are enough to come within 1.0003 of the bound.
TEST_CASE("within three in ten thousand of the bound, where each GPU has six slots or more and copies may go anywhere") {
  for (const auto& j : runs()) {
    const run r{j};
    if (r.shape.slots_per_gpu() < 6) continue;
    for (std::size_t layer = 0; layer < r.loads.size(); ++layer) {
      CAPTURE(r.name);
      CAPTURE(layer);
      const best_layer b{r.shape, r.loads[layer], {}};
      CHECK(no_more(b.found.quality.max_over_mean(), 1.0003 * b.found.bound.max_over_mean));
      CHECK(b.found.quality.gpus_with_an_expert_twice == 0);
    }
  }
}

} // namespace
