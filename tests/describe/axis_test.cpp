#include <moeplan/describe/axis.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("every axis has its name", [] {
  EXPECT(name_of(axis::tp) == "tp");
  EXPECT(name_of(axis::pp) == "pp");
  EXPECT(name_of(axis::vpp) == "vpp");
  EXPECT(name_of(axis::ep) == "ep");
  EXPECT(name_of(axis::etp) == "etp");
  EXPECT(name_of(axis::dp) == "dp");
  EXPECT(name_of(axis::cp) == "cp");
  EXPECT(name_of(axis::sp) == "sp");
  EXPECT(name_of(axis::edp) == "edp");
});

static_assert(static_cast<std::size_t>(axis::edp) + 1 == axis_count);

} // namespace
