#include <moeplan/mesh/group_axes.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr bool reads_as(text written, group_axes meant) {
  const auto read = group_axes::parse(written);
  return read.ok() && read.value == meant;
}

constexpr bool refused(text written, text problem, text found, std::size_t position) {
  const auto read = group_axes::parse(written);
  return !read && read.error.problem == problem && read.error.found == found && read.error.position == position;
}

BOTH_TIMES("single axes", [] {
  EXPECT(reads_as("tp", groups::tp));
  EXPECT(reads_as("cp", groups::cp));
  EXPECT(reads_as("dp", groups::dp));
  EXPECT(reads_as("pp", groups::pp));
  EXPECT(reads_as("etp", groups::etp));
  EXPECT(reads_as("ep", groups::ep));
  EXPECT(reads_as("edp", groups::edp));
});

BOTH_TIMES("joins in any spelling", [] {
  EXPECT(reads_as("tp-cp", groups::tp_cp));
  EXPECT(reads_as("cp-tp", groups::tp_cp));
  EXPECT(reads_as("dp-cp", groups::dp_cp));
  EXPECT(reads_as("CP-DP", groups::dp_cp));
  EXPECT(reads_as("tp-dp", groups::tp_dp));
  EXPECT(reads_as("pp-tp", groups::tp_pp));
  EXPECT(reads_as("cp-tp-dp", groups::tp_dp_cp));
  EXPECT(reads_as("dp-cp-tp", groups::tp_dp_cp));
  EXPECT(reads_as("ep-etp", groups::etp_ep));
  EXPECT(reads_as("pp-ep-etp", groups::etp_ep_pp));
  EXPECT(reads_as("pp-ep", {grid_kind::expert, 0b1010}));
});

BOTH_TIMES("what is no group is refused where it goes wrong", [] {
  EXPECT(refused("", "not an axis that a group can span", "", 0));
  EXPECT(refused("tpp", "not an axis that a group can span", "tpp", 0));
  EXPECT(refused("tp-", "not an axis that a group can span", "", 3));
  EXPECT(refused("-tp", "not an axis that a group can span", "", 0));
  EXPECT(refused("tp--cp", "not an axis that a group can span", "", 3));
  EXPECT(refused("tp cp", "not an axis that a group can span", "tp cp", 0));
  EXPECT(refused("vpp", "not an axis that a group can span", "vpp", 0));
  EXPECT(refused("dp-sp", "not an axis that a group can span", "sp", 3));
  EXPECT(refused("tp-cp-tp", "an axis stands twice in a group", "tp", 6));
  EXPECT(refused("ep-pp-ep", "an axis stands twice in a group", "ep", 6));
  EXPECT(refused("tp-cp-ep", "a group spans axes of both grids", "ep", 6));
  EXPECT(refused("ep-dp", "a group spans axes of both grids", "dp", 3));
  EXPECT(refused("pp-etp-dp", "a group spans axes of both grids", "dp", 7));
});

} // namespace
