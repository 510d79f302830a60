#include <moeplan/search/search_space.hpp>

#include <doctest/doctest.h>

#include "support/both_times.hpp"

using namespace moeplan;

BOTH_TIMES("a number is free unless values are given, and those of training are as described", [] {
  const search_space s;
  EXPECT(s.tp == search_values{});
  EXPECT(s.tp.what == search_values::kind::free);
  EXPECT(s.micro_batch.what == search_values::kind::described);
  EXPECT(s.layouts.empty());
  const search_values pinned = 8;
  EXPECT(pinned.what == search_values::kind::listed);
  EXPECT(pinned.list.size() == 1);
  const search_values listed{1, 2, 4};
  EXPECT(listed.list[2] == 4);
  EXPECT(!(listed == pinned));
  EXPECT(search_values::as_described().list.empty());
});

BOTH_TIMES("layouts by name", [] {
  const layout own = layout::first_last(3, 4);
  EXPECT(detail::layout_of(search_layout::described, own) == own);
  EXPECT(detail::layout_of(search_layout::even, own) == layout::even());
  EXPECT(detail::layout_of(search_layout::embedding_as_layer, own) == layout::even_with(true, false));
  EXPECT(detail::layout_of(search_layout::loss_as_layer, own) == layout::even_with(false, true));
  EXPECT(detail::layout_of(search_layout::both_as_layers, own) == layout::even_with(true, true));
  EXPECT(detail::layout_of(search_layout::balanced, own) == layout::balanced());
});
