// A file of loads: any bytes are read or refused; what is read is judged, and placed where its sizes belong together.
#include <moeplan/io/loads_file.hpp>

#include <cmath>
#include <sstream>
#include <vector>

#include <moeplan/balance/best_placement.hpp>
#include <moeplan/balance/eplb.hpp>
#include <moeplan/io/heat_map_svg.hpp>
#include <moeplan/io/placement_words.hpp>

#include "expect.hpp"

namespace moeplan_fuzz {

namespace {

using moeplan::placement_policy;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

/// A placement in storage of just the size that is asked for, so that the address sanitizer sees what reaches beyond.
struct placed {
  std::vector<std::int32_t> physical_to_logical;
  std::vector<std::int32_t> logical_count;

  explicit placed(const moeplan::placement_shape& s) : physical_to_logical(size(s.slots)), logical_count(size(s.experts)) {}
};

void expect_words(const moeplan::placement_error& e, const moeplan::placement_shape& s, placement_policy policy) {
  const moeplan::io::placement_finding f = moeplan::io::words_of(e, s);
  expect(!f.rule.empty() && !f.message.empty() && f.message.find('%') == std::string::npos, "a problem has words");
  for (const std::int64_t value : f.legal) {
    moeplan::placement_shape better = s;
    if (f.changes == "replicas") better.slots = value;
    if (f.changes == "groups") better.groups = value;
    if (f.changes == "nodes") better.nodes = value;
    expect(better != s, "a legal value is not the one that stands there");
    const moeplan::placement_error left = moeplan::check_shape(better, policy);
    expect(left.problem != e.problem, "a legal value satisfies the rule");
  }
}

/// Whether a placement is one, and what is said of it holds.
void expect_placed(const moeplan::placement_shape& s, const std::vector<std::int64_t>& loads, const placed& p,
                   placement_policy policy) {
  std::vector<std::int32_t> copies(loads.size());
  expect(moeplan::check_placement(s, p.physical_to_logical, copies).ok(), "every slot holds an expert, every expert has a slot");
  expect(copies == p.logical_count, "copies are counted");
  const moeplan::placement_view view{s, loads, p.physical_to_logical, p.logical_count};
  const moeplan::placement_quality q = moeplan::evaluate(view);
  expect(std::isfinite(q.max_load) && q.max_over_mean() >= 1 - 1e-9, "the busiest GPU carries the mean at least");
  if (policy == placement_policy::hierarchical)
    expect(moeplan::groups_stay_on_their_node(view), "the hierarchical policy keeps groups on their node");
  const moeplan::placement_shape sizes = moeplan::sizes_under(policy, s);
  std::vector<std::int64_t> scratch(size(moeplan::placement_bound_scratch(sizes)));
  const moeplan::placement_bound bound = moeplan::bound_placement(sizes, loads, policy, scratch);
  expect(bound.error.ok() && bound.max_load <= q.max_load * (1 + 1e-12), "no placement is below the bound");
  expect(bound.max_over_mean >= 1 - 1e-9, "the bound is the mean at least");
}

void expect_eplb(const moeplan::placement_shape& s, const std::vector<std::int64_t>& loads) {
  placed p{s};
  std::vector<std::uint64_t> words(size(moeplan::eplb_storage_words(s)));
  expect(moeplan::eplb(s, loads, p.physical_to_logical, p.logical_count, words).ok(), "EPLB places what has been checked");
  expect_placed(s, loads, p, moeplan::eplb_policy(s));
}

void expect_best(const moeplan::placement_shape& s, const std::vector<std::int64_t>& loads, placement_policy policy) {
  placed p{s};
  std::vector<std::int64_t> scratch(size(moeplan::best_placement_scratch(s)));
  const moeplan::found_placement found =
      moeplan::best_placement(s, loads, {.policy = policy}, p.physical_to_logical, p.logical_count, scratch);
  expect(found.error.ok(), "the search places what has been checked");
  expect_placed(s, loads, p, policy);
  expect(found.quality == moeplan::evaluate({s, loads, p.physical_to_logical, p.logical_count}), "it says how good it is");
}

void expect_drawn(const std::vector<std::int64_t>& loads) {
  moeplan::io::heat_map map{.title = "loads", .rows = {{}}};
  for (const std::int64_t load : loads) map.rows[0].push_back(static_cast<double>(load));
  std::ostringstream out;
  moeplan::io::write_heat_maps(out, {map});
  expect(out.str().find("nan") == std::string::npos && out.str().find("inf") == std::string::npos, "a picture has numbers");
}

void judge(const moeplan::io::loads_file& file) {
  const moeplan::placement_shape& s = file.shape;
  for (const placement_policy policy : {placement_policy::hierarchical, placement_policy::global})
    if (const moeplan::placement_error e = moeplan::check_shape(s, policy); !e.ok()) expect_words(e, s, policy);
  const placement_policy policy = moeplan::eplb_policy(s);
  if (!moeplan::check_shape(s, policy).ok() || s.slots > 512) return;
  for (const std::vector<std::int32_t>& previous : file.previous) {
    std::vector<std::int32_t> copies(size(s.experts));
    if (const moeplan::placement_error e = moeplan::check_placement(s, previous, copies); !e.ok()) expect_words(e, s, policy);
  }
  const std::size_t few = file.loads.size() < 4 ? file.loads.size() : 4;
  for (std::size_t layer = 0; layer < few; ++layer) {
    expect(moeplan::check_loads(s, file.loads[layer]).ok(), "what has been read are loads");
    expect_eplb(s, file.loads[layer]);
    expect_best(moeplan::sizes_under(policy, s), file.loads[layer], policy);
    expect_drawn(file.loads[layer]);
  }
}

} // namespace

void run(std::string_view input) {
  try {
    judge(moeplan::io::read_loads(moeplan::io::parse_json(input, "loads.json")));
  } catch (const moeplan::io::input_error& e) { expect(e.what()[0] != '\0', "a refusal says why"); }
}

} // namespace moeplan_fuzz
