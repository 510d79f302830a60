#include <moeplan/describe/sparse_indexer.hpp>

#include "support/as_template_argument.hpp"
#include "support/both_times.hpp"

using namespace moeplan;

namespace {

BOTH_TIMES("no indexer unless described", [] {
  EXPECT(sparse_indexer{}.heads == 0);
  EXPECT(sparse_indexer{.heads = 64, .head_dim = 128, .top_k = 2048} ==
         sparse_indexer{.heads = 64, .head_dim = 128, .top_k = 2048});
  EXPECT(sparse_indexer{.heads = 64} != sparse_indexer{});
});

using moeplan_test::name_the_same_type;
static_assert(name_the_same_type<sparse_indexer{.heads = 64}, sparse_indexer{.heads = 64}>);
static_assert(!name_the_same_type<sparse_indexer{.heads = 64}, sparse_indexer{}>);

} // namespace
