#include <doctest/doctest.h>

#include <moeplan/io/deployment_file.hpp>

#include <algorithm>
#include <string>

using namespace moeplan;
using namespace moeplan::io;

namespace {

deployment_file read(const std::string& text) { return read_deployment(parse_json(text, MOEPLAN_TEST_DATA "/d.json")); }

std::string error_of(const std::string& text) {
  try {
    (void)read_deployment(parse_json(text, "d.json"));
  } catch (const input_error& error) { return error.what(); }
  return "no error";
}

/// A whole deployment with one part in place of another.
std::string with(const std::string& part, const std::string& in_place_of) {
  std::string text = R"({"model": "deepseek-v3", "cluster": {"gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 256},
"strategy": {"pp": 16, "ep": 64, "dp": 128}, "layout": "4*15,1", "training": {"sequence_length": 4096}, "profile": "megatron"})";
  const std::size_t at = text.find(in_place_of);
  REQUIRE(at != std::string::npos);
  return text.replace(at, in_place_of.size(), part);
}

/// The same with another strategy, layout or training.
std::string with_strategy(const std::string& members) { return with(members, R"("pp": 16, "ep": 64, "dp": 128)"); }
std::string with_layout(const std::string& value) { return with(value, R"("4*15,1")"); }
std::string with_training(const std::string& members) { return with(members, R"("sequence_length": 4096)"); }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("DeepSeek-V3 on 2048 GPUs") {
  const deployment_file file = read(R"({
    "model": "deepseek-v3",
    "cluster": {"gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 256},
    "strategy": {"pp": 16, "ep": 64, "dp": 128, "order": "tp-cp-ep-dp-pp", "mapping": "folded"},
    "layout": "4*15,1",
    "training": {"global_batch": 15360, "micro_batch": 1, "sequence_length": 4096, "recompute": "full"},
    "profile": "megatron"})");
  const deployment expected{
      .model = catalog::deepseek_v3,
      .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
      .strategy = {pp{16}, ep{64}, dp{128}},
      .layout = layout::stages({15, 4}, {1, 1}),
      .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full},
  };
  CHECK(file.deployment == expected);
  CHECK(file.model_name == "deepseek-v3");
  CHECK(file.gpu_name == "h800-sxm");
}

TEST_CASE("every member of a training deployment has its key") {
  const deployment_file file = read(R"({
    "schema": 1,
    "model": "mixtral-8x7b",
    "cluster": {"gpu": {"memory_bytes": 10, "usable_memory_bytes": 9, "bf16_flops": 8, "fp8_flops": 7, "memory_bandwidth_bytes": 4,
                        "nvlink_bandwidth_bytes": 6, "network_bandwidth_bytes": 5}, "gpus": 64},
    "strategy": {"tp": 2, "pp": 3, "vpp": 4, "cp": 5, "ep": 6, "etp": 7, "dp": 8, "sp": 2, "order": "tp-ep-dp-cp-pp", "mapping": "product"},
    "layout": {"first": 8, "last": 5},
    "training": {"global_batch": 64, "micro_batch": 2, "sequence_length": 32, "recompute": "selective",
                 "recompute_modules": ["core_attention", "moe"], "recompute_method": "block", "recompute_layers": 2,
                 "precision": {"weights": "bf16", "gradients": "bf16", "master_weights": "fp16", "first_moment": "fp8",
                               "second_moment": "fp8", "fp8": "delayed", "fp8_weights": true},
                 "optimizer": "muon", "sharding": "gradients", "optimizer_offload": 0.5, "schedule": "v_half",
                 "kernels": {"flash_attention": false, "fused_cross_entropy": true, "fused_weight_gradient": false,
                             "attention_dropout": true, "hidden_dropout": true},
                 "assumptions": "megatron_estimator", "context": "all_gather",
                 "dispatcher": "flex", "dp_replicate": 4, "vocabulary_multiple": 64, "reserve_bytes": 2000000000,
                 "routing": {"balancing": "sinkhorn", "capacity_factor": 1.25, "pad_to_capacity": true, "pre_softmax": true,
                             "load": "worst", "busiest_share": 0.5},
                 "overlap": {"tensor_parallel": true, "shared_experts": true, "expert_parallel": true, "delayed_weight_gradient": true}},
    "profile": "universal"})");
  deployment expected{.model = catalog::mixtral_8x7b};
  expected.cluster.gpu = {.memory = bytes{10},
                          .usable_memory = bytes{9},
                          .bf16_flops = 8,
                          .fp8_flops = 7,
                          .memory_bandwidth = bytes{4},
                          .nvlink_bandwidth = bytes{6},
                          .network_bandwidth = bytes{5}};
  expected.cluster.total = 64;
  expected.strategy = {tp{2}, pp{3}, vpp{4}, cp{5}, ep{6}, etp{7}, dp{8}, sp{2}, rank_order{"tp-ep-dp-cp-pp"}, mapping::product};
  expected.layout = layout::first_last(8, 5);
  training t{.global_batch = 64, .micro_batch = 2, .sequence_length = 32};
  t.recompute = recompute::selective;
  t.context = context_exchange::all_gather;
  t.dispatcher = token_dispatcher::flex;
  t.dp_replicate = 4;
  t.vocabulary_multiple = 64;
  t.reserve = bytes{2'000'000'000};
  t.routing = {.balancing = load_balancing::sinkhorn,
               .capacity_factor = {5, 4},
               .pad_to_capacity = true,
               .pre_softmax = true,
               .load = routing_load::worst,
               .busiest_share = {1, 2}};
  t.overlap = {.tensor_parallel = true, .shared_experts = true, .expert_parallel = true, .delayed_weight_gradient = true};
  t.recompute_modules.moe = true;
  t.recompute_method = recompute_method::block;
  t.recompute_layers = 2;
  t.precision = {.weights = number_type::bf16,
                 .gradients = number_type::bf16,
                 .master_weights = number_type::fp16,
                 .first_moment = number_type::fp8,
                 .second_moment = number_type::fp8,
                 .fp8 = fp8_recipe::delayed,
                 .fp8_weights = true};
  t.optimizer = optimizer::muon;
  t.sharding = sharding::gradients;
  t.optimizer_offload = {1, 2};
  t.schedule = schedule::v_half;
  t.kernels = {.flash_attention = false,
               .fused_cross_entropy = true,
               .fused_weight_gradient = false,
               .attention_dropout = true,
               .hidden_dropout = true};
  t.assumptions = assumptions::megatron_estimator();
  expected.workload = t;
  expected.profile = profile::universal;
  CHECK(file.deployment == expected);
  CHECK(file.defaults.empty());
}

TEST_CASE("every member of a serving deployment has its key") {
  const deployment_file file = read(R"({"model": "deepseek-v3", "strategy": {"dp": 1},
    "serving": {"batch": 3, "sequence_length": 4, "redundant_experts": 5, "decode_context": 7,
                "data_parallelism": "replicas", "elastic_ep": true, "vocabulary_multiple": 6, "weights": "nvfp4",
                "quantised": "mlps", "cache": "fp8", "block_size": 32, "windows": "all", "step_tokens": 4, "linear_state": "fp16", "drafts": true,
                "absorbed_projections": true, "reserve_bytes": 8}})");
  CHECK(file.deployment.workload == workload{serving{.batch = 3,
                                                     .sequence_length = 4,
                                                     .redundant_experts = 5,
                                                     .decode_context = 7,
                                                     .data_parallelism = data_parallelism::replicas,
                                                     .elastic_ep = true,
                                                     .vocabulary_multiple = 6,
                                                     .weights = weight_format::nvfp4,
                                                     .quantised = quantised_parts::mlps,
                                                     .cache = cache_format::fp8,
                                                     .block_size = 32,
                                                     .windows = windowed_cache::all,
                                                     .step_tokens = 4,
                                                     .linear_state = number_type::fp16,
                                                     .drafts = true,
                                                     .absorbed_projections = true,
                                                     .reserve = bytes{8}}});
}

TEST_CASE("defaults are those of the descriptions, and each is listed") {
  const deployment_file file = read(R"({"model": "deepseek-v3", "strategy": {}, "training": {}})");
  CHECK(file.deployment == deployment{.model = catalog::deepseek_v3});
  for (const char* key : {"/cluster", "/strategy/tp", "/strategy/dp", "/strategy/etp", "/strategy/order", "/strategy/mapping",
                          "/layout", "/training/global_batch", "/training/sequence_length", "/training/routing/capacity_factor",
                          "/training/overlap/tensor_parallel", "/training/precision/weights", "/training/assumptions/router_state",
                          "/training/recompute_modules", "/training/vocabulary_multiple", "/profile"}) {
    CHECK_MESSAGE(std::any_of(file.defaults.begin(), file.defaults.end(), [&](const auto& d) { return d.key == key; }), key);
  }
  for (const default_in_force& d : file.defaults) {
    CHECK_FALSE(d.value.empty());
    CHECK_FALSE(d.source.empty());
  }
}

TEST_CASE("a given degree is given, even where it is the default") {
  const strategy s = read(with_strategy(R"("tp": 1, "pp": 16)")).deployment.strategy;
  CHECK(s.gives(axis::tp));
  CHECK(s.gives(axis::pp));
  CHECK_FALSE(s.gives(axis::dp));
  CHECK_FALSE(s.gives(axis::etp));
}

TEST_CASE("a model is a name, a file or an object") {
  CHECK(read(with(R"({"config": "models/DeepSeek-V3.json"})", R"("deepseek-v3")")).deployment.model == catalog::deepseek_v3);
  CHECK(read(with(R"({"config": "models/DeepSeek-V3.json"})", R"("deepseek-v3")")).model_name == "models/DeepSeek-V3.json");
  const deployment_file inline_model = read(with(
      R"({"model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32, "vocab_size": 32000, "intermediate_size": 14336,
          "num_attention_heads": 32, "num_key_value_heads": 8, "num_local_experts": 8, "num_experts_per_tok": 2,
          "max_position_embeddings": 32768, "unknown": []})",
      R"("deepseek-v3")"));
  CHECK(inline_model.deployment.model == catalog::mixtral_8x7b);
  CHECK(inline_model.model_name == "mixtral");
}

TEST_CASE("models that cannot be read") {
  const auto error_with = [](const std::string& model) { return error_of(with(model, R"("deepseek-v3")")); };
  CHECK(error_with("\"deepseek-v33\"").ends_with("nearest known: \"deepseek-v3\""));
  CHECK(error_with("3").starts_with("d.json:1:11: /model: found 3, expected a name of the catalog"));
  CHECK(error_with("{}").starts_with("d.json:1:11: /model/model_type: missing key"));
  CHECK(error_with(R"({"config": "no/such/file.json"})") ==
        "d.json:1:22: /model/config: no such file: found \"no/such/file.json\" (a string), expected the path of a config.json, "
        "relative to "
        "this file");
  CHECK(error_with(R"({"config": "x", "model_type": "llama"})").starts_with("d.json:1:27: /model/model_type: unknown key"));
  CHECK(error_with(R"({"model_type": "lama"})").ends_with("nearest known: \"llama\""));
}

TEST_CASE("layouts") {
  const auto layout_of = [](const std::string& value) { return read(with_layout(value)).deployment.layout; };
  CHECK(layout_of("\"even\"") == layout::even());
  CHECK(layout_of("\"balanced\"") == layout::balanced());
  CHECK(layout_of("\"4*15,1\"") == layout::stages({15, 4}, {1, 1}));
  CHECK(layout_of("\"Ett|tL\"").runs.size() == 2);
  CHECK(layout_of(R"({"first": 8})") == layout::first_last(8, {}));
  CHECK(layout_of(R"({"last": 0})") == layout::first_last({}, 0));
  CHECK(layout_of(R"({"embedding_as_layer": true, "loss_as_layer": true})") == layout::even_with(true, true));
  CHECK(layout_of(R"({"loss_as_layer": true})") == layout::even_with(false, true));
}

TEST_CASE("layouts that cannot be read") {
  CHECK(contains(error_of(with_layout("\"4*15,x\"")), "/layout: not a number of layers: found \"x\" at character 6"));
  CHECK(contains(error_of(with_layout("[4, 4]")), "/layout: found an array, expected a string"));
  CHECK(contains(error_of(with_layout("{}")), "/layout: found an object, expected first, last or both"));
  CHECK(contains(error_of(with_layout(R"({"first": 1, "loss_as_layer": true})")), "/layout: found an object"));
  CHECK(contains(error_of(with_layout(R"({"frist": 1})")), "nearest known: \"first\""));
}

TEST_CASE("degrees of any integer are taken as they stand") {
  CHECK(read(with_strategy("\"ep\": 0")).deployment.strategy[axis::ep] == 0);
  CHECK(read(with_strategy("\"ep\": -4")).deployment.strategy[axis::ep] == -4);
  CHECK(read(with_strategy("\"ep\": 9223372036854775807")).deployment.strategy[axis::ep] == 9223372036854775807);
}

TEST_CASE("degrees that are none") {
  CHECK(error_of(with_strategy("\"ep\": 9223372036854775808")) ==
        "d.json:2:20: /strategy/ep: a number out of range: found 9223372036854775808, expected an integer from -2^63 to 2^63 - 1");
  CHECK(error_of(with_strategy("\"ep\": 2.5")) == "d.json:2:20: /strategy/ep: found 2.5, expected an integer");
  CHECK(error_of(with_strategy("\"ep\": \"four\"")) == "d.json:2:20: /strategy/ep: found \"four\" (a string), expected an integer");
  CHECK(error_of(with_strategy("\"ep\": \"4\"")) == "d.json:2:20: /strategy/ep: found \"4\" (a string), expected an integer");
  CHECK(contains(error_of(with_strategy("\"epp\": 4")), "/strategy/epp: unknown key: found \"epp\""));
  CHECK(error_of(with_strategy("\"epp\": 4")).ends_with("nearest known: \"ep\""));
  CHECK(contains(error_of(with_strategy("\"edp\": 4")), "/strategy/edp: unknown key")); // EDP is always derived
  CHECK(contains(error_of(with_strategy("\"order\": \"tp-tp\"")),
                 "/strategy/order: an axis stands twice in the rank order: found \"tp\""));
  CHECK(error_of(with_strategy("\"mapping\": \"fold\"")).ends_with("nearest known: \"folded\""));
}

TEST_CASE("clusters") {
  const std::string cluster = R"("gpu": "h800-sxm", "gpus_per_node": 8, "nodes": 256)";
  CHECK(read(with(R"("gpus": 5)", cluster)).deployment.cluster == moeplan::cluster{.total = 5});
  CHECK(contains(error_of(with(R"("gpus": 5, "nodes": 3)", cluster)), "/cluster/gpus: gpus given twice over"));
  CHECK(contains(error_of(with(R"("nodes": 3)", cluster)), "/cluster/gpus_per_node: missing key"));
  CHECK(contains(error_of(with(R"("gpus_per_node": 3)", cluster)), "/cluster/nodes: missing key"));
  CHECK(read(with(R"("gpus_per_node": 4, "nodes": 36, "nvlink_domain": 72)", cluster)).deployment.cluster ==
        moeplan::cluster{.gpus_per_node = 4, .nodes = 36, .nvlink_domain = 72});
  CHECK(contains(error_of(with(R"("gpus": 144, "nvlink_domain": 72)", cluster)), "/cluster/gpus_per_node: missing key"));
  const auto assumes_a_domain = [](const deployment_file& file) {
    return std::any_of(file.defaults.begin(), file.defaults.end(), [](const auto& d) { return d.key == "/cluster/nvlink_domain"; });
  };
  CHECK(assumes_a_domain(read(with(cluster, cluster))));
  CHECK_FALSE(assumes_a_domain(read(with(R"("gpus": 144)", cluster))));
  CHECK_FALSE(assumes_a_domain(read(with(R"("gpus_per_node": 4, "nodes": 36, "nvlink_domain": 72)", cluster))));
  CHECK(error_of(with(R"("gpu": "h801-sxm", "gpus": 5)", cluster)).ends_with("nearest known: \"h800-sxm\""));
  CHECK(contains(error_of(with(R"("gpu": {"memory_bytes": -1}, "gpus": 5)", cluster)),
                 "/cluster/gpu/memory_bytes: a number out of range"));
  CHECK(contains(error_of(with(R"("gpu": {"memory": 1}, "gpus": 5)", cluster)), "/cluster/gpu/memory: unknown key"));
}

TEST_CASE("training and serving") {
  CHECK(error_of(with_training("\"recompute\": \"ful\"")).ends_with("nearest known: \"full\""));
  CHECK(contains(error_of(with_training("\"routing\": {\"capacity_factor\": -1.5}")),
                 "/training/routing/capacity_factor: found -1.5"));
  CHECK(contains(error_of(with_training("\"overlap\": true")), "/training/overlap: found true, expected an object"));
  CHECK(contains(error_of(with_training("\"precision\": {\"weights\": \"bf1\"}")), "/training/precision/weights: found \"bf1\""));
  CHECK(
      contains(error_of(with_training("\"recompute_modules\": [\"moe\", \"moe\"]")), "/training/recompute_modules/1: given twice"));
  CHECK(contains(error_of(with_training("\"micro_batch\": true")), "/training/micro_batch: found true, expected an integer"));
  CHECK(contains(error_of(with("\"serving\": {}, \"training\"", "\"training\"")), "/serving: both training and serving are given"));
  CHECK(contains(error_of(R"({"model": "deepseek-v3", "strategy": {}})"), "/training: missing key"));
}

TEST_CASE("the top level") {
  CHECK(contains(error_of(R"({"strategy": {}, "training": {}})"), "/model: missing key: expected \"model\""));
  CHECK(contains(error_of(R"({"model": "deepseek-v3", "training": {}})"), "/strategy: missing key"));
  CHECK(error_of(R"({"modle": "deepseek-v3"})").ends_with("nearest known: \"model\""));
  CHECK(contains(error_of(with("\"schema\": 2, \"model\"", "\"model\"")), "/schema: found 2, expected 1"));
  CHECK(error_of(with("\"megatorn\"", "\"megatron\"")).ends_with("nearest known: \"megatron\""));
  CHECK(contains(error_of("[]"), "found an array, expected an object"));
}
