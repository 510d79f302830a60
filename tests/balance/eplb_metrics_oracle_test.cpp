// The loads of GPUs under the placements that EPLB made: fractions, since the replicas of an expert share its load. EPLB's author
// measures max over mean in float64, as the data file does.
#include <moeplan/balance/gini.hpp>
#include <moeplan/balance/metrics.hpp>
#include <moeplan/balance/real_metrics.hpp>
#include <moeplan/number/common_denominator.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace moeplan;
using json = nlohmann::json;

namespace {

/// sum of load / replicas over the slots of each GPU
std::vector<ratio> gpu_loads(const json& kase, std::size_t layer) {
  const auto slots = kase["phy2log"][layer].get<std::vector<std::size_t>>();
  const auto replicas = kase["logcnt"][layer].get<std::vector<std::int64_t>>();
  const auto loads = kase["load"][layer].get<std::vector<std::int64_t>>();
  const auto gpus = kase["gpus"].get<std::size_t>();
  std::vector<ratio> result(gpus);
  for (std::size_t s = 0; s < slots.size(); ++s) {
    ratio& gpu = result[s / (slots.size() / gpus)];
    gpu = gpu + ratio{loads[slots[s]], replicas[slots[s]]};
  }
  return result;
}

bool agrees(double x, double y) { return std::fabs(x - y) <= 1e-12 * y; }

} // namespace

TEST_CASE("max over mean of every layer that EPLB placed, exactly and in doubles") {
  std::ifstream file{std::string{MOEPLAN_TEST_DATA} + "/eplb.json"};
  const json data = json::parse(file);
  int layers = 0;
  int fractional = 0;
  for (const json& kase : data["cases"]) {
    const std::string name = kase["name"];
    CAPTURE(name);
    for (std::size_t layer = 0; layer < kase["load"].size(); ++layer) {
      const std::vector<ratio> loads = gpu_loads(kase, layer);
      const saturating_count denominator = common_denominator(loads);
      std::vector<std::int64_t> integers(loads.size());
      REQUIRE(over_denominator(loads, denominator, integers));
      std::vector<double> doubles(loads.size());
      std::transform(loads.begin(), loads.end(), doubles.begin(), [](const ratio& load) { return load.to_double(); });

      const load_metrics exact = metrics(integers, denominator.value());
      const real_load_metrics real = metrics(array_view<const double>{doubles});
      const json& published = kase["max_over_mean"][layer];
      // A layer without load has no ratio there, and is even here.
      const double expected = published.is_null() ? 1 : published.get<double>();
      CHECK(agrees(exact.max_over_mean().to_double(), expected));
      CHECK(agrees(real.max_over_mean(), expected));
      CHECK(std::fabs(exact.coefficient_of_variation() - real.coefficient_of_variation()) < 1e-14);
      std::vector<std::int64_t> integer_scratch(loads.size());
      std::vector<double> scratch(loads.size());
      CHECK(std::fabs(gini(integers, integer_scratch).to_double() - gini(doubles, scratch)) < 1e-14);

      // The mean does not depend on the placement.
      std::int64_t sum = 0;
      for (const std::int64_t load : kase["load"][layer]) sum += load;
      CHECK(exact.mean() == ratio{sum, static_cast<std::int64_t>(loads.size())});
      ++layers;
      fractional += denominator.value() > 1 ? 1 : 0;
    }
  }
  CHECK(layers > 150);
  CHECK(fractional > 100);
}
