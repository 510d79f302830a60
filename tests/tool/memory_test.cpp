#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string deployments = MOEPLAN_EXAMPLES "/deployments/";

answer memory(const std::string& deployment, const std::string& options = {}) {
  const temporary_folder folder;
  return run_tool("memory " + options + " '" + folder.write("d.json", deployment) + "'");
}

answer memory_of_file(const std::string& name, const std::string& options = {}) {
  return run_tool("memory " + options + " '" + deployments + name + ".json'");
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator{deployments + folder})
    if (entry.path().extension() == ".json") names.push_back(folder + '/' + entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::uint64_t sum_of(const nlohmann::json& amounts) {
  std::uint64_t sum = 0;
  for (const nlohmann::json& amount : amounts) sum += amount.get<std::uint64_t>();
  return sum;
}

std::uint64_t sum_of_terms(const nlohmann::json& terms) {
  std::uint64_t sum = 0;
  for (const nlohmann::json& term : terms) sum += term["bytes"].get<std::uint64_t>();
  return sum;
}

constexpr const char* members[] = {"weights_bytes",     "gradients_bytes", "optimizer_bytes",
                                   "activations_bytes", "kv_cache_bytes",  "workspace_bytes"};

/// What must hold of every answer, whatever was asked.
void check_answer(const nlohmann::json& json) {
  std::uint64_t highest = 0;
  std::int64_t stage = 0;
  for (const nlohmann::json& s : json["stages"]) {
    CHECK(s["stage"] == stage++);
    CHECK(s["parameters"].get<std::uint64_t>() ==
          s["dense_parameters"].get<std::uint64_t>() + s["expert_parameters"].get<std::uint64_t>());
    const std::uint64_t peak = s["peak_bytes"];
    std::uint64_t sum = 0;
    for (const char* member : members) sum += s[member].get<std::uint64_t>();
    CHECK(sum == peak);
    CHECK(sum_of(s["components"]) == peak);
    for (const auto& component : s["components"].items()) CHECK(component.key().ends_with("_bytes"));
    if (s.contains("terms")) CHECK(sum_of_terms(s["terms"]) == peak);
    highest = std::max(highest, peak);
  }
  CHECK(json["peak_bytes"] == highest);
  CHECK(json["stages"][json["fullest_stage"].get<std::size_t>()]["peak_bytes"] == highest);
}

/// The bytes of those components whose names hold a word.
std::uint64_t components_with(const nlohmann::json& stage, const std::string& word) {
  std::uint64_t sum = 0;
  for (const auto& component : stage["components"].items())
    if (contains(component.key(), word)) sum += component.value().get<std::uint64_t>();
  return sum;
}

/// DeepSeek-V3 on so few nodes that it does not fit.
std::string too_large() {
  return R"({"model": "deepseek-v3", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": 32},
    "strategy": {"pp": 8, "ep": 32, "dp": 32}, "layout": "8*7,5",
    "training": {"global_batch": 2048, "sequence_length": 4096, "dispatcher": "all_to_all"}})";
}

std::string served(const std::string& parts) {
  return R"({"model": "deepseek-v3", "cluster": {"gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 18}, "profile": "universal",
    "strategy": {"ep": 144, "dp": 144}, "serving": {"redundant_experts": 32, )" +
         parts + "}}";
}

/// A line of advice.
struct advised {
  std::string what;
  double peak = 0; ///< GiB, as printed
};

/// What the text says of each change alone.
std::vector<advised> advice_in(const std::string& text) {
  std::vector<advised> advice;
  const std::size_t first = text.find("What to change");
  REQUIRE(first != std::string::npos);
  const std::string table = text.substr(first, text.find("\n\n", first) - first);
  const std::regex line{"\n  (\\S.*?)  +([0-9.]+) GiB"};
  for (std::sregex_iterator at{table.begin(), table.end(), line}, end; at != end; ++at)
    advice.push_back({(*at)[1], std::stod((*at)[2])});
  return advice;
}

/// What the text says of several changes.
std::vector<advised> advice_together_in(const std::string& text) {
  std::smatch found;
  if (!std::regex_search(text, found, std::regex{"Together these fit, at ([0-9.]+) GiB:\n((?:  - .*\n)+)"})) return {};
  return {{found[2], std::stod(found[1])}};
}

/// The object of a deployment file that a key stands in.
nlohmann::json& place_of(nlohmann::json& deployment, const std::string& key) {
  for (const char* degree : {"tp", "pp", "cp", "ep", "dp", "sp"})
    if (key == degree) return deployment["strategy"];
  if (deployment.contains("serving")) return deployment["serving"];
  if (key == "fused_cross_entropy") return deployment["training"]["kernels"];
  for (const char* number : {"gradients", "first_moment", "second_moment"})
    if (key == number) return deployment["training"]["precision"];
  return deployment["training"];
}

/// Makes the changes that advice names, and no other.
std::string follow(const std::string& described, const std::string& advice) {
  nlohmann::json deployment = nlohmann::json::parse(described);
  const std::regex change{"(\\w+) [0-9,]+ -> ([0-9,]+)|\"(\\w+)\"(?: and \"(\\w+)\")?: (\"\\w+\"|\\[.*?\\]|true|[0-9]+)"};
  int changes = 0;
  for (std::sregex_iterator at{advice.begin(), advice.end(), change}, end; at != end; ++at, ++changes) {
    std::string value = (*at)[1].matched ? (*at)[2] : (*at)[5];
    if ((*at)[1].matched) value.erase(std::remove(value.begin(), value.end(), ','), value.end());
    for (const std::size_t key : {std::size_t{1}, std::size_t{3}, std::size_t{4}})
      if ((*at)[key].matched) place_of(deployment, (*at)[key])[(*at)[key].str()] = nlohmann::json::parse(value);
  }
  CHECK(changes > 0);
  return deployment.dump();
}

/// Each piece of advice, followed to the letter, gives the peak that it promises. Returns how many there are.
std::size_t check_advice(const std::string& deployment) {
  const std::string text = memory(deployment).out;
  std::vector<advised> all = advice_in(text);
  const std::vector<advised> together = advice_together_in(text);
  all.insert(all.end(), together.begin(), together.end());
  for (const advised& advice : all) {
    CAPTURE(advice.what);
    const answer a = memory(follow(deployment, advice.what), "--json");
    CHECK(std::abs(a.json()["peak_bytes"].get<double>() / (1 << 30) - advice.peak) < 0.0051);
  }
  return all.size();
}

/// What does not fit, of a model in the catalog, on eight nodes of H100.
std::string too_large(const std::string& model, const std::string& strategy, const std::string& training) {
  return R"({"model": ")" + model + R"(", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": 8}, "profile": "universal",
    "strategy": {)" +
         strategy + R"(}, "training": {"global_batch": 2048, "sequence_length": 4096, )" + training + "}}";
}

} // namespace

TEST_CASE("memory of DeepSeek-V3's training") {
  const answer a = memory(deployment_with(), "--json --terms");
  CHECK(a.status == 0);
  const nlohmann::json json = a.json();
  check_answer(json);
  CHECK(json["fits"] == true);
  CHECK(json["capacity_bytes"] == 80998ULL << 20); // an H800's usable memory
  CHECK(json["reserve_bytes"] == 0);
  REQUIRE(json["stages"].size() == 16);
  const nlohmann::json& middle = json["stages"][7];
  CHECK(middle["layers"] == 4);
  // By hand: 4 layers of 4 experts of 3 x 7168 x 2048.
  CHECK(middle["expert_parameters"] == 4 * 4 * 3 * 7168 * 2048);
  CHECK(middle["components"]["expert_weights_bytes"] == 2ULL * 4 * 4 * 3 * 7168 * 2048);
  CHECK(middle["components"]["expert_gradients_bytes"] == 4ULL * 4 * 4 * 3 * 7168 * 2048);
  CHECK(middle["in_flight"] == 16 - 7);
  CHECK(middle["peak_at"]["time"] == "backward_pass");
  CHECK(middle["kv_cache_bytes"] == 0);
  CHECK(middle["host_bytes"] == 0);
}

TEST_CASE("terms have a name, a shape, a type, a lifetime and a source") {
  const nlohmann::json json = memory(deployment_with(), "--json --terms").json();
  for (const nlohmann::json& term : json["stages"][3]["terms"]) {
    CAPTURE(term.dump());
    CHECK_FALSE(term["name"].get<std::string>().empty());
    CHECK_FALSE(term["source"].get<std::string>().empty());
    CHECK_FALSE(term["type"].get<std::string>().empty());
    CHECK(term["times"] >= 1);
    const std::string lifetime = term["lifetime"];
    CHECK((lifetime == "run" || lifetime == "kept" || lifetime == "between_stages" || lifetime == "at_work"));
    std::uint64_t elements = 1;
    for (const nlohmann::json& n : term["shape"]) elements *= n.get<std::uint64_t>();
    CHECK(elements > 0);
    // A bit for each number at least, and no more than an allocator adds.
    CHECK(term["bytes"].get<std::uint64_t>() * 2 >= elements * term["times"].get<std::uint64_t>());
  }
  CHECK_FALSE(memory(deployment_with(), "--json").json()["stages"][0].contains("terms"));
}

TEST_CASE("components are the parts of a member") {
  const std::string muon =
      deployment_with(R"("recompute": "none", "optimizer": "muon", "precision": {"fp8": "blockwise", "gradients": "bf16"})",
                      R"("recompute": "full")");
  for (const std::string& deployment : {deployment_with(), muon}) {
    const nlohmann::json json = memory(deployment, "--json").json();
    check_answer(json);
    for (const nlohmann::json& s : json["stages"]) {
      CHECK(components_with(s, "dense_weights") + components_with(s, "expert_weights") + components_with(s, "fp8_weights") ==
            s["weights_bytes"].get<std::uint64_t>());
      CHECK(components_with(s, "dense_gradients") + components_with(s, "expert_gradients") ==
            s["gradients_bytes"].get<std::uint64_t>());
      CHECK(components_with(s, "master_weights") + components_with(s, "moments") == s["optimizer_bytes"].get<std::uint64_t>());
      CHECK(components_with(s, "kept_") + components_with(s, "at_work") == s["activations_bytes"].get<std::uint64_t>());
    }
  }
}

TEST_CASE("what is in the host's memory is beside the peak") {
  const nlohmann::json all = memory(deployment_with(), "--json").json();
  const nlohmann::json half =
      memory(deployment_with(R"("optimizer_offload": 0.5, "recompute": "full")", R"("recompute": "full")"), "--json").json();
  check_answer(half);
  for (std::size_t i = 0; i < 16; ++i) {
    const std::uint64_t host = half["stages"][i]["host_bytes"];
    CHECK(host > 0);
    CHECK(half["stages"][i]["optimizer_bytes"].get<std::uint64_t>() + host ==
          all["stages"][i]["optimizer_bytes"].get<std::uint64_t>());
  }
}

TEST_CASE("the text says that it fits, what takes how much, and where it peaks") {
  const answer a = memory(deployment_with());
  CHECK(a.status == 0);
  for (const char* part :
       {"It fits: stage 0, which needs most, takes ", " of the 79.10 GiB that a GPU has for it", "peak, GiB",
        "w weights  g gradients  o optimizer  a activations  b buffers  | what a GPU has for it",
        "backward, computing again: the MoE of layer 6", "16 micro-batches in flight", "dense master weights", "Not counted: "})
    CHECK_MESSAGE(contains(a.out, part), part);
  CHECK_FALSE(contains(a.out, "What to change"));
  const std::string terms = memory(deployment_with(), "--terms").out;
  for (const char* part : {"Every tensor and buffer", "4096 x 7168", "experts' input", "grouped_linear.py saved inputs"})
    CHECK_MESSAGE(contains(terms, part), part);
}

TEST_CASE("what does not fit gets advice, each piece tried") {
  const answer a = memory(too_large());
  CHECK(a.status == 1);
  CHECK(a.err.empty());
  for (const char* part : {"It does not fit: stage ", " more than the 79.10 GiB that a GPU has for it", "What to change",
                           R"("sharding": "optimizer")", R"("recompute": "full")", "Together these fit, at "})
    CHECK_MESSAGE(contains(a.out, part), part);
  const answer json = memory(too_large(), "--json");
  CHECK(json.status == 1);
  check_answer(json.json());
  CHECK(json.json()["fits"] == false);
}

TEST_CASE("advice, followed to the letter, gives the peak that it promises") {
  CHECK(check_advice(too_large()) > 5);
  for (const char* strategy : {R"("tp": 4, "sp": 4)", R"("tp": 4)", R"("tp": 2, "pp": 2)"})
    for (const char* training :
         {R"("recompute": "none")",
          R"("micro_batch": 2, "kernels": {"flash_attention": false}, "precision": {"gradients": "fp32"})",
          R"("recompute": "full", "recompute_method": "block", "recompute_layers": 3)",
          R"("recompute": "selective", "recompute_modules": ["mlp"], "dispatcher": "all_gather", "sharding": "optimizer")"})
      CHECK(check_advice(too_large("llama-3.1-70b", strategy, training)) > 4);
  CHECK(check_advice(too_large("mixtral-8x22b", R"("tp": 4, "sp": 4, "ep": 8)", R"("recompute": "none")")) > 5);
  CHECK(check_advice(served(R"("batch": 512, "sequence_length": 4096)")) > 1);
}

TEST_CASE("advice on TP sets SP only where it is on, and says so") {
  const std::string with = memory(too_large("llama-3.1-70b", R"("tp": 4, "sp": 4)", R"("recompute": "none")")).out;
  CHECK(contains(with, "tp 4 -> 8, dp 16 -> 8, sp 4 -> 8 "));
  const std::string without = memory(too_large("llama-3.1-70b", R"("tp": 4)", R"("recompute": "none")")).out;
  CHECK(contains(without, "tp 4 -> 8, dp 16 -> 8 "));
  CHECK(contains(without, "sp 1 -> 4: sequence parallelism"));
}

TEST_CASE("advice on recompute names all that it sets") {
  const auto advice = [](const std::string& training) { return memory(too_large("llama-3.1-70b", R"("tp": 4)", training)).out; };
  CHECK(contains(advice(R"("kernels": {"flash_attention": false})"),
                 R"("recompute": "selective", "recompute_modules": ["core_attention", "layer_norm"] )"));
  const auto of_experts = [](const std::string& training) {
    return memory(too_large("mixtral-8x22b", R"("tp": 4, "ep": 8)", training)).out;
  };
  CHECK(contains(of_experts(R"("recompute": "none")"), R"("recompute_modules": ["moe_activation", "layer_norm"] )"));
  CHECK(contains(of_experts(R"("recompute": "selective", "recompute_modules": ["core_attention"])"),
                 R"("recompute_modules": ["core_attention", "moe_activation", "layer_norm"] )"));
  CHECK(contains(advice(R"("recompute": "none")"), R"("recompute": "full": of each layer)"));
  CHECK(contains(advice(R"("recompute": "full", "recompute_method": "block", "recompute_layers": 3)"),
                 R"("recompute": "full", "recompute_method": "uniform", "recompute_layers": 1: of each layer)"));
}

TEST_CASE("advice that fits together names each key once") {
  const std::string text = memory(too_large()).out;
  const std::size_t together = text.find("Together these fit");
  REQUIRE(together != std::string::npos);
  CHECK(contains(text.substr(together), R"("recompute": "full")"));
  CHECK_FALSE(contains(text.substr(together), R"("recompute": "selective")"));
}

TEST_CASE("advice that changes how ranks communicate costs other communication") {
  std::string gathered = too_large();
  const std::string exchanged = R"("dispatcher": "all_to_all")";
  gathered.replace(gathered.find(exchanged), exchanged.size(), R"("dispatcher": "all_gather", "recompute": "full")");
  const std::string text = memory(gathered).out + memory(too_large("llama-3.1-70b", R"("tp": 4)", R"("recompute": "none")")).out;
  for (const std::string& change : {exchanged, std::string{"sp 1 -> 4: sequence parallelism"}}) {
    const std::size_t at = text.find(change);
    REQUIRE_MESSAGE(at != std::string::npos, change);
    CHECK(contains(text.substr(at, text.find('\n', at) - at), "  other communication"));
  }
}

TEST_CASE("what is said to fit still fits, and a little more does not") {
  nlohmann::json d = nlohmann::json::parse(std::ifstream{deployments + "deepseek-v3-2048.json"});
  d["model"] = "deepseek-v3"; // in place of a file relative to where the deployment was
  const nlohmann::json now = memory(d.dump(), "--json").json();
  REQUIRE(now["fits"] == true);
  const auto fits = [&d](const char* object, const char* key, std::int64_t value) {
    nlohmann::json changed = d;
    changed[object][key] = value;
    const answer a = memory(changed.dump(), "--json");
    return a.status == 0 && a.json()["fits"] == true;
  };
  const std::int64_t micro_batch = now["limits"]["largest_micro_batch"];
  CHECK(fits("training", "micro_batch", micro_batch));
  CHECK_FALSE(fits("training", "micro_batch", 2 * micro_batch));
  const std::int64_t tokens = now["limits"]["longest_sequence"];
  CHECK(fits("training", "sequence_length", tokens));
  CHECK_FALSE(fits("training", "sequence_length", tokens + 1));
  const std::int64_t gpus = now["limits"]["fewest_gpus"];
  nlohmann::json smaller = d;
  smaller["cluster"]["nodes"] = gpus / 8;
  smaller["strategy"]["dp"] = gpus / 16;
  CHECK(memory(smaller.dump(), "--json").status == 0);
  CHECK(contains(memory_of_file("deepseek-v3-2048").out, "What still fits, everything else as it is"));
}

TEST_CASE("an unknown GPU: the memory is known, but not whether it fits") {
  const std::string unknown = deployment_with(R"("gpus_per_node": 8)", R"("gpu": "h800-sxm", "gpus_per_node": 8)");
  const answer a = memory(unknown, "--json");
  CHECK(a.status == 0);
  check_answer(a.json());
  CHECK(a.json()["capacity_bytes"].is_null());
  CHECK(a.json()["fits"].is_null());
  const answer text = memory(unknown);
  CHECK(text.status == 0);
  CHECK(contains(text.out, "Whether it fits is not known"));
}

TEST_CASE("a reserve is taken from the GPU's memory") {
  const nlohmann::json json =
      memory(deployment_with(R"("reserve_bytes": 1073741824, "recompute": "full")", R"("recompute": "full")"), "--json").json();
  CHECK(json["capacity_bytes"] == (80998ULL << 20) - (1ULL << 30));
  CHECK(json["reserve_bytes"] == 1ULL << 30);
  CHECK(memory(deployment_with(R"("reserve_bytes": 80000000000, "recompute": "full")", R"("recompute": "full")")).status == 1);
}

TEST_CASE("what is wrong otherwise is refused with the findings") {
  const answer wrong = memory(deployment_with("\"ep\": 63", "\"ep\": 64"), "--json");
  CHECK(wrong.status == 1);
  CHECK(wrong.json()["ok"] == false);
  CHECK_FALSE(wrong.json()["findings"].empty());
  CHECK(contains(wrong.err, "experts_divide_by_ep"));
  const answer product = memory(deployment_with("\"dp\": 2, \"mapping\": \"product\"", "\"dp\": 128"), "--json");
  CHECK(product.status == 1);
  CHECK(product.json()["ok"] == false);
  CHECK(contains(product.err, "lays out a model like that"));
  const answer large = memory(R"({"model": "llama-3.1-8b", "strategy": {"dp": 1, "pp": 4097}, "layout": "0*4065,1*32",
    "training": {"sequence_length": 1}})");
  CHECK(large.status == 1);
  CHECK(contains(large.err, "at most 4,096 virtual stages, 65,536 decoder layers"));
  const answer absurd = memory(R"({"model": "llama-3.1-8b", "strategy": {"dp": 1}, "training": {"micro_batch": 4611686018427387904,
    "sequence_length": 1}})",
                               "--json");
  CHECK(absurd.status == 1);
  CHECK(absurd.json()["ok"] == false);
  CHECK(contains(absurd.err, "64 bits"));
  CHECK(memory("{").status == 2);
}

TEST_CASE("DP that is not given is derived") {
  const std::string without_dp = deployment_with(R"("ep": 64)", R"("ep": 64, "dp": 128)");
  CHECK(memory(without_dp, "--json").out == memory(deployment_with(), "--json").out);
}

TEST_CASE("memory of serving") {
  const answer a = memory(served(R"("batch": 88, "sequence_length": 4096, "weights": "fp8_block")"), "--json --terms");
  CHECK(a.status == 0);
  const nlohmann::json json = a.json();
  check_answer(json);
  const nlohmann::json& s = json["stages"][0];
  // By hand: 61 layers of 512 + 64 numbers of two bytes.
  CHECK(s["kv_cache_bytes"] == 88ULL * 4096 * 61 * 576 * 2);
  CHECK(s["activations_bytes"] == 0);
  CHECK(s["in_flight"] == 0);
  CHECK(s["peak_at"]["time"] == "serving");
  // Two experts in each of 58 layers, a byte a number, and a scale of four bytes for 128 x 128.
  CHECK(s["components"]["routed_expert_weights_bytes"] == 58ULL * 2 * 3 * (7168 * 2048 + 56 * 16 * 4));
  const std::uint64_t room = json["capacity_bytes"].get<std::uint64_t>() - s["weights_bytes"].get<std::uint64_t>();
  CHECK(json["room"]["sequences"] == room / (4096ULL * 61 * 576 * 2));
  CHECK(json["room"]["longest_sequence"] == room / 88 / (16ULL * 61 * 576 * 2) * 16);
  const std::string text = memory(served(R"("batch": 88, "sequence_length": 4096, "weights": "fp8_block")")).out;
  for (const char* part : {"Room for sequences", "of 4,096 tokens; asked for are 88", "k cache", "keys and values"})
    CHECK_MESSAGE(contains(text, part), part);
}

TEST_CASE("serving what does not fit") {
  const std::string large = served(R"("batch": 512, "sequence_length": 4096, "weights": "fp8_block")");
  const answer a = memory(large);
  CHECK(a.status == 1);
  CHECK(contains(a.out, "batch 512 -> "));
  CHECK(contains(a.out, R"("cache": "fp8")"));
  CHECK(memory(large, "--json").json()["fits"] == false);
}

TEST_CASE("terms of serving have the type that is kept, or say that they count bytes") {
  struct expectation {
    const char* serving;
    const char* name;
    const char* type;
  };
  const expectation all[] = {
      {R"("cache": "bf16")", "keys and values, a row a sequence", "bf16"},
      {R"("cache": "fp8")", "keys and values, a row a sequence", "fp8"},
      {R"("cache": "fp8_ds_mla")", "keys and values, bytes, a row a sequence", "int8"},
      {R"("weights": "fp8_block")", "routed expert weights, quantised", "fp8"},
      {R"("weights": "fp8_block")", "routed expert weights, scales", "fp32"},
      {R"("weights": "int8_channel")", "routed expert weights, scales", "fp32"},
      {R"("weights": "mxfp8")", "routed expert weights, scales, exponents of a byte", "int8"},
      {R"("weights": "mxfp4")", "routed expert weights, scales, exponents of a byte", "int8"},
      {R"("weights": "int4_group32")", "routed expert weights, scales", "bf16"},
      {R"("weights": "int4_group128")", "routed expert weights, bytes of scales and zero points", "int8"},
      {R"("weights": "nvfp4")", "routed expert weights, bytes of scales of blocks and of matrices", "int8"},
  };
  for (const expectation& e : all) {
    CAPTURE(e.serving);
    CAPTURE(e.name);
    const nlohmann::json json =
        memory(served(std::string{R"("batch": 4, "sequence_length": 4096, )"} + e.serving), "--json --terms").json();
    check_answer(json);
    const nlohmann::json& terms = json["stages"][0]["terms"];
    const auto term = std::find_if(terms.begin(), terms.end(), [&](const nlohmann::json& t) { return t["name"] == e.name; });
    REQUIRE(term != terms.end());
    CHECK((*term)["type"] == e.type);
  }
}

TEST_CASE("the runs on B200 are predicted to half a percent") {
  struct measured {
    const char* file;
    const char* run; ///< in tests/data/b200_measured.json
  };
  const measured runs[] = {
      {"llama3-70b-12-layers-pp2", "llama3_70b_l12_tp1_pp2_dp4_mbc4_cef"},
      {"llama3-70b-12-layers-tp8", "llama3_70b_l12_tp8_pp1_dp1_mbc4_cef"},
      {"llama3-70b-12-layers-cp8", "llama3_70b_l12_tp1_cp8_pp1_dp1_seq32768_mbc4_cef"},
      {"deepseek-v2-4-layers-ep8", "deepseekv2_tp1_ep8_pp1_dp8_l4_mbc4_cef"},
      {"deepseek-v2-4-layers-ep4-pp2", "deepseekv2_tp1_ep4_pp2_dp4_l4_mbc4_cef"},
  };
  const nlohmann::json data = nlohmann::json::parse(read_all(MOEPLAN_TEST_DATA "/b200_measured.json"));
  CHECK(data["rows"].size() == std::size(runs));
  CHECK(files_in("b200").size() == std::size(runs));
  for (const measured& m : runs) {
    const auto row = std::find_if(data["rows"].begin(), data["rows"].end(), [&](const auto& r) { return r["case"] == m.run; });
    REQUIRE(row != data["rows"].end());
    const answer a = memory_of_file(std::string{"b200/"} + m.file, "--json --terms");
    CHECK(a.status == 0);
    const nlohmann::json json = a.json();
    check_answer(json);
    const std::size_t ranks = 8 / json["stages"].size();
    for (std::size_t rank = 0; rank < 8; ++rank) {
      CAPTURE(m.run);
      CAPTURE(rank);
      const double predicted = json["stages"][rank / ranks]["peak_bytes"].get<double>() / (1 << 20);
      const double peak = (*row)["peak_memory_by_rank_mb"][std::to_string(rank)]["max_allocated_mb"];
      CHECK(std::abs(predicted / peak - 1) < 0.005);
    }
  }
}

TEST_CASE("the published deployments fit, and as the README says") {
  const std::string readme = read_all(deployments + "published/README.md");
  std::vector<std::string> files = files_in("published");
  for (const char* name : {"deepseek-v3-2048", "deepseek-v3-1024", "deepseek-v3-decode-320", "mixtral-8x22b-128"})
    files.emplace_back(name);
  for (const std::string& file : files) {
    CAPTURE(file);
    const answer a = memory_of_file(file, "--json --terms");
    CHECK(a.status == 0);
    check_answer(a.json());
    CHECK_FALSE(memory_of_file(file).out.empty());
    const std::string name = file.substr(file.rfind('/') + 1) + ".json)";
    std::smatch peak;
    REQUIRE(contains(readme, name));
    const std::size_t at = readme.find(name);
    const std::string line = readme.substr(at, readme.find('\n', at) - at);
    REQUIRE(std::regex_search(line, peak, std::regex{"\\| ([0-9]+) \\| ([0-9]+) \\|$"}));
    CHECK(std::abs(a.json()["peak_bytes"].get<double>() / (1 << 30) - std::stod(peak[1])) <= 1);
  }
}

TEST_CASE("help on memory") {
  CHECK(contains(run_tool("help").out, "memory"));
  const answer help = run_tool("memory --help");
  CHECK(help.status == 0);
  CHECK(contains(help.out, "--terms"));
  CHECK(contains(help.out, "fits are null"));
}
