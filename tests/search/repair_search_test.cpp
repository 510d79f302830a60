#include <moeplan/search/repair_search.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;
using detail::is_nearer;

BOTH_TIMES("nearer is: fewer changes, the smaller distance, the cheaper change, the smaller number", [] {
  const repair one{.strategy = {ep{32}}, .changed = {repair_part::ep_size}, .distance = 64};
  const repair two{.changed = {repair_part::micro_batch, repair_part::sp_size}, .distance = 2};
  EXPECT(is_nearer(one, two) && !is_nearer(two, one));
  const repair shorter{.changed = {repair_part::tp_size}, .distance = {7, 2}};
  const repair longer{.changed = {repair_part::micro_batch}, .distance = {8, 2}};
  EXPECT(is_nearer(shorter, longer) && !is_nearer(longer, shorter));
  const repair cheap{.changed = {repair_part::ep_size}, .distance = 4};
  const repair costly{.changed = {repair_part::tp_size}, .distance = {8, 2}};
  EXPECT(is_nearer(cheap, costly) && !is_nearer(costly, cheap));
  const repair small{.strategy = {ep{2}}, .changed = {repair_part::ep_size}, .distance = 2};
  const repair large{.strategy = {ep{8}}, .changed = {repair_part::ep_size}, .distance = 2};
  EXPECT(is_nearer(small, large) && !is_nearer(large, small) && !is_nearer(small, small));
});
