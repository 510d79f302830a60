#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "run_tool.hpp"

using namespace moeplan_test;
using json = nlohmann::json;

namespace {

const std::string examples = MOEPLAN_EXAMPLES "/loads/";

answer balance(const std::string& loads, const std::string& options = {}) {
  const temporary_folder folder;
  return run_tool("balance " + options + " '" + folder.write("loads.json", loads) + "'");
}

/// What DeepSeek's EPLB itself gives: see the file's own "fields".
const json& peer() {
  static const json data = json::parse(std::ifstream{MOEPLAN_TEST_DATA "/eplb.json"});
  return data;
}

std::string file_of(const json& c) {
  json file;
  file["loads"] = c["load"];
  for (const char* key : {"replicas", "groups", "nodes", "gpus"}) file[key] = c[key];
  return file.dump();
}

/// The metrics as they are defined, of loads in any order.
void check_metrics(const json& layer, std::vector<double> loads) {
  std::sort(loads.begin(), loads.end());
  const auto n = static_cast<double>(loads.size());
  double sum = 0;
  for (const double x : loads) sum += x;
  double squares = 0;
  double ranked = 0;
  double entropy = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const double share = sum == 0 ? 1 / n : loads[i] / sum;
    squares += (share * n - 1) * (share * n - 1);
    ranked += static_cast<double>(i + 1) * share;
    if (share > 0) entropy -= share * std::log(share);
  }
  const double largest = sum == 0 ? 1 : loads.back() * n / sum;
  const auto is = [&layer](const char* key, double expected) {
    CAPTURE(key);
    CHECK(std::abs(layer[key].get<double>() - expected) < 1e-9);
  };
  is("efficiency", 1 / largest);
  is("max_violation", largest - 1);
  is("coefficient_of_variation", std::sqrt(squares / n));
  is("gini", 2 * ranked / n - (n + 1) / n);
  is("normalised_entropy", n == 1 ? 1 : entropy / std::log(n));
}

/// Whether the exact fractions are what the rounded numbers round.
void check_exact(const json& layer) {
  if (layer["exact"].is_null()) return;
  for (const auto& item : layer["exact"].items()) {
    const std::string key = item.key();
    const json& fraction = item.value();
    CAPTURE(key);
    const double exact = fraction["numerator"].get<double>() / fraction["denominator"].get<double>();
    CHECK(std::abs(layer[key].get<double>() - exact) <= 1e-9 * (1 + exact));
  }
}

/// What must hold of every answer, whatever was asked.
void check_answer(const json& a, const json& loads) {
  REQUIRE(a["layers"].size() == loads.size());
  const std::size_t gpus = a["gpus"];
  const std::size_t slots = a["replicas"];
  double worst = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const json& layer = a["layers"][i];
    REQUIRE(layer["physical_to_logical"].size() == slots);
    std::vector<std::int64_t> count(loads[i].size());
    for (const json& e : layer["physical_to_logical"]) ++count.at(e.get<std::size_t>());
    CHECK(json(count) == layer["logical_count"]);
    for (const std::int64_t n : count) CHECK(n >= 1);

    std::vector<double> expected(gpus);
    double sum = 0;
    double largest = 0;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      const std::size_t e = layer["physical_to_logical"][slot];
      expected[slot / (slots / gpus)] += loads[i][e].get<double>() / static_cast<double>(count[e]);
    }
    REQUIRE(layer["gpu_load"].size() == gpus);
    for (std::size_t gpu = 0; gpu < gpus; ++gpu) {
      CHECK(layer["gpu_load"][gpu].get<double>() == doctest::Approx(expected[gpu]));
      sum += expected[gpu];
      largest = std::max(largest, expected[gpu]);
    }
    const double ratio = sum == 0 ? 1 : largest * static_cast<double>(gpus) / sum;
    CHECK(layer["max_over_mean"].get<double>() == doctest::Approx(ratio).epsilon(1e-12));
    CHECK(layer["max_gpu_load"].get<double>() == doctest::Approx(largest));
    CHECK(layer["lower_bound"].get<double>() >= 1);
    CHECK(layer["lower_bound"].get<double>() <= layer["max_over_mean"].get<double>());
    const json& apart = layer["lower_bound_without_an_expert_twice"];
    if (!apart.is_null() && layer["gpus_with_an_expert_twice"] == 0) CHECK(apart <= layer["max_over_mean"]);
    if (!apart.is_null()) CHECK(apart >= layer["lower_bound"]);
    check_metrics(layer, expected);
    check_exact(layer);
    worst = std::max(worst, layer["max_over_mean"].get<double>());
  }
  CHECK(a["max_over_mean"] == worst);
}

/// Whether every group's experts are on one node.
bool groups_are_whole(const json& a, const json& layer) {
  const std::size_t group_size = a["experts"].get<std::size_t>() / a["groups"].get<std::size_t>();
  const std::size_t slots_per_node = a["replicas"].get<std::size_t>() / a["nodes"].get<std::size_t>();
  std::vector<std::set<std::size_t>> nodes(a["groups"].get<std::size_t>());
  for (std::size_t slot = 0; slot < layer["physical_to_logical"].size(); ++slot)
    nodes[layer["physical_to_logical"][slot].get<std::size_t>() / group_size].insert(slot / slots_per_node);
  for (const auto& where : nodes)
    if (where.size() != 1) return false;
  return true;
}

} // namespace

TEST_CASE("EPLB's own example") {
  const answer a = run_tool("balance --algorithm eplb --json '" + examples + "eplb-readme.json'");
  CHECK(a.status == 0);
  CHECK(a.err.empty());
  const json said = a.json();
  CHECK(said["algorithm"] == "eplb");
  CHECK(said["policy"] == "hierarchical");
  const json& layers = said["layers"];
  CHECK(layers[0]["physical_to_logical"] == json{5, 6, 5, 7, 8, 4, 3, 4, 10, 9, 10, 2, 0, 1, 11, 1});
  CHECK(layers[0]["logical_count"] == json{1, 2, 1, 1, 2, 2, 1, 1, 1, 1, 2, 1});
  CHECK(layers[0]["gpu_load"] == json{121.5, 86.5, 125, 113, 147.5, 131.5, 156, 152});
  CHECK(layers[0]["busiest_gpu"] == 6);
  CHECK(layers[0]["mean_gpu_load"] == 129.125);
  CHECK(layers[0]["max_over_mean"].get<double>() == doctest::Approx(1.208132).epsilon(1e-6));
  CHECK(layers[1]["physical_to_logical"] == json{7, 10, 6, 8, 6, 11, 8, 9, 2, 4, 5, 1, 5, 0, 3, 1});
  CHECK(layers[1]["gpu_load"] == json{173, 179.5, 120.5, 172, 123, 152, 118.5, 117.5});
  CHECK(said["worst_layer"] == 1);
}

TEST_CASE("EPLB's global policy") {
  const json said = run_tool("balance --algorithm eplb --policy global --json '" + examples + "eplb-readme.json'").json();
  CHECK(said["policy"] == "global");
  CHECK(said["layers"][0]["physical_to_logical"] == json{10, 6, 10, 7, 0, 2, 11, 4, 5, 9, 5, 4, 8, 3, 1, 1});
  CHECK(said["layers"][1]["gpu_load"] == json{123, 123, 125.5, 118.5, 172, 157.5, 172, 164.5});
}

TEST_CASE("what the peer gives, and how uneven it was before") {
  for (const json& c : peer()["cases"]) {
    INFO(c["name"].get<std::string>());
    const answer a = balance(file_of(c), "--algorithm eplb --json");
    REQUIRE(a.status == 0);
    const json said = a.json();
    check_answer(said, c["load"]);
    CHECK(said["policy"] == c["policy"]);
    const json& before = c["max_over_mean_no_replication"];
    for (std::size_t i = 0; i < c["load"].size(); ++i) {
      const json& layer = said["layers"][i];
      CHECK(layer["logical_count"] == c["logcnt"][i]);
      if (!c["max_over_mean"][i].is_null())
        CHECK(layer["max_over_mean"].get<double>() == doctest::Approx(c["max_over_mean"][i].get<double>()).epsilon(1e-12));
      if (!before.is_null() && !before[i].is_null())
        CHECK(layer["before"]["max_over_mean"].get<double>() == doctest::Approx(before[i].get<double>()).epsilon(1e-12));
      CHECK(layer["before"].is_null() == (c["experts"].get<int>() % c["gpus"].get<int>() != 0));
    }
  }
}

TEST_CASE("the best placement is the default, and no worse than EPLB's under the same policy") {
  for (const json& c : peer()["cases"]) {
    if (c["load"].size() > 12) continue; // which take a while, and are no different
    INFO(c["name"].get<std::string>());
    const answer a = balance(file_of(c), "--json");
    REQUIRE(a.status == 0);
    const json said = a.json();
    const json theirs = balance(file_of(c), "--json --algorithm eplb").json();
    CHECK(said["algorithm"] == "best");
    CHECK(said["policy"] == c["policy"]);
    check_answer(said, c["load"]);
    for (std::size_t i = 0; i < c["load"].size(); ++i) {
      const json& layer = said["layers"][i];
      const json& eplb = theirs["layers"][i];
      // EPLB may be more even where it puts an expert twice on a GPU, which the search avoids.
      const bool comparable = eplb["gpus_with_an_expert_twice"] == 0 || layer["gpus_with_an_expert_twice"] != 0;
      if (comparable) CHECK(layer["max_over_mean"].get<double>() <= eplb["max_over_mean"].get<double>() * (1 + 1e-12));
      CHECK(layer["gpus_with_an_expert_twice"] <= eplb["gpus_with_an_expert_twice"]);
      // Whatever anybody found is not below the bound.
      CHECK(layer["lower_bound"].get<double>() <= eplb["max_over_mean"].get<double>() * (1 + 1e-12));
      if (!layer["before"].is_null())
        CHECK(layer["lower_bound"].get<double>() <= layer["before"]["max_over_mean"].get<double>() * (1 + 1e-12));
      if (c["policy"] == "hierarchical") CHECK(groups_are_whole(said, layer));
    }
  }
}

// Four copies of expert 3, two of them on one GPU: 4 + 4 + 3 there and 4 + 3.5 + 3.5 on the others, 11 everywhere. Without an expert twice
// each GPU leaves one of the four out; of those 64 placements the best has 67/6.
TEST_CASE("the bound is of all placements, those with an expert twice among them") {
  const std::string loads = R"({"loads": [[3, 7, 7, 16]], "replicas": 9, "gpus": 3)";
  const json best = balance(loads + "}", "--json").json()["layers"][0];
  const json eplb = balance(loads + "}", "--json --algorithm eplb").json()["layers"][0];
  CHECK(eplb["max_over_mean"] == 1.0);
  CHECK(best["lower_bound"] == 1.0);
  CHECK(best["bound_reason"] == "mean");
  CHECK(best["lower_bound_without_an_expert_twice"].get<double>() == doctest::Approx(67.0 / 66).epsilon(1e-12));
  CHECK(best["exact"]["max_over_mean"] == json{{"numerator", 67}, {"denominator", 66}});
  CHECK(best["gpus_with_an_expert_twice"] == 0);
  CHECK(eplb["lower_bound_without_an_expert_twice"].is_null());
  CHECK(contains(balance(loads + "}").out, "1.0152 is the best without an expert twice on a GPU, all of which were tried."));

  // From EPLB's placement on, the search would pay for less evenness: it says so.
  const std::string from = loads + R"(, "previous": )" + json::array({eplb["physical_to_logical"]}).dump() + "}";
  const answer worse = balance(from, "--json");
  CHECK(worse.json()["layers"][0]["less_even_than_before"] == true);
  CHECK(worse.json()["layers"][0]["before"]["max_over_mean"] == 1.0);
  CHECK(contains(balance(from).out, "Layer 0 is less even than before: 1.0000 before, 1.0152 after."));
  CHECK(balance(from, "--json --algorithm eplb").json()["layers"][0]["less_even_than_before"] == false);
  CHECK(!contains(balance(from, "--algorithm eplb").out, "less even than before"));
  CHECK(balance(from, "--json --most-moves 0").json()["layers"][0]["less_even_than_before"] == false);
}

// All placements of small layers, each slot with any expert: the most even one.
TEST_CASE("no placement at all is below the bound") {
  std::uint64_t state = 1;
  const auto draw = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int64_t>((state >> 33) % below);
  };
  std::size_t with_an_expert_twice = 0;
  for (int i = 0; i < 24; ++i) {
    const std::int64_t experts = 2 + draw(2);
    const std::int64_t gpus = 2 + draw(2);
    const std::int64_t each = 2 + (gpus == 2 ? draw(2) : 0);
    json file{{"replicas", gpus * each}, {"gpus", gpus}};
    std::vector<double> loads;
    for (std::int64_t e = 0; e < experts; ++e) loads.push_back(static_cast<double>(1 + draw(20)));
    file["loads"] = json::array({json::array()});
    for (const double x : loads) file["loads"][0].push_back(static_cast<std::int64_t>(x));
    double sum = 0;
    for (const double x : loads) sum += x;
    const auto slots = static_cast<std::size_t>(gpus * each);
    std::vector<std::size_t> placed(slots);
    double lowest = 1e300;
    for (;;) {
      std::vector<double> copies(loads.size());
      for (const std::size_t e : placed) ++copies[e];
      if (std::count(copies.begin(), copies.end(), 0.0) == 0) {
        double largest = 0;
        for (std::size_t first = 0; first < slots; first += static_cast<std::size_t>(each)) {
          double load = 0;
          for (std::size_t s = first; s < first + static_cast<std::size_t>(each); ++s) load += loads[placed[s]] / copies[placed[s]];
          largest = std::max(largest, load);
        }
        lowest = std::min(lowest, largest * static_cast<double>(gpus) / sum);
      }
      std::size_t next = 0;
      while (next < slots && ++placed[next] == loads.size()) placed[next++] = 0;
      if (next == slots) break;
    }
    CAPTURE(file.dump());
    const json layer = balance(file.dump(), "--json").json()["layers"][0];
    CHECK(layer["lower_bound"].get<double>() <= lowest * (1 + 1e-12));
    with_an_expert_twice += layer["max_over_mean"].get<double>() > lowest * (1 + 1e-9) ? 1 : 0;
  }
  CHECK(with_an_expert_twice > 0); // else this would test nothing
}

TEST_CASE("whole loads are integers, and what is exact is a fraction") {
  const json layer = run_tool("balance --algorithm eplb --json '" + examples + "eplb-readme.json'").json()["layers"][0];
  CHECK(layer["gpu_load"][2].is_number_integer());
  CHECK(layer["gpu_load"][0].is_number_float());
  CHECK(layer["exact"]["mean_gpu_load"] == json{{"numerator", 1033}, {"denominator", 8}});
  CHECK(layer["exact"]["max_over_mean"] == json{{"numerator", 1248}, {"denominator", 1033}});
  // Loads in halves: 243, 173, 250, 226, 295, 263, 312, 304. Their squares add up to 548,508 and they to 2066: (8 x 548,508 - 2066^2) / 2066^2.
  CHECK(layer["exact"]["squared_coefficient_of_variation"] == json{{"numerator", 29927}, {"denominator", 1067089}});
  CHECK(layer["exact"]["variance"] == json{{"numerator", 29927}, {"denominator", 64}});
  CHECK(layer["variance"].get<double>() == doctest::Approx(29927.0 / 64));

  const std::string largest = R"({"loads": [[9223372036854775807, 9223372036854775806]], "replicas": 2, "gpus": 2})";
  const json exact = balance(largest, "--json --algorithm eplb").json()["layers"][0];
  CHECK(exact["gpu_load"] == json{9223372036854775807, 9223372036854775806});
  CHECK(exact["max_gpu_load"] == 9223372036854775807);
  CHECK(contains(balance(largest).out, " 9,223,372,036,854,775,806 "));
}

TEST_CASE("loads have as many digits as tell them apart") {
  const std::string text = balance(R"({"loads": [[24000, 24001]], "replicas": 48, "gpus": 48})", "--algorithm eplb").out;
  CHECK(contains(text, " 1,000.04 "));
  CHECK(contains(text, " 1,000.00 "));
  const std::string whole = balance(R"({"loads": [[1000, 1001]], "replicas": 2, "gpus": 2})").out;
  CHECK(contains(whole, " 1,000 "));
  CHECK(contains(whole, " 1,001 "));
}

TEST_CASE("from a previous placement: moves, their bytes, and a limit to them") {
  const std::string file = "'" + examples + "deepseek-v3-32-gpus.json'";
  const json input = json::parse(read_all(examples + "deepseek-v3-32-gpus.json"));
  const json all = run_tool("balance --json " + file).json();
  check_answer(all, input["loads"]);
  std::int64_t moves = 0;
  for (std::size_t i = 0; i < input["loads"].size(); ++i) {
    const json& layer = all["layers"][i];
    std::int64_t fetched = 0;
    for (std::size_t gpu = 0; gpu < 32; ++gpu) {
      std::set<int> before, now;
      for (std::size_t slot = 9 * gpu; slot < 9 * gpu + 9; ++slot) {
        before.insert(input["previous"][i][slot].get<int>());
        now.insert(layer["physical_to_logical"][slot].get<int>());
      }
      for (const int e : now) fetched += before.count(e) == 0 ? 1 : 0;
    }
    CHECK(layer["moves"] == fetched);
    CHECK(layer["moved_bytes"] == fetched * 44050944);
    CHECK(layer["max_over_mean"] <= layer["before"]["max_over_mean"]);
    moves += fetched;
  }
  CHECK(all["moves"] == moves);
  CHECK(all["moved_bytes"] == moves * 44050944);

  double before = 0;
  for (const int limit : {0, 8, 32}) {
    CAPTURE(limit);
    const json limited = run_tool("balance --json --most-moves " + std::to_string(limit) + ' ' + file).json();
    check_answer(limited, input["loads"]);
    double sum = 0;
    for (const json& layer : limited["layers"]) {
      CHECK(layer["moves"].get<int>() <= limit);
      CHECK(layer["max_over_mean"] <= layer["before"]["max_over_mean"]);
      sum += layer["max_over_mean"].get<double>();
    }
    if (limit > 0) CHECK(sum < before); // more moves, more even
    before = sum;
  }
}

TEST_CASE("text shows every layer, and one GPU by GPU") {
  const answer a = run_tool("balance --algorithm eplb '" + examples + "eplb-readme.json'");
  CHECK(a.status == 0);
  CHECK(contains(a.out, "DeepSeek's EPLB, policy hierarchical: 12 experts in 16 slots of each of 2 layers on 8 GPUs"));
  CHECK(contains(a.out, "1.2081"));
  CHECK(contains(a.out, "1.2422"));
  CHECK(contains(a.out, "Layer 1, GPU by GPU"));
  CHECK(contains(a.out, "179.5"));
  const answer first = run_tool("balance --algorithm eplb --layer 0 '" + examples + "eplb-readme.json'");
  CHECK(contains(first.out, "Layer 0, GPU by GPU"));
  CHECK(contains(first.out, "121.5"));
  const answer moved = run_tool("balance '" + examples + "deepseek-v3-32-gpus.json'");
  CHECK(contains(moved.out, "Before: the previous placement."));
  CHECK(contains(moved.out, "Experts to copy to GPUs that do not hold them: "));
  CHECK(contains(moved.out, " GiB."));
}

TEST_CASE("no load, and loads near 2^63") {
  const answer none = balance(R"({"loads": [[0, 0]], "replicas": 2, "gpus": 2})");
  CHECK(none.status == 0);
  CHECK(contains(none.out, "There is no load."));
  CHECK(balance(R"({"loads": [[0, 0]], "replicas": 2, "gpus": 2})", "--json").json()["max_over_mean"] == 1.0);
  const std::string large =
      R"({"loads": [[9223372036854775807, 9223372036854775807]], "replicas": 4, "gpus": 2, "previous": [[0, 0, 1, 1]],
    "expert_bytes": 9223372036854775807})";
  for (const char* algorithm : {"eplb", "best"}) {
    CAPTURE(algorithm);
    const answer a = balance(large, std::string{"--json --algorithm "} + algorithm);
    CHECK(a.status == 0);
    CHECK(a.json()["max_over_mean"] == 1.0);
    CHECK(balance(large, std::string{"--algorithm "} + algorithm).status == 0);
  }
}

TEST_CASE("bytes of moves beyond 64 bits keep every digit") {
  const answer a = balance(R"({"loads": [[1, 1, 1, 1]], "replicas": 4, "gpus": 4, "previous": [[1, 2, 3, 0]],
    "expert_bytes": 9223372036854775807})",
                           "--json --algorithm eplb");
  CHECK(a.json()["moves"] == 4);
  CHECK(contains(a.out, "\"moved_bytes\": 36893488147419103228"));
}

TEST_CASE("a picture") {
  const temporary_folder folder;
  const std::string path = folder.file("loads.svg");
  CHECK(run_tool("balance --algorithm eplb --svg '" + path + "' '" + examples + "deepseek-v3-32-gpus.json'").status == 0);
  const std::string svg = read_all(path);
  CHECK(svg.starts_with("<svg "));
  CHECK(contains(svg, "Before: the previous placement"));
  CHECK(contains(svg, "After: EPLB"));
  CHECK(contains(svg, "<title>layer 3, GPU 31: "));
  const answer nowhere = run_tool("balance --svg /no/such/folder/a.svg '" + examples + "eplb-readme.json'");
  CHECK(nowhere.status == 2);
  CHECK(contains(nowhere.err, "/no/such/folder/a.svg: cannot be written"));
  const answer empty = run_tool("balance --svg '' '" + examples + "eplb-readme.json'");
  CHECK(empty.status == 2);
  CHECK(contains(empty.err, "--svg: the path is empty"));
  CHECK(empty.out.empty());
}

TEST_CASE("sizes that do not belong together are wrong, and say what would be right") {
  const answer a = balance(R"({"loads": [[1, 2, 3, 4]], "replicas": 5, "groups": 1, "nodes": 1, "gpus": 2})", "--json");
  CHECK(a.status == 1);
  CHECK(contains(a.err, "The number of replicas, 5, is no multiple of the number of GPUs, 2"));
  CHECK(contains(a.err, "Nearest legal: replicas 4 or 6"));
  const json said = a.json();
  CHECK(said["ok"] == false);
  CHECK(said["findings"][0]["rule"] == "gpus_divide_replicas");
  CHECK(said["findings"][0]["operands"] == json{{"replicas", 5}, {"gpus", 2}});
  CHECK(said["findings"][0]["legal"] == json{4, 6});

  for (const char* sizes :
       {R"("replicas": 3, "gpus": 1)", R"("replicas": 4, "gpus": 0)", R"("replicas": -4, "gpus": 1)",
        R"("replicas": 4, "gpus": 4, "groups": 3)", R"("replicas": 6, "gpus": 3, "groups": 2, "nodes": 2)",
        R"("replicas": 4, "gpus": 1, "nodes": 0)", R"("replicas": 4, "gpus": 1, "groups": -1)",
        R"("replicas": 9223372036854775807, "gpus": 1)", R"("replicas": 2000000, "gpus": 1)",
        R"("replicas": 4, "gpus": 1, "previous": [[0, 1, 2, 4]])", R"("replicas": 4, "gpus": 1, "previous": [[0, 1, 2, 2]])",
        R"("replicas": 4, "gpus": 1, "previous": [[0, 1, 2]])"}) {
    CAPTURE(sizes);
    for (const char* algorithm : {"eplb", "best"}) {
      const answer wrong =
          balance(R"({"loads": [[1, 2, 3, 4]], )" + std::string{sizes} + '}', std::string{"--algorithm "} + algorithm);
      CHECK(wrong.status == 1);
      CHECK(wrong.out.empty());
      CHECK_FALSE(wrong.err.empty());
    }
  }
  // Too many for a search is a finding as others are, and EPLB places them.
  const std::string many = R"({"loads": [[1, 2, 3, 4]], "replicas": 65540, "gpus": 10})";
  const json large = balance(many, "--json").json();
  CHECK(large["ok"] == false);
  CHECK(!large.contains("problem"));
  CHECK(large["findings"][0]["rule"] == "replicas_are_placed_in_time");
  CHECK(large["findings"][0]["operands"] == json{{"replicas", 65540}, {"most", 65536}});
  CHECK(large["findings"][0]["changes"] == "replicas");
  CHECK(large["findings"][0]["legal"] == json{65530});
  CHECK(contains(balance(many).err, "--algorithm eplb places more"));
  CHECK(balance(many, "--json --algorithm eplb").status == 0);
  const answer layer = balance(R"({"loads": [[1, 2], [1, 2]], "replicas": 2, "gpus": 1, "previous": [[0, 1], [0, 0]]})");
  CHECK(contains(layer.err, "Layer 1: Expert 1 has no slot in the placement."));
  const answer policy = balance(R"({"loads": [[1, 2]], "replicas": 2, "gpus": 2, "nodes": 2})", "--policy hierarchical");
  CHECK(policy.status == 1);
  CHECK(contains(policy.err, "The number of groups, 1, is no multiple of the number of nodes, 2"));
  CHECK(contains(policy.err, "Nearest legal: nodes 1"));
  const answer groups =
      balance(R"({"loads": [[1, 2, 3, 4]], "groups": 2, "nodes": 2, "replicas": 4, "gpus": 2, "previous": [[0, 2, 1, 3]]})",
              "--most-moves 1");
  CHECK(groups.status == 1);
  CHECK(contains(groups.err, "A limit to moves needs a previous placement that obeys the policy"));
  CHECK(contains(groups.err, "Group 0 is on several nodes"));
}

TEST_CASE("what cannot be used") {
  const std::string loads = R"({"loads": [[1, 2]], "replicas": 2, "gpus": 2})";
  for (const char* options : {"--algorithm eplbb", "--policy globl", "--layer 1", "--layer -1", "--layer x", "--most-moves 1",
                              "--algorithm eplb --most-moves 1", "--frob"}) {
    CAPTURE(options);
    const answer a = balance(loads, options);
    CHECK(a.status == 2);
    CHECK(a.out.empty());
    CHECK_FALSE(a.err.empty());
  }
  CHECK(contains(balance(loads, "--algorithm eplbb").err, "nearest known: \"eplb\""));
  CHECK(contains(balance(loads, "--layer 1").err, "expected a layer from 0 to 0"));
  for (const char* text :
       {"", "{", "[]", "{}", R"({"loads": [[1, 2]], "replicas": 2})", R"({"loads": [[1, -2]], "replicas": 2, "gpus": 2})",
        R"({"loads": [[1, 2]], "replicas": 2, "gpu": 2})", R"({"loads": [[1, 2], [1]], "replicas": 2, "gpus": 2})"}) {
    CAPTURE(text);
    const answer a = balance(text);
    CHECK(a.status == 2);
    CHECK(a.out.empty());
    CHECK_FALSE(a.err.empty());
  }
  CHECK(run_tool("balance no-such-file.json").status == 2);
}
