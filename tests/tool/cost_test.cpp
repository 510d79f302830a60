#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "run_tool.hpp"

using namespace moeplan_test;

namespace {

const std::string deployments = MOEPLAN_EXAMPLES "/deployments/";

answer cost(const std::string& deployment, const std::string& options = {}) {
  const temporary_folder folder;
  return run_tool("cost " + options + " '" + folder.write("d.json", deployment) + "'");
}

answer cost_of_file(const std::string& name, const std::string& options = {}) {
  return run_tool("cost " + options + " '" + deployments + name + ".json'");
}

std::vector<std::string> example_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{deployments})
    if (entry.path().extension() == ".json" && entry.path().parent_path().filename() != "models" &&
        !entry.path().stem().string().ends_with("-broken"))
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

constexpr const char* resources[] = {"compute", "memory", "nvlink", "network", "pipeline"};

/// Communications of a stage that are for one purpose in one pass.
nlohmann::json traffic_of(const nlohmann::json& json, int stage, const std::string& purpose, const std::string& pass) {
  nlohmann::json found = nlohmann::json::array();
  for (const nlohmann::json& c : json["traffic"]) {
    const auto& stages = c["stages"];
    if (c["purpose"] == purpose && c["pass"] == pass && std::find(stages.begin(), stages.end(), stage) != stages.end())
      found.push_back(c);
  }
  return found;
}

/// What must hold of every communication.
void check_communication(const nlohmann::json& c) {
  CAPTURE(c.dump());
  const auto bytes = c["bytes_per_rank"].get<std::uint64_t>();
  const auto group_bytes = c["group_bytes"].get<std::uint64_t>();
  const std::uint64_t senders = c["collective"] == "send" ? 1 : c["ranks"].get<std::uint64_t>();
  CHECK(bytes == (group_bytes + senders - 1) / senders);
  CHECK(bytes > 0);
  CHECK(c["times"].get<std::uint64_t>() > 0);
  CHECK(c["ranks"].get<std::int64_t>() > 1);
  CHECK(!c["stages"].empty());
  CHECK(!c["axes"].get<std::string>().empty());
  if (c["tiers"].is_null()) return;
  CHECK(c["tiers"]["nvlink"].get<std::uint64_t>() + c["tiers"]["network"].get<std::uint64_t>() == bytes);
  CHECK(c["on_rail_bytes"].get<std::uint64_t>() <= c["tiers"]["network"].get<std::uint64_t>());
  if (c.contains("expected_bytes_per_rank") && !c["expected_bytes_per_rank"].is_null())
    CHECK(c["expected_bytes_per_rank"].get<double>() <= static_cast<double>(bytes));
}

/// What must hold of every answer.
void check_answer(const nlohmann::json& json) {
  double flops = 0;
  for (const auto& [name, n] : json["flops"].items()) flops += n.get<double>();
  const auto model_flops = json["model_flops"].get<double>();
  const auto tokens = json["tokens"].get<double>();
  CHECK(flops == doctest::Approx(model_flops).epsilon(1e-12));
  CHECK(json["flops_per_token"].get<double>() * tokens == doctest::Approx(model_flops).epsilon(1e-12));
  if (json.contains("recomputed_flops"))
    for (const auto& [name, n] : json["recomputed_flops"].items()) flops += n.get<double>();
  CHECK(flops == doctest::Approx(json["hardware_flops"].get<double>()).epsilon(1e-12));
  for (const nlohmann::json& c : json["traffic"]) check_communication(c);
  double longest = 0;
  for (const char* resource : resources)
    if (!json["bound_seconds"][resource].is_null()) longest = std::max(longest, json["bound_seconds"][resource].get<double>());
  const auto seconds = json["step_seconds"].get<double>();
  CHECK(seconds == longest);
  CHECK(json["bound_seconds"][json["limit"].get<std::string>()].get<double>() == seconds);
  CHECK(json["tokens_per_second"].get<double>() * seconds == doctest::Approx(tokens));
  CHECK(json["flops_per_second"].get<double>() * seconds * json["gpus"].get<double>() == doctest::Approx(model_flops));
  CHECK(json["utilisation"].get<double>() > 0);
  CHECK(json["utilisation"].get<double>() <= 1 + 1e-9);
}

} // namespace

TEST_CASE("every example deployment has a bound, and text of 100 columns") {
  for (const std::string& file : example_files()) {
    CAPTURE(file);
    const answer json = run_tool("cost --json '" + file + "'");
    CHECK(json.err.empty());
    REQUIRE(json.status == 0);
    check_answer(json.json());
    const answer text = run_tool("cost '" + file + "'");
    CHECK(text.status == 0);
    CHECK(contains(text.out, "limited by "));
    std::istringstream stream{text.out};
    for (std::string line; std::getline(stream, line);) CHECK_MESSAGE(line.size() <= 100, line);
  }
}

// By hand from config.json: latent attention of 187,105,280 parameters and 4,097 x 128 x (128 + 64 + 128) multiply-adds of its core for each
// token, in 61 layers and the one of multi-token prediction; 58 and one MoE layers with 8 of 256 experts of 44,040,192, a shared one, and
// a router of 1,835,008; three dense MLPs of 396,361,728; two heads of 926,679,040; a projection of 2 x 7,168 x 7,168. Six FLOPs each.
TEST_CASE("DeepSeek-V3 on 2048 GPUs") {
  const answer a = cost_of_file("deepseek-v3-2048", "--json");
  REQUIRE(a.status == 0);
  const nlohmann::json json = a.json();
  CHECK(json["gpus"] == 2048);
  CHECK(json["sequences"] == 15360);
  CHECK(json["tokens"] == 62'914'560);
  CHECK(json["flops_per_token"] == 260'649'271'296);
  CHECK(json["flops"]["core_attention"] == 31'213'240'320ULL * 62'914'560);
  CHECK(json["flops"]["mtp_projections"] == 616'562'688ULL * 62'914'560);
  CHECK(json["recomputed_flops"]["head"] == 0);
  // Full recompute repeats a third of all but the heads: more than 64 bits hold.
  CHECK(contains(a.out, "\"model_flops\": 16398634217908469760,"));
  CHECK(contains(a.out, "\"hardware_flops\": 21631639207626670080,"));
  // arXiv 2505.09343, table 4: 19.926 s a step.
  CHECK(json["step_seconds"].get<double>() < 19.926);
  // Four MoE layers, 120 micro-batches.
  const nlohmann::json dispatch = traffic_of(json, 3, "dispatch", "forward");
  REQUIRE(dispatch.size() == 1);
  CHECK(dispatch[0]["collective"] == "all_to_all");
  CHECK(dispatch[0]["axes"] == "etp-ep");
  CHECK(dispatch[0]["times"] == 480);
  CHECK(dispatch[0]["ranks"] == 64);
  CHECK(dispatch[0]["tiers"]["network"].get<double>() / dispatch[0]["bytes_per_rank"].get<double>() ==
        doctest::Approx(56.0 / 63)); // seven of eight nodes
  CHECK(traffic_of(json, 0, "gradients", "update")[0]["axes"] == "dp-cp");
}

// TP 2 halves 4,096 tokens; two experts each, bf16, seven of eight ranks: 2,048 x 2 x 12,288 x 7 / 8 bytes. 7 layers, 32 micro-batches.
TEST_CASE("Mixtral 8x22B with folding") {
  const nlohmann::json json = cost_of_file("mixtral-8x22b-128", "--json").json();
  const nlohmann::json dispatch = traffic_of(json, 0, "dispatch", "forward");
  REQUIRE(dispatch.size() == 1);
  CHECK(dispatch[0]["axes"] == "ep");
  CHECK(dispatch[0]["bytes_per_rank"] == 44'040'192);
  CHECK(dispatch[0]["group_bytes"] == 8 * 44'040'192);
  CHECK(dispatch[0]["times"] == 7 * 32);
  CHECK(dispatch[0]["tiers"] == nlohmann::json{{"nvlink", 44'040'192}, {"network", 0}});
  CHECK(dispatch[0]["stages"] == nlohmann::json{0, 1, 2, 3, 4, 5, 6, 7});
  const nlohmann::json sent = traffic_of(json, 0, "pipeline", "forward");
  REQUIRE(sent.size() == 1);
  CHECK(sent[0]["collective"] == "send");
  CHECK(sent[0]["bytes_per_rank"] == 2048 * 6144 * 2);
  CHECK(sent[0]["tiers"]["nvlink"] == 0);
  CHECK(sent[0]["stages"].size() == 7);
  CHECK(traffic_of(json, 7, "pipeline", "forward").empty());
  // arXiv 2504.14960, table 3: 49.3%.
  CHECK(json["utilisation"].get<double>() > 0.493);
}

TEST_CASE("virtual stages of a rank are counted together") {
  const std::string text = R"({"model": "mixtral-8x7b", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": 4},
    "strategy": {"pp": 4, "vpp": 2, "ep": 8, "dp": 8}, "training": {"global_batch": 64, "sequence_length": 4096}})";
  const nlohmann::json json = cost(text, "--json").json();
  CHECK(traffic_of(json, 1, "dispatch", "forward")[0]["times"] == 8 * 8); // eight layers in two chunks, eight micro-batches
  CHECK(traffic_of(json, 1, "pipeline", "forward")[0]["times"] == 2 * 8);
  CHECK(traffic_of(json, 3, "pipeline", "forward")[0]["times"] == 8); // from the last rank's first chunk to the first rank
}

// 2^24 times as many sequences take 2^24 times as much of everything that counts them.
TEST_CASE("FLOPs beyond 64 bits are exact") {
  const answer a = cost(deployment_with("257698037760", "15360"), "--json");
  REQUIRE(a.status == 0);
  check_answer(a.json());
  CHECK(contains(a.out, "\"model_flops\": 275123428378841465392988160,"));
  CHECK(a.json()["flops_per_token"] == 260'649'271'296);
}

TEST_CASE("efficiencies give an estimate beside the bound") {
  const nlohmann::json bound = cost_of_file("mixtral-8x22b-128", "--json").json();
  CHECK(!bound.contains("estimate_seconds"));
  const nlohmann::json json = cost_of_file("mixtral-8x22b-128", "--json --efficiency compute=0.5,network=0.25").json();
  CHECK(json["bound_seconds"] == bound["bound_seconds"]);
  CHECK(json["step_seconds"] == bound["step_seconds"]);
  const auto times_longer = [&json](const char* resource) {
    return json["estimate_seconds"][resource].get<double>() / json["bound_seconds"][resource].get<double>();
  };
  CHECK(times_longer("compute") == doctest::Approx(2));
  CHECK(times_longer("memory") == doctest::Approx(1));
  CHECK(times_longer("nvlink") == doctest::Approx(1));
  CHECK(times_longer("network") == doctest::Approx(4));
  CHECK(json["estimated_step_seconds"].get<double>() > json["step_seconds"].get<double>());
  const answer text = cost_of_file("mixtral-8x22b-128", "--efficiency compute=0.5");
  CHECK(contains(text.out, "estimate"));
  for (const char* options :
       {"--efficiency comput=0.5", "--efficiency compute=0", "--efficiency network=1e-320", "--efficiency compute=1.5",
        "--efficiency compute=nan", "--efficiency compute", "--efficiency compute=0.5,compute=0.5", "--efficiency pipeline=0.5",
        "--efficiency compute=0.5,", "--efficiency compute=half", "--efficiency ''"}) {
    CAPTURE(options);
    const answer a = cost_of_file("mixtral-8x22b-128", options);
    CHECK(a.status == 2);
    CHECK(a.out.empty());
    CHECK(contains(a.err, "--efficiency"));
  }
  CHECK(contains(cost_of_file("mixtral-8x22b-128", "--efficiency netwrk=0.5").err, "nearest known: \"network\""));
}

TEST_CASE("what is not known is null") {
  const std::string without_gpu = R"({"model": "mixtral-8x7b", "cluster": {"gpus": 64}, "strategy": {"pp": 4, "ep": 8},
    "training": {"global_batch": 64, "sequence_length": 4096}})";
  const answer a = cost(without_gpu, "--json");
  REQUIRE(a.status == 0);
  const nlohmann::json json = a.json();
  for (const char* resource : resources) CHECK(json["bound_seconds"][resource].is_null());
  for (const char* key : {"step_seconds", "limit", "tokens_per_second", "flops_per_second", "utilisation"})
    CHECK(json[key].is_null());
  CHECK(json["flops_per_token"] == 79'713'533'952);
  for (const nlohmann::json& c : json["traffic"]) {
    check_communication(c);
    CHECK(c["tiers"].is_null());
  }
  CHECK(contains(cost(without_gpu).out, "is not known"));
  // The peak alone bounds it, and says so.
  const std::string with_peak = R"({"model": "mixtral-8x7b", "cluster": {"gpu": {"bf16_flops": 1000000000000000}, "gpus": 64},
    "strategy": {"pp": 4, "ep": 8}, "training": {"global_batch": 64, "sequence_length": 4096}})";
  CHECK(cost(with_peak, "--json").json()["bound_seconds"]["memory"].is_null());
  CHECK(contains(cost(with_peak).out, " of what is known, "));
}

// Every weight of a rank is read once for a token of each sequence: a small batch is limited by memory.
TEST_CASE("decoding and prefilling") {
  const auto served = [](const std::string& serving) {
    return R"({"model": "mixtral-8x7b", "cluster": {"gpu": "h100-sxm", "gpus_per_node": 8, "nodes": 1}, "profile": "vllm",
      "strategy": {"tp": 8, "ep": 8, "dp": 1}, "serving": {)" +
           serving + "}}";
  };
  const nlohmann::json decoding = cost(served(R"("batch": 4, "sequence_length": 4096)"), "--json").json();
  check_answer(decoding);
  CHECK(decoding["tokens"] == 4);
  CHECK(decoding["limit"] == "memory");
  CHECK(!decoding.contains("recomputed_flops"));
  const std::string prompt = served(R"("batch": 4, "sequence_length": 4096, "step_tokens": 4096)");
  const nlohmann::json prefilling = cost(prompt, "--json").json();
  check_answer(prefilling);
  CHECK(prefilling["tokens"] == 4 * 4096);
  CHECK(prefilling["limit"] == "compute");
  CHECK(contains(cost(prompt).out, "Prefilling 4 sequences of 4,096 tokens, on 8 GPUs"));
  CHECK(contains(cost(served(R"("batch": 4, "sequence_length": 4096, "step_tokens": 512)")).out,
                 "512 tokens of each of 4 sequences"));
}

TEST_CASE("what has no cost is refused") {
  const answer broken = cost_of_file("deepseek-v3-1024-broken", "--json");
  CHECK(broken.status == 1);
  CHECK(broken.json()["ok"] == false);
  CHECK(broken.json()["findings"].size() >= 8);
  CHECK(contains(broken.err, "experts_divide_by_ep"));
  const std::string product = deployment_with(R"("dp": 1, "mapping": "product")", R"("dp": 128)");
  const answer a = cost(product, "--json");
  CHECK(a.status == 1);
  CHECK(a.json()["ok"] == false);
  CHECK(contains(a.err, "product mapping"));
  const answer too_large = cost(deployment_with("4611686018427387904", "15360"), "--json"); // 2^62 sequences of 2^12 tokens
  CHECK(too_large.status == 1);
  CHECK(contains(too_large.json()["problem"].get<std::string>(), "64 bits"));
  CHECK(run_tool("cost /no/such/file.json").status == 2);
  CHECK(run_tool("cost").status == 2);
}
