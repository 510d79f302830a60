#include <moeplan/pipeline/pass_times.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("each kind of pass has its time", [] {
  const pass_times t{.forward = 2, .backward = 3, .input_gradient = 5, .weight_gradient = 7, .forward_and_backward = 11};
  EXPECT(t[pass::forward] == 2);
  EXPECT(t[pass::backward] == 3);
  EXPECT(t[pass::input_gradient] == 5);
  EXPECT(t[pass::weight_gradient] == 7);
  EXPECT(t[pass::forward_and_backward] == 11);
});

// arXiv 2401.10241, figure 3: a forward pass and either half of a backward pass take one unit.
BOTH_TIMES("the unit of the papers", [] {
  const pass_times t;
  EXPECT(t.forward == 1);
  EXPECT(t.input_gradient == 1);
  EXPECT(t.weight_gradient == 1);
  EXPECT(t.backward == t.input_gradient + t.weight_gradient);
  EXPECT(t.forward_and_backward == t.forward + t.backward);
});

} // namespace
