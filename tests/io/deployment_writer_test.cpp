#include <doctest/doctest.h>

#include <moeplan/io/deployment_writer.hpp>

#include <sstream>
#include <string>

#include <moeplan/io/deployment_file.hpp>

using namespace moeplan;

namespace {

std::string written(const deployment& d, const io::json_value& model) {
  std::ostringstream out;
  io::json_writer json{out};
  io::write_deployment(json, d, model);
  return out.str();
}

deployment read_again(const deployment& d) {
  return io::read_deployment(io::parse_json(written(d, io::model_named("deepseek-v3")), "d.json")).deployment;
}

constexpr deployment training_run{
    .model = catalog::deepseek_v3,
    .cluster = {.gpu = catalog::h800_sxm, .gpus_per_node = 8, .nodes = 256},
    .strategy = {pp{16}, ep{64}, dp{128}},
    .layout = layout::stages({15, 4}, {1, 1}),
    .workload = training{.global_batch = 15360, .micro_batch = 1, .sequence_length = 4096, .recompute = recompute::full}};

} // namespace

TEST_CASE("members that are as by default are left out") {
  CHECK(written(training_run, io::model_named("deepseek-v3")) ==
        "{\n"
        "  \"model\": \"deepseek-v3\",\n"
        "  \"cluster\": {\"gpu\": \"h800-sxm\", \"gpus_per_node\": 8, \"nodes\": 256},\n"
        "  \"strategy\": {\"pp\": 16, \"ep\": 64, \"dp\": 128},\n"
        "  \"layout\": \"4*15,1\",\n"
        "  \"training\": {\n"
        "    \"global_batch\": 15360,\n"
        "    \"micro_batch\": 1,\n"
        "    \"sequence_length\": 4096,\n"
        "    \"recompute\": \"full\"\n"
        "  },\n"
        "  \"profile\": \"megatron\"\n"
        "}\n");
}

TEST_CASE("a deployment is read as it was written") {
  CHECK(read_again(training_run) == training_run);
  deployment d = training_run;
  SUBCASE("every degree, an order and a mapping") {
    d.strategy = {tp{2}, pp{0}, vpp{3}, cp{4}, ep{5}, etp{6}, dp{-7}, sp{2}, rank_order{"pp-tp-dp"}, mapping::product};
  }
  SUBCASE("a bare number of GPUs") { d.cluster = {.total = 12}; }
  SUBCASE("nothing about the cluster") { d.cluster = {}; }
  SUBCASE("nodes of a rack") { d.cluster.nvlink_domain = 64; }
  SUBCASE("a GPU of nobody's") {
    d.cluster.gpu = {.memory = bytes{80},
                     .usable_memory = bytes{79},
                     .bf16_flops = 1,
                     .fp8_flops = 2,
                     .fp4_flops = 3,
                     .memory_bandwidth = bytes{6},
                     .nvlink_bandwidth = bytes{4},
                     .network_bandwidth = bytes{5}};
  }
  SUBCASE("even") { d.layout = layout::even(); }
  SUBCASE("embedding and loss as layers") { d.layout = layout::even_with(true, false); }
  SUBCASE("balanced") { d.layout = layout::balanced(); }
  SUBCASE("first and last") { d.layout = layout::first_last(8, {}); }
  SUBCASE("Megatron-LM's string") { d.layout = parse_megatron_layout("Et*3|(tt|)*29,m|L").value; }
  SUBCASE("every member of training") {
    d.workload = training{
        .micro_batch = 2,
        .sequence_length = 8192,
        .recompute = recompute::selective,
        .context = context_exchange::all_to_all,
        .dispatcher = token_dispatcher::deepep,
        .routing = {.balancing = load_balancing::sequence_auxiliary_loss,
                    .capacity_factor = {5, 4},
                    .pad_to_capacity = true,
                    .pre_softmax = true},
        .overlap = {.tensor_parallel = true, .shared_experts = true, .expert_parallel = true, .delayed_weight_gradient = true},
        .dp_replicate = 2,
        .precision = {.gradients = number_type::bf16, .fp8 = fp8_recipe::blockwise},
        .sharding = sharding::optimizer,
        .optimizer_offload = {1, 3125},
        .schedule = schedule::dualpipe,
        .kernels = {.flash_attention = false},
        .assumptions = assumptions::memory_analysis(),
        .vocabulary_multiple = 64};
  }
  SUBCASE("serving") {
    d.workload = serving{.batch = 256,
                         .sequence_length = 4096,
                         .redundant_experts = 32,
                         .decode_context = 8,
                         .data_parallelism = data_parallelism::replicas,
                         .elastic_ep = true,
                         .vocabulary_multiple = 0,
                         .weights = weight_format::fp8_block,
                         .reserve = bytes{1}};
  }
  SUBCASE("a profile") { d.profile = profile::universal; }
  CHECK(read_again(d) == d);
}

TEST_CASE("models are written as a deployment file gives them") {
  CHECK(written({}, io::model_at("models/config.json")).find("\"config\": \"models/config.json\"") != std::string::npos);
  CHECK(written({}, {}).find("\"model\"") == std::string::npos);
  const io::json_document document =
      io::parse_json(R"({"a": [1, -2.50, null], "b": {"c": false}, "d": 99999999999999999999})", "x");
  const std::string text = written({}, document.root);
  for (const char* part : {"-2.50", "null", "false", "99999999999999999999"}) CHECK(text.find(part) != std::string::npos);
}
