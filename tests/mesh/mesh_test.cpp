#include <moeplan/mesh/mesh.hpp>

#include "support/both_times.hpp"

using namespace moeplan;

namespace {

constexpr mesh deepseek_v3{strategy{pp{16}, ep{64}, dp{128}}};

/// Whether a group is first, first + stride, ... `size` times.
constexpr bool is_run(const rank_group& group, std::int64_t first, std::int64_t stride, std::int64_t size) {
  if (group.size() != size) return false;
  std::int64_t expected = first;
  for (const std::int64_t rank : group) {
    if (rank != expected) return false;
    expected += stride;
  }
  return true;
}

BOTH_TIMES("DeepSeek-V3's training on 2048 GPUs", [] {
  EXPECT(deepseek_v3.world() == 2048);
  EXPECT(deepseek_v3.dense() == dense_coordinates{.tp = 1, .cp = 1, .dp = 128, .pp = 16});
  EXPECT(deepseek_v3.expert() == expert_coordinates{.etp = 1, .ep = 64, .edp = 2, .pp = 16}); // "2-way expert data parallel"
  // Of the 128 ranks of a stage, EP takes 64 neighbours: eight nodes.
  EXPECT(is_run(deepseek_v3.group(groups::ep, 200), 192, 1, 64));
  EXPECT(is_run(deepseek_v3.group(groups::edp, 200), 136, 64, 2));
  EXPECT(is_run(deepseek_v3.group(groups::dp, 200), 128, 1, 128));
  EXPECT(is_run(deepseek_v3.group(groups::pp, 200), 72, 128, 16));
  EXPECT(deepseek_v3.dense_at(200) == dense_coordinates{.tp = 0, .cp = 0, .dp = 72, .pp = 1});
  EXPECT(deepseek_v3.expert_at(200) == expert_coordinates{.etp = 0, .ep = 8, .edp = 1, .pp = 1});
});

// Groups printed by Megatron-LM's RankGenerator, order tp-cp-ep-dp-pp.
BOTH_TIMES("16 ranks with TP2 PP2 EP4", [] {
  const mesh m{strategy{tp{2}, pp{2}, ep{4}, dp{4}}};
  EXPECT(m.expert().edp == 2);
  EXPECT(is_run(m.groups(groups::dp)[0], 0, 2, 4));
  EXPECT(is_run(m.groups(groups::dp)[3], 9, 2, 4));
  EXPECT(is_run(m.groups(groups::ep)[3], 12, 1, 4));
  EXPECT(is_run(m.groups(groups::edp)[2], 2, 4, 2));
  EXPECT(is_run(m.groups(groups::edp)[4], 8, 4, 2));
  EXPECT(is_run(m.groups(groups::pp)[5], 5, 8, 2));
});

BOTH_TIMES("16 ranks with TP2 CP2 EP4 ETP2", [] {
  const mesh m{strategy{tp{2}, cp{2}, ep{4}, etp{2}, dp{4}}};
  EXPECT(m.expert().edp == 2);
  EXPECT(is_run(m.groups(groups::cp)[2], 4, 2, 2));
  EXPECT(is_run(m.groups(groups::dp)[0], 0, 4, 4));
  EXPECT(is_run(m.groups(groups::ep)[1], 1, 2, 4));
  EXPECT(is_run(m.groups(groups::ep)[2], 8, 2, 4));
  EXPECT(is_run(m.groups(groups::edp)[7], 7, 8, 2));
});

BOTH_TIMES("32 ranks with CP16 EP8", [] {
  const mesh m{strategy{cp{16}, ep{8}, dp{2}}};
  EXPECT(m.expert().edp == 4);
  EXPECT(is_run(m.groups(groups::cp)[1], 16, 1, 16));
  EXPECT(is_run(m.groups(groups::dp)[3], 3, 16, 2));
  EXPECT(is_run(m.groups(groups::ep)[1], 8, 1, 8));
  EXPECT(is_run(m.groups(groups::edp)[3], 3, 8, 4));
});

BOTH_TIMES("EP may exceed DP", [] {
  const mesh m{strategy{tp{2}, cp{2}, ep{8}, dp{2}}};
  EXPECT(m.expert().edp == 1);
  EXPECT(is_run(m.group(groups::ep, 5), 0, 1, 8));
});

BOTH_TIMES("the order says which axis varies fastest", [] {
  const strategy s{tp{2}, pp{2}, dp{2}};
  EXPECT(mesh{s}.rank(dense_coordinates{.pp = 1}) == 4);
  EXPECT(mesh{s.with(rank_order{"tp-cp-ep-pp-dp"})}.rank(dense_coordinates{.pp = 1}) == 2);
  EXPECT(mesh{s.with(rank_order{"pp-dp-tp"})}.rank(dense_coordinates{.tp = 1}) == 4);
});

BOTH_TIMES("ranks and coordinates lead to each other on both grids", [] {
  const mesh m{strategy{tp{2}, cp{3}, pp{2}, ep{6}, dp{4}, rank_order{"ep-pp-tp-dp-cp"}}};
  for (std::int64_t rank = 0; rank < m.world(); ++rank) {
    EXPECT(m.rank(m.dense_at(rank)) == rank);
    EXPECT(m.rank(m.expert_at(rank)) == rank);
  }
});

BOTH_TIMES("ranks may begin anywhere", [] {
  const strategy s{tp{2}, pp{2}, ep{2}, dp{2}};
  const mesh here{s};
  const mesh there{s, 16};
  for (std::int64_t rank = 0; rank < 8; ++rank) {
    EXPECT(there.dense_at(16 + rank) == here.dense_at(rank));
    EXPECT(there.expert_at(16 + rank) == here.expert_at(rank));
    EXPECT(there.rank(there.dense_at(16 + rank)) == 16 + rank);
    EXPECT(there.group(groups::dp, 16 + rank).front() == 16 + here.group(groups::dp, rank).front());
  }
});

BOTH_TIMES("embedding groups are the first and the last stage", [] {
  const mesh m{strategy{tp{2}, pp{4}, dp{2}}};
  EXPECT(m.embedding_groups().size() == 4);
  EXPECT(is_run(m.embedding_groups()[1], 1, 12, 2));
  EXPECT(is_run(mesh{strategy{tp{2}, dp{2}}}.embedding_groups()[1], 1, 1, 1));
});

BOTH_TIMES("a world beyond 2^32 ranks", [] {
  constexpr std::int64_t large = std::int64_t{1} << 20;
  const mesh m{strategy{tp{8}, cp{3}, pp{large}, ep{12}, dp{large}}};
  EXPECT(m.world() == 24 * large * large);
  const dense_coordinates dense{.tp = 5, .cp = 2, .dp = large - 1, .pp = large - 2};
  EXPECT(m.rank(dense) == 5 + 8 * (2 + 3 * (large - 1 + large * (large - 2))));
  EXPECT(m.dense_at(m.rank(dense)) == dense);
  const expert_coordinates expert{.etp = 0, .ep = 11, .edp = 2 * large - 1, .pp = large - 1};
  EXPECT(m.rank(expert) == m.world() - 1);
  EXPECT(m.expert_at(m.world() - 1) == expert);
});

BOTH_TIMES("a static mesh is the mesh", [] {
  constexpr strategy s{tp{2}, pp{2}, ep{4}, dp{4}};
  EXPECT(static_mesh<s> == mesh{s});
});

static_assert(static_mesh<strategy{pp{16}, ep{64}, dp{128}}>.expert().edp == 2);

} // namespace

TEST_CASE("a strategy without a mesh gives a world of nobody") {
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK(mesh{strategy{mapping::product, tp{2}, dp{2}}}.world() == 0);
  CHECK(mesh{strategy{tp{2}, pp{2}}}.world() == 0); // no DP
  CHECK(mesh{strategy{tp{2}, dp{2}, ep{3}}}.world() == 0);
  CHECK(mesh{strategy{tp{0}, dp{2}}}.world() == 0);
  CHECK(mesh{strategy{pp{0}, dp{2}}}.world() == 0);
  CHECK(mesh{strategy{pp{-1}, dp{2}}}.world() == 0);
  CHECK(mesh{strategy{tp{-2}, dp{-2}}}.world() == 0);
  CHECK(mesh{strategy{dp{8}, ep{-2}, etp{-2}}}.world() == 0);
  CHECK(mesh{strategy{dp{8}, ep{0}}}.world() == 0);
  CHECK(mesh{strategy{tp{huge}, cp{huge}, dp{1}}}.world() == 0);
  CHECK(mesh{strategy{dp{8}, ep{huge}, etp{huge}}}.world() == 0);
  CHECK(mesh{strategy{tp{std::int64_t{1} << 32}, dp{std::int64_t{1} << 31}}}.world() == 0); // 2^63 is no rank any more
}
