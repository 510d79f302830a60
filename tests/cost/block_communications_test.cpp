#include <moeplan/cost/block_communications.hpp>

#include <cstdint>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

using recorder = detail::block_recorder;

BOTH_TIMES("a forward pass, and once more where it is computed again", [] {
  activation_shape shape;
  block_communications list;
  recorder r{shape, list};
  r.begin(traffic_block::dense_mlp, communication_purpose::mlp, true, 2);
  r.forward(collective::all_gather, groups::tp, 4, 1000, "a", 3);
  EXPECT(list.size() == 2);
  EXPECT(list[0].block == traffic_block::dense_mlp && list[0].each.purpose == communication_purpose::mlp);
  EXPECT(list[0].each.pass == communication_pass::forward && list[0].each.times == 3);
  EXPECT(list[1].each.pass == communication_pass::recompute && list[1].each.times == 6);
  EXPECT(list[0].each.size == 1000 && list[0].each.busiest == 1000 && list[0].each.ranks == 4);
  r.recomputes(false);
  r.forward(collective::all_gather, groups::tp, 4, 1000, "b");
  r.backward(collective::reduce_scatter, groups::tp, 4, 1000, "b");
  EXPECT(list.size() == 4);
  EXPECT(list[3].each.pass == communication_pass::backward && list[3].each.kind == collective::reduce_scatter);
});

BOTH_TIMES("one rank, or no bytes: nothing", [] {
  activation_shape shape;
  block_communications list;
  recorder r{shape, list};
  r.forward(collective::all_gather, groups::tp, 1, 1000, "a");
  r.backward(collective::all_gather, groups::tp, 4, 0, "a");
  EXPECT(list.empty());
});

BOTH_TIMES("activations in their own type", [] {
  activation_shape shape;
  block_communications list;
  EXPECT(recorder(shape, list).activations(10, 7) == 140);
  shape.type = number_type::fp32;
  EXPECT(recorder(shape, list).activations(10, 7) == 280);
});

BOTH_TIMES("what is computed again", [] {
  activation_shape shape;
  block_communications list;
  const recorder r{shape, list};
  shape.train.recompute = recompute::full;
  EXPECT(r.is_full() && !r.selects(&recompute_modules::core_attention));
  shape.train.recompute = recompute::selective;
  EXPECT(!r.is_full() && r.selects(&recompute_modules::core_attention) && !r.selects(&recompute_modules::moe));
  shape.train.recompute = recompute::none;
  EXPECT(!r.is_full() && !r.selects(&recompute_modules::core_attention));
});

} // namespace
