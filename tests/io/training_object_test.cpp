#include <doctest/doctest.h>

#include <moeplan/io/training_object.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "member_count.hpp"
#include "object_text.hpp"
#include "verify/random_deployment.hpp"

using namespace moeplan;
using namespace moeplan::io;
using namespace moeplan_test;

namespace {

const std::string every_key =
    "{\"global_batch\": 64, \"micro_batch\": 2, \"sequence_length\": 32, "
    "\"precision\": {\"weights\": \"fp16\"}, \"optimizer\": \"sgd_momentum\", \"sharding\": \"parameters\", "
    "\"optimizer_offload\": 0.25, \"recompute\": \"selective\", \"recompute_modules\": [\"mlp\", \"latent_up_projection\"], "
    "\"recompute_method\": \"block\", \"recompute_layers\": 3, \"schedule\": \"zb_h2\", \"context\": \"all_gather\", "
    "\"dispatcher\": \"flex\", "
    "\"routing\": {\"balancing\": \"sinkhorn\", \"capacity_factor\": 1.25, \"pad_to_capacity\": true, \"pre_softmax\": true, "
    "\"load\": \"worst\", \"busiest_share\": 0.375}, "
    "\"overlap\": {\"tensor_parallel\": true, \"shared_experts\": true, \"expert_parallel\": true, "
    "\"delayed_weight_gradient\": true}, "
    "\"dp_replicate\": 4, \"kernels\": {\"fused_cross_entropy\": true}, \"assumptions\": {\"router_state\": \"experts\"}, "
    "\"vocabulary_multiple\": 64, \"reserve_bytes\": 5}\n";

constexpr training none_by_default{
    .global_batch = 64,
    .micro_batch = 2,
    .sequence_length = 32,
    .recompute = recompute::selective,
    .recompute_modules = {.core_attention = false, .mlp = true, .latent_up_projection = true},
    .recompute_method = recompute_method::block,
    .recompute_layers = 3,
    .context = context_exchange::all_gather,
    .dispatcher = token_dispatcher::flex,
    .routing = {.balancing = load_balancing::sinkhorn,
                .capacity_factor = {5, 4},
                .pad_to_capacity = true,
                .pre_softmax = true,
                .load = routing_load::worst,
                .busiest_share = {3, 8}},
    .overlap = {.tensor_parallel = true, .shared_experts = true, .expert_parallel = true, .delayed_weight_gradient = true},
    .dp_replicate = 4,
    .precision = {.weights = number_type::fp16},
    .optimizer = optimizer::sgd_momentum,
    .sharding = sharding::parameters,
    .optimizer_offload = {1, 4},
    .schedule = schedule::zb_h2,
    .kernels = {.fused_cross_entropy = true},
    .assumptions = {.router_state = state_group::experts},
    .reserve = bytes{5},
    .vocabulary_multiple = 64};

/// One member given, as JSON.
training with(const std::string& member) { return read_text<training>('{' + member + '}').value; }
std::string error_with(const std::string& member) { return error_of<training>('{' + member + '}'); }

} // namespace

TEST_CASE("every member has its key, and is written as it is read") {
  CHECK(read_text<training>(every_key).value == none_by_default);
  CHECK(written(none_by_default) == every_key);
  CHECK(listed_members<training>() == members_of<training>());
  CHECK(listed_members<routing>() == members_of<routing>());
  CHECK(listed_members<overlap>() == members_of<overlap>());
}

TEST_CASE("defaults are those of the description, and each is listed") {
  CHECK(read_text<training>("{}").value == training{});
  CHECK(written(training{}) == "{\"micro_batch\": 1, \"sequence_length\": 0}\n");
  // Five members are objects, whose own members are listed.
  CHECK(defaults_of<training>("{}").size() == members_of<training>() - 5 + members_of<kernels>() + members_of<precision>() +
                                                  members_of<routing>() + members_of<overlap>() + members_of<assumptions>());
  const std::vector<std::string> lines = defaults_of<training>("{}");
  for (const char* line : {"/precision/weights \"bf16\"", "/optimizer \"adam\"", "/sharding \"none\"",
                           "/optimizer_offload 0: its states stay on the GPU", "/recompute \"none\"",
                           "/recompute_modules [\"core_attention\"]", "/recompute_method \"uniform\"", "/recompute_layers 1",
                           "/schedule \"1f1b\"", "/routing/capacity_factor 0: no token is dropped", "/routing/load \"balanced\"",
                           "/routing/busiest_share 0: as load says", "/kernels/flash_attention true",
                           "/overlap/tensor_parallel false", "/dp_replicate 1", "/assumptions/dense_states \"dp_and_cp_ranks\""})
    CHECK_MESSAGE(std::find(lines.begin(), lines.end(), line) != lines.end(), line);
}

TEST_CASE("optimizer and sharding") {
  CHECK(with(R"("optimizer": "adam")").optimizer == optimizer::adam);
  CHECK(with(R"("optimizer": "sgd_momentum")").optimizer == optimizer::sgd_momentum);
  CHECK(with(R"("optimizer": "muon")").optimizer == optimizer::muon);
  CHECK(with(R"("optimizer": "none")").optimizer == optimizer::none);
  CHECK(with(R"("sharding": "none")").sharding == sharding::none);
  CHECK(with(R"("sharding": "optimizer")").sharding == sharding::optimizer);
  CHECK(with(R"("sharding": "gradients")").sharding == sharding::gradients);
  CHECK(with(R"("sharding": "parameters")").sharding == sharding::parameters);
  CHECK(with(R"("optimizer_offload": 1)").optimizer_offload == ratio{1});
  CHECK(with(R"("optimizer_offload": 0.3)").optimizer_offload == ratio{3, 10});
  CHECK(error_with(R"("optimizer": "adamw")") ==
        "t.json:1:15: /optimizer: found \"adamw\", expected one of \"adam\", \"sgd_momentum\", \"muon\", \"none\"; nearest known: "
        "\"adam\"");
  CHECK(error_with(R"("sharding": 1)") ==
        "t.json:1:14: /sharding: found 1, expected one of \"none\", \"optimizer\", \"gradients\", \"parameters\"");
  CHECK(error_with(R"("optimizer_offload": 2)") ==
        "t.json:1:23: /optimizer_offload: a number out of range: found 2, expected a number from 0 to 1");
  CHECK(error_with(R"("optimizer_offload": "all")") ==
        "t.json:1:23: /optimizer_offload: found \"all\" (a string), expected a number");
}

TEST_CASE("modules that are computed again") {
  const auto modules = [](const std::string& names) { return with(R"("recompute_modules": )" + names).recompute_modules; };
  CHECK(modules("[]") == recompute_modules{.core_attention = false});
  CHECK(modules(R"(["core_attention"])") == recompute_modules{});
  CHECK(modules(R"(["shared_experts", "mlp"])") == recompute_modules{.core_attention = false, .mlp = true, .shared_experts = true});
  CHECK(modules(R"(["moe", "moe_activation", "layer_norm", "latent_up_projection"])") ==
        recompute_modules{
            .core_attention = false, .moe = true, .moe_activation = true, .layer_norm = true, .latent_up_projection = true});
  CHECK(error_with(R"("recompute_modules": ["mlp", "moe", "mlp"])") ==
        "t.json:1:38: /recompute_modules/2: given twice: found \"mlp\" (a string), expected each name at most once");
  CHECK(error_with(R"("recompute_modules": ["core_attn"])") ==
        "t.json:1:24: /recompute_modules/0: found \"core_attn\", expected one of \"core_attention\", \"mlp\", \"moe\", "
        "\"moe_activation\", \"layer_norm\", \"latent_up_projection\", \"shared_experts\"; nearest known: \"core_attention\"");
  CHECK(
      error_with(R"("recompute_modules": ["mlp", 3])").starts_with("t.json:1:31: /recompute_modules/1: found 3, expected one of"));
  CHECK(error_with(R"("recompute_modules": "mlp")")
            .starts_with(
                "t.json:1:23: /recompute_modules: found \"mlp\" (a string), expected an array of any of \"core_attention\""));
}

TEST_CASE("layers that are computed again") {
  CHECK(with(R"("recompute_method": "uniform")").recompute_method == recompute_method::uniform);
  CHECK(with(R"("recompute_method": "block")").recompute_method == recompute_method::block);
  CHECK(with(R"("recompute_layers": -1)").recompute_layers == -1); // check judges
  CHECK(error_with(R"("recompute_method": "blocks")").ends_with("nearest known: \"block\""));
  CHECK(error_with(R"("recompute_layers": 1.5)") == "t.json:1:22: /recompute_layers: found 1.5, expected an integer");
}

TEST_CASE("schedules") {
  const auto schedule_of = [](const char* name) { return with(R"("schedule": ")" + std::string{name} + '"').schedule; };
  CHECK(schedule_of("gpipe") == schedule::gpipe);
  CHECK(schedule_of("1f1b") == schedule::one_forward_one_backward);
  CHECK(schedule_of("zb_h1") == schedule::zb_h1);
  CHECK(schedule_of("zb_h2") == schedule::zb_h2);
  CHECK(schedule_of("zb_v") == schedule::zb_v);
  CHECK(schedule_of("v_half") == schedule::v_half);
  CHECK(schedule_of("v_min") == schedule::v_min);
  CHECK(schedule_of("dualpipe") == schedule::dualpipe);
  CHECK(schedule_of("dualpipe_v") == schedule::dualpipe_v);
  CHECK(error_with(R"("schedule": "1F1B")").ends_with("nearest known: \"1f1b\""));
}

TEST_CASE("assumptions by name") {
  CHECK(with(R"("assumptions": "megatron")").assumptions == assumptions::megatron());
  CHECK(with(R"("assumptions": "megatron_estimator")").assumptions == assumptions::megatron_estimator());
  CHECK(with(R"("assumptions": "memory_analysis")").assumptions == assumptions::memory_analysis());
  CHECK(written(training{.assumptions = assumptions::megatron_estimator()}) ==
        "{\"micro_batch\": 1, \"sequence_length\": 0, \"assumptions\": \"megatron_estimator\"}\n");
  for (const std::string& line : defaults_of<training>(R"({"assumptions": "memory_analysis"})"))
    CHECK(line.find("/assumptions") == std::string::npos);
  CHECK(error_with(R"("assumptions": "megatorn")") ==
        "t.json:1:17: /assumptions: found \"megatorn\", expected one of \"megatron\", \"megatron_estimator\", \"memory_analysis\"; "
        "nearest known: \"megatron\"");
  CHECK(
      error_with(R"("assumptions": [])") ==
      "t.json:1:17: /assumptions: found an array, expected one of \"megatron\", \"megatron_estimator\", \"memory_analysis\", or an "
      "object with latent_down_projections, shared_experts and more");
}

TEST_CASE("parts that are none") {
  CHECK(error_with(R"("precision": "bf16")") ==
        "t.json:1:15: /precision: found \"bf16\" (a string), expected an object with weights, gradients and more");
  CHECK(error_with(R"("routing": {"busiest_share": 1.5})") ==
        "t.json:1:31: /routing/busiest_share: a number out of range: found 1.5, expected a number from 0 to 1");
  CHECK(error_with(R"("overlap": true)").starts_with("t.json:1:13: /overlap: found true, expected an object"));
  CHECK(error_with(R"("routing": {"capacity_factor": -1.5})").starts_with("t.json:1:33: /routing/capacity_factor: found -1.5"));
}

TEST_CASE("a training run is read as it was written") {
  random_deployments random{20250301};
  int seen = 0;
  while (seen < 2000) {
    const deployment d = random.next();
    if (!d.workload.is_training()) continue;
    const training& t = d.workload.train;
    if (t.optimizer_offload > ratio{1} || t.routing.busiest_share > ratio{1}) continue; // No file can say that.
    ++seen;
    REQUIRE_MESSAGE(read_again(t) == t, written(t));
  }
}
