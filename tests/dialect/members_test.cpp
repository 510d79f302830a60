// Whether every dialect has something to say of every member of training and serving: a flag, or a sentence that it cannot.
#include <doctest/doctest.h>

#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/dialect/dialect.hpp>

#include <cstddef>
#include <string>

#include "io/member_count.hpp"

using namespace moeplan;
using namespace moeplan_test;
using dialect::framework;

namespace {

/// A member, under the name that sentences begin with, and another value of it than the one in the base below.
template <class T>
struct change {
  const char* member;
  void (*make)(T&);
};

const change<training> training_changes[] = {
    {"global_batch", [](training& t) { t.global_batch = 128; }},
    {"micro_batch", [](training& t) { t.micro_batch = 2; }},
    {"sequence_length", [](training& t) { t.sequence_length = 8192; }},
    {"recompute", [](training& t) { t.recompute = recompute::full; }},
    {"recompute_modules/core_attention", [](training& t) { t.recompute_modules = {.core_attention = false, .mlp = true}; }},
    {"recompute_modules/mlp", [](training& t) { t.recompute_modules.mlp = true; }},
    {"recompute_modules/moe", [](training& t) { t.recompute_modules.moe = true; }},
    {"recompute_modules/moe_activation", [](training& t) { t.recompute_modules.moe_activation = true; }},
    {"recompute_modules/layer_norm", [](training& t) { t.recompute_modules.layer_norm = true; }},
    {"recompute_modules/latent_up_projection", [](training& t) { t.recompute_modules.latent_up_projection = true; }},
    {"recompute_modules/shared_experts", [](training& t) { t.recompute_modules.shared_experts = true; }},
    {"recompute_method", [](training& t) { t.recompute_method = recompute_method::block; }},
    {"recompute_layers", [](training& t) { t.recompute_layers = 2; }},
    {"context", [](training& t) { t.context = context_exchange::all_to_all; }},
    {"dispatcher", [](training& t) { t.dispatcher = token_dispatcher::deepep; }},
    {"routing/balancing", [](training& t) { t.routing.balancing = load_balancing::sinkhorn; }},
    {"routing/capacity_factor",
     [](training& t) {
       t.routing.capacity_factor = {5, 4};
     }},
    {"routing/pad_to_capacity", [](training& t) { t.routing.pad_to_capacity = true; }},
    {"routing/pre_softmax", [](training& t) { t.routing.pre_softmax = true; }},
    {"routing/load", [](training& t) { t.routing.load = routing_load::worst; }},
    {"routing/busiest_share",
     [](training& t) {
       t.routing.busiest_share = {1, 2};
     }},
    {"overlap/tensor_parallel", [](training& t) { t.overlap.tensor_parallel = true; }},
    {"overlap/shared_experts", [](training& t) { t.overlap.shared_experts = true; }},
    {"overlap/expert_parallel", [](training& t) { t.overlap.expert_parallel = true; }},
    {"overlap/delayed_weight_gradient", [](training& t) { t.overlap.delayed_weight_gradient = true; }},
    {"dp_replicate", [](training& t) { t.dp_replicate = 2; }},
    {"precision/weights", [](training& t) { t.precision.weights = number_type::fp16; }},
    {"precision/gradients", [](training& t) { t.precision.gradients = number_type::bf16; }},
    {"precision/master_weights", [](training& t) { t.precision.master_weights = number_type::bf16; }},
    {"precision/first_moment", [](training& t) { t.precision.first_moment = number_type::bf16; }},
    {"precision/second_moment", [](training& t) { t.precision.second_moment = number_type::bf16; }},
    {"precision/fp8", [](training& t) { t.precision.fp8 = fp8_recipe::blockwise; }},
    {"precision/fp8_weights", [](training& t) { t.precision.fp8_weights = true; }},
    {"optimizer", [](training& t) { t.optimizer = optimizer::sgd_momentum; }},
    {"sharding", [](training& t) { t.sharding = sharding::gradients; }},
    {"optimizer_offload",
     [](training& t) {
       t.optimizer_offload = {1, 2};
     }},
    {"schedule", [](training& t) { t.schedule = schedule::zb_h1; }},
    {"kernels/flash_attention", [](training& t) { t.kernels.flash_attention = false; }},
    {"kernels/fused_cross_entropy", [](training& t) { t.kernels.fused_cross_entropy = true; }},
    {"kernels/fused_weight_gradient", [](training& t) { t.kernels.fused_weight_gradient = false; }},
    {"kernels/attention_dropout", [](training& t) { t.kernels.attention_dropout = true; }},
    {"kernels/hidden_dropout", [](training& t) { t.kernels.hidden_dropout = true; }},
    {"assumptions/latent_down_projections", [](training& t) { t.assumptions.latent_down_projections = held::sharded; }},
    {"assumptions/latent_rope_queries", [](training& t) { t.assumptions.latent_rope_queries = held::replicated; }},
    {"assumptions/shared_experts", [](training& t) { t.assumptions.shared_experts = held::replicated; }},
    {"assumptions/shared_experts_state", [](training& t) { t.assumptions.shared_experts_state = state_group::experts; }},
    {"assumptions/router_state", [](training& t) { t.assumptions.router_state = state_group::experts; }},
    {"assumptions/dense_states", [](training& t) { t.assumptions.dense_states = dense_shards::dp_ranks; }},
    {"reserve_bytes", [](training& t) { t.reserve = bytes{5}; }},
    {"vocabulary_multiple", [](training& t) { t.vocabulary_multiple = 64; }},
};

const change<serving> serving_changes[] = {
    {"batch", [](serving& v) { v.batch = 8; }},
    {"sequence_length", [](serving& v) { v.sequence_length = 8192; }},
    {"redundant_experts", [](serving& v) { v.redundant_experts = 8; }},
    {"decode_context", [](serving& v) { v.decode_context = 2; }},
    {"data_parallelism", [](serving& v) { v.data_parallelism = data_parallelism::replicas; }},
    {"elastic_ep", [](serving& v) { v.elastic_ep = true; }},
    {"vocabulary_multiple", [](serving& v) { v.vocabulary_multiple = 64; }},
    {"weights", [](serving& v) { v.weights = weight_format::fp8_block; }},
    {"quantised", [](serving& v) { v.quantised = quantised_parts::mlps; }},
    {"cache", [](serving& v) { v.cache = cache_format::fp8; }},
    {"block_size", [](serving& v) { v.block_size = 64; }},
    {"windows", [](serving& v) { v.windows = windowed_cache::all; }},
    {"step_tokens", [](serving& v) { v.step_tokens = 2048; }},
    {"linear_state", [](serving& v) { v.linear_state = number_type::fp32; }},
    {"drafts", [](serving& v) { v.drafts = true; }},
    {"absorbed_projections", [](serving& v) { v.absorbed_projections = true; }},
    {"reserve_bytes", [](serving& v) { v.reserve = bytes{5}; }},
};

deployment base_of(framework f) {
  deployment d{.model = catalog::mixtral_8x7b, .cluster = {.total = 8}, .strategy = {ep{8}}};
  if (trains(f))
    d.workload = training{
        .global_batch = 64, .sequence_length = 4096, .dispatcher = token_dispatcher::all_to_all, .sharding = sharding::parameters};
  else
    d.workload = serving{.sequence_length = 4096};
  return d;
}

bool begins_with(const std::string& whole, const std::string& beginning) { return whole.rfind(beginning, 0) == 0; }

/// Whether a sentence is about the member, or about the aggregate that it is in.
bool is_about(const std::string& sentence, const std::string& member) {
  const std::string aggregate = member.substr(0, member.find('/'));
  for (const std::string& name : {member, aggregate})
    if (begins_with(sentence, name + ' ') || begins_with(sentence, name + ':')) return true;
  return false;
}

/// That the change is in the flags, and read from them again, or else in a sentence.
void expect_said(framework f, const deployment& changed, const std::string& member) {
  const dialect::writing before = dialect::write(f, base_of(f));
  const dialect::writing after = dialect::write(f, changed);
  bool in_a_sentence = false;
  for (const auto& sentence : after.cannot_express)
    in_a_sentence = in_a_sentence || is_about({sentence.data(), sentence.size()}, member);
  CAPTURE(std::string(name_of(f).data(), name_of(f).size()));
  CAPTURE(member);
  CAPTURE(std::string(after.flags.data(), after.flags.size()));
  const bool in_flags = !(text{before.flags} == text{after.flags});
  CHECK((in_flags || in_a_sentence));
  if (in_a_sentence || after.cannot_express.size() > before.cannot_express.size()) return;
  // What else a framework cannot say of the base, the base of the reading says.
  const dialect::reading again = dialect::read(f, text{after.flags}, base_of(f));
  REQUIRE(again.ok());
  CHECK(dialect::same(changed, again.deployment));
}

/// How many of the changes are of that aggregate.
template <class T, std::size_t Count>
std::size_t changes_within(const change<T> (&changes)[Count], const std::string& aggregate) {
  std::size_t found = 0;
  for (const auto& c : changes) found += begins_with(c.member, aggregate + '/') ? 1 : 0;
  return found;
}

} // namespace

// A member that is added to a description and to none of the lists above is one that no dialect has been taught.
TEST_CASE("the changes are of every member") {
  CHECK(changes_within(training_changes, "recompute_modules") == members_of<recompute_modules>());
  CHECK(changes_within(training_changes, "routing") == members_of<routing>());
  CHECK(changes_within(training_changes, "overlap") == members_of<overlap>());
  CHECK(changes_within(training_changes, "precision") == members_of<precision>());
  CHECK(changes_within(training_changes, "kernels") == members_of<kernels>());
  CHECK(changes_within(training_changes, "assumptions") == members_of<assumptions>());
  std::size_t whole = 0;
  for (const auto& c : training_changes) whole += std::string{c.member}.find('/') == std::string::npos ? 1 : 0;
  constexpr std::size_t aggregates = 6;
  CHECK(whole + aggregates == members_of<training>());
  CHECK(std::size(serving_changes) == members_of<serving>());
}

TEST_CASE("no member is dropped silently") {
  for (const framework f : dialect::frameworks) {
    if (trains(f)) {
      for (const auto& c : training_changes) {
        deployment d = base_of(f);
        c.make(d.workload.train);
        expect_said(f, d, c.member);
      }
    } else {
      for (const auto& c : serving_changes) {
        deployment d = base_of(f);
        c.make(d.workload.serve);
        expect_said(f, d, c.member);
      }
    }
  }
}
