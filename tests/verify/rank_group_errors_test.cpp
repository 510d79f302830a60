// tests/data/rank_group_errors.json holds what Megatron-LM's own initialize_model_parallel accepted and refused; it explains itself.
#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

#include <moeplan/verify/resolve.hpp>

using namespace moeplan;
using json = nlohmann::json;

namespace {

json cases() {
  std::ifstream file{std::string{MOEPLAN_TEST_DATA} + "/rank_group_errors.json"};
  REQUIRE(file.good());
  return json::parse(file).at("cases");
}

/// What these say has no place in a deployment.
struct exclusion {
  std::string_view argument;
  std::string_view reason;
  int cases; ///< how many the file has
};
constexpr exclusion exclusions[] = {
    {"ndo", "several distributed-optimizer instances", 5},
    {"gtp_remat_size", "GTP: weights gathered again over ranks of their own", 2},
    {"expert_gtp_remat_size", "the same for experts", 1},
    {"hierarchical_context_parallel_sizes", "hierarchical context parallelism", 2},
    {"hybrid_context_parallel", "hybrid context parallelism", 2},
};

/// Megatron-LM asks whether the order's text contains "tp", which it does not notice to be missing, for it has itself inserted
/// "gtp_remat" before. It then fails later, on ranks, not on the order. This library reports order_names_tp.
bool is_megatrons_substring_slip(const json& arguments) {
  return arguments.value("order", "tp") == "cp-ep-dp-pp" && arguments.value("tp", 1) != 1;
}

/// ETP is given: absent it is TP in Megatron-LM, 1 in this library.
strategy strategy_of(const json& arguments) {
  const auto size = [&arguments](const char* name, std::int64_t otherwise) { return arguments.value(name, otherwise); };
  strategy s{tp{size("tp", 1)}, pp{size("pp", 1)}, cp{size("cp", 1)}, ep{size("ep", 1)}, etp{size("etp", size("tp", 1))}};
  if (arguments.contains("vpp")) s = s.with(vpp{arguments.at("vpp")});
  if (arguments.contains("order")) {
    const std::string order = arguments.at("order");
    const parsed<rank_order> read = rank_order::parse(order);
    REQUIRE(read);
    s = s.with(read.value);
  }
  return s;
}

/// The rules on what initialize_model_parallel is told. All of them are in the sections on the world and on stages.
findings judge(const strategy& s, std::int64_t world) {
  const deployment d{.cluster = {.total = world}, .strategy = s};
  findings judged = resolve(s, world).findings;
  if (check(d).contains(rule::vpp_needs_pp)) judged.add(rule::vpp_needs_pp);
  return judged;
}

/// The rule whose source is the assertion that Megatron-LM failed.
rule expected_rule(const json& refused) {
  const std::string message = refused.at("msg");
  const auto says = [&message](std::string_view part) { return message.find(part) != std::string::npos; };
  if (says("is not divisible by expert_tensor_model_pipeline_parallel size")) return rule::stage_divides_by_expert_ranks;
  if (says("is not divisible by")) return rule::gpus_divide_by_model_parallel;
  if (says("When not using pp-last rank ordering")) return rule::order_ends_with_pp;
  if (says("Pipeline parallel groups are expected to be the same")) return rule::pipeline_groups_agree;
  if (says("The size of (ep)")) return rule::order_names_ep;
  if (says("The size of (cp)")) return rule::order_names_cp;
  if (says("The size of (pp)")) return rule::order_names_pp;
  if (says("greater than 1 with interleaved schedule")) return rule::vpp_needs_pp;
  if (says("modulo by zero")) return rule::tp_is_at_least_1;
  FAIL("no rule for: " << message);
  return rule::overflow;
}

TEST_CASE("Megatron-LM accepts and refuses the same") {
  int accepted = 0, refused = 0, slips = 0;
  int excluded[std::size(exclusions)]{};
  std::set<rule> seen;
  for (const json& c : cases()) {
    const json& arguments = c.at("args");
    INFO("world " << c.at("world").dump() << ", " << arguments.dump());
    bool out = false;
    for (std::size_t i = 0; i < std::size(exclusions); ++i)
      if (arguments.contains(exclusions[i].argument)) out = ++excluded[i] > 0;
    if (is_megatrons_substring_slip(arguments)) {
      ++slips;
      CHECK(c.at("ok") == false);
      CHECK(judge(strategy_of(arguments), c.at("world")).contains(rule::order_names_tp));
      continue;
    }
    if (out) continue;

    const findings found = judge(strategy_of(arguments), c.at("world"));
    CHECK(found.ok() == c.at("ok"));
    if (c.at("ok") == true) {
      ++accepted;
      continue;
    }
    ++refused;
    const rule expected = expected_rule(c);
    CHECK(found.contains(expected));
    // And nothing else, but that a TP of 0 makes ETP 0 too, and that Megatron-LM did not come to compare the pipeline groups.
    std::size_t others = 0;
    if (found.contains(rule::etp_is_at_least_1)) ++others;
    if (expected == rule::order_ends_with_pp && found.contains(rule::pipeline_groups_agree)) ++others;
    CHECK(found.count(severity::error) == 1 + others);
    CHECK_MESSAGE(std::string{rules::entry(expected).source}.find("Megatron-LM parallel_state.py") ==
                      (expected == rule::tp_is_at_least_1 ? std::string::npos : 0),
                  "the rule names the assertion's file as its source");
    seen.insert(expected);
  }
  CHECK(accepted == 9);
  CHECK(refused == 13);
  CHECK(slips == 1);
  CHECK(seen.size() == 9);
  for (std::size_t i = 0; i < std::size(exclusions); ++i) CHECK_MESSAGE(excluded[i] == exclusions[i].cases, exclusions[i].reason);
}

} // namespace
