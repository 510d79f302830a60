#include <doctest/doctest.h>

#include <moeplan/io/placement_words.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace moeplan;
using namespace moeplan::io;
using numbers = std::vector<std::int64_t>;

namespace {

placement_finding finding_of(const placement_shape& s) {
  const placement_error e = check_shape(s, eplb_policy(s));
  REQUIRE(!e.ok());
  return words_of(e, s);
}

} // namespace

TEST_CASE("a finding has a rule, a sentence with its numbers, and the nearest legal values") {
  const placement_finding f = finding_of({.experts = 256, .slots = 290, .groups = 8, .nodes = 4, .gpus = 32});
  CHECK(f.rule == "gpus_divide_replicas");
  CHECK(f.message == "The number of replicas, 290, is no multiple of the number of GPUs, 32: each GPU holds as many.");
  REQUIRE(f.operands.size() == 2);
  CHECK(f.operands[0].name == "replicas");
  CHECK(f.operands[0].value == 290);
  CHECK(f.operands[1].name == "gpus");
  CHECK(f.operands[1].value == 32);
  CHECK(f.changes == "replicas");
  CHECK(f.legal == numbers{288, 320});
}

TEST_CASE("replicas that would be too few for the experts are no legal ones") {
  CHECK(finding_of({.experts = 256, .slots = 260, .gpus = 32}).legal == numbers{256, 288});
  CHECK(finding_of({.experts = 257, .slots = 260, .gpus = 32}).legal == numbers{288});
  CHECK(finding_of({.experts = 257, .slots = 256, .gpus = 32}).legal == numbers{288});
  CHECK(finding_of({.experts = 4, .slots = 5, .gpus = std::int64_t{1} << 40}).legal.empty()); // there are not so many slots
}

TEST_CASE("groups and nodes") {
  const placement_finding groups = finding_of({.experts = 256, .slots = 288, .groups = 12, .nodes = 4, .gpus = 32});
  CHECK(groups.rule == "groups_divide_experts");
  CHECK(groups.changes == "groups");
  CHECK(groups.legal == numbers{8, 16});
  const placement_finding nodes = finding_of({.experts = 256, .slots = 288, .groups = 24, .nodes = 3, .gpus = 32});
  CHECK(nodes.rule == "groups_divide_experts");
  const placement_finding gpus = finding_of({.experts = 240, .slots = 288, .groups = 24, .nodes = 3, .gpus = 32});
  CHECK(gpus.rule == "nodes_divide_gpus");
  CHECK(gpus.legal == numbers{2, 4});
  // Under the policy that asks for it.
  const placement_shape odd{.experts = 12, .slots = 12, .groups = 6, .nodes = 4, .gpus = 12};
  const placement_finding uneven = words_of(check_shape(odd, placement_policy::hierarchical), odd);
  CHECK(uneven.rule == "nodes_divide_groups");
  CHECK(uneven.changes == "nodes");
  CHECK(uneven.legal == numbers{3, 6});
  const placement_shape one_group{.experts = 2, .slots = 2, .nodes = 2, .gpus = 2};
  CHECK(words_of(check_shape(one_group, placement_policy::hierarchical), one_group).legal == numbers{1});
  CHECK(finding_of({.experts = 1, .slots = 1, .groups = 0}).message == "groups is 0, but all experts are one group at least.");
}

TEST_CASE("every problem has words") {
  for (std::size_t i = 1; i < std::size(io::detail::placement_sentences); ++i) {
    const auto problem = static_cast<placement_problem>(i);
    CHECK(io::detail::placement_sentences[i].problem == problem);
    const placement_finding f = words_of({problem, 123, 456}, {.experts = 6, .slots = 6, .groups = 2, .nodes = 1, .gpus = 2});
    CAPTURE(f.message);
    CHECK(!f.rule.empty());
    CHECK(f.message.find("123") != std::string::npos);
    CHECK((f.operands.size() == 2) == (f.message.find("456") != std::string::npos));
    CHECK(f.message.find('%') == std::string::npos);
    for (const named_number& o : f.operands) CHECK(!o.name.empty());
  }
  CHECK(std::size(io::detail::placement_sentences) == static_cast<std::size_t>(placement_problem::group_on_several_nodes) + 1);
}

TEST_CASE("a legal value is the nearest that satisfies the rule") {
  std::mt19937_64 random{4};
  int judged = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto up_to = [&](std::uint64_t most) { return static_cast<std::int64_t>(random() % most) + 1; };
    placement_shape s;
    s.experts = up_to(30);
    s.slots = up_to(40);
    s.groups = up_to(12);
    s.nodes = up_to(4);
    s.gpus = up_to(12);
    // Either the policy that EPLB takes or, for the groups that it asks of no other, the hierarchical one.
    const placement_error e = check_shape(s, i % 2 == 0 ? eplb_policy(s) : placement_policy::hierarchical);
    if (e.ok()) continue;
    const placement_finding f = words_of(e, s);
    const auto size = [&f](placement_shape& shape) -> std::int64_t& {
      return f.changes == "replicas" ? shape.slots : f.changes == "groups" ? shape.groups : shape.nodes;
    };
    CHECK((f.changes == "replicas" || f.changes == "groups" || f.changes == "nodes"));
    // What solves it: another value of that size for which this problem is gone, under the same policy.
    const auto solves = [&](std::int64_t value) {
      placement_shape better = s;
      size(better) = value;
      if (value < 1 || value == size(s) || value > 1000) return false;
      if (f.changes == "replicas") return value % s.gpus == 0 && value >= s.experts;
      const bool nodes_divide = s.gpus % better.nodes == 0 || f.changes == "groups";
      return nodes_divide && better.groups % better.nodes == 0 &&
             check_shape(better, placement_policy::hierarchical).problem != e.problem;
    };
    const std::int64_t now = size(s);
    numbers expected;
    for (std::int64_t value = now - 1; value >= 1 && expected.empty(); --value)
      if (solves(value)) expected.push_back(value);
    const std::size_t below = expected.size();
    const std::int64_t most = f.changes == "groups" ? s.experts : f.changes == "nodes" ? s.gpus : 1000;
    for (std::int64_t value = now + 1; value <= most && expected.size() == below; ++value)
      if (solves(value)) expected.push_back(value);
    CHECK(f.legal == expected);
    ++judged;
  }
  CHECK(judged > 10'000);
}
