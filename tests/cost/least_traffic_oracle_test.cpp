// The least that links carry, counted rank by rank and domain by domain.
#include <moeplan/cost/least_traffic.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <vector>

#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/mesh.hpp>

#include "number/oracle.hpp"
#include "support/random_numbers.hpp"

using namespace moeplan;
using moeplan_test::random_numbers;
using oracle::fraction;

namespace {

struct counted {
  fraction nvlink;
  fraction network;
  bool mixed = false; ///< some groups lie on one domain, some on several
};

/// Of an array of one byte, on average over the ranks of all groups.
counted count_least(const deployment& d, collective kind, group_axes along) {
  const mesh m{d.strategy};
  counted sum;
  std::int64_t ranks = 0;
  bool inside = false;
  bool outside = false;
  for (const rank_group& group : m.groups(along)) {
    std::map<std::int64_t, std::int64_t> on_domain;
    for (const std::int64_t rank : group) ++on_domain[rank / d.cluster.gpus_per_node.number];
    const auto n = static_cast<std::int64_t>(group.size());
    const auto domains = static_cast<std::int64_t>(on_domain.size());
    (domains == 1 ? inside : outside) = true;
    ranks += n;
    for (const auto& [domain, here] : on_domain) {
      const fraction own{here * (here - 1), n}; // parts that ranks of this domain have for each other
      switch (kind) {
        case collective::all_to_all:
          sum.nvlink += own;
          sum.network += fraction{here * (n - here), n};
          break;
        case collective::all_reduce:
          sum.nvlink += domains == 1 ? fraction{n} : own;
          sum.network += domains == 1 ? 0 : 1;
          break;
        default: // each domain gets, or gives, the parts of the others
          sum.nvlink += own;
          sum.network += fraction{n - here, n};
      }
    }
  }
  sum.nvlink /= ranks;
  sum.network /= ranks;
  sum.mixed = inside && outside;
  return sum;
}

bool near(double value, const fraction& exact) {
  const auto difference = value - exact.convert_to<double>();
  return difference < 1e-12 && -difference < 1e-12;
}

TEST_CASE("what links carry at least, rank by rank") {
  random_numbers draw{41};
  const std::int64_t sizes[] = {1, 1, 2, 2, 3, 4, 6};
  int worlds = 0;
  int mixed = 0;
  while (worlds < 600) {
    deployment d;
    for (const axis a : {axis::tp, axis::cp, axis::dp, axis::ep, axis::etp}) d.strategy.set(a, sizes[draw.below(7)]);
    const strategy& s = d.strategy;
    if (s[axis::tp] * s[axis::cp] * s[axis::dp] % (s[axis::etp] * s[axis::ep]) != 0) continue;
    d.cluster.gpus_per_node = 1 + draw.below(12);
    ++worlds;
    const least_traffic least{d};
    for (const group_axes along : {groups::tp, groups::cp, groups::dp, groups::dp_cp, groups::ep, groups::etp_ep, groups::edp})
      for (const collective kind :
           {collective::all_reduce, collective::all_gather, collective::reduce_scatter, collective::all_to_all}) {
        communication c;
        c.kind = kind;
        c.group = along;
        c.ranks = static_cast<std::int64_t>((*mesh{s}.groups(along).begin()).size());
        if (c.ranks == 1) continue;
        const link_bytes each = least.for_each_byte(c);
        const counted slow = count_least(d, kind, along);
        INFO("world ", worlds, ", kind ", name_of(kind), ", places ", along.places);
        CHECK(near(each.network, slow.network));
        if (kind == collective::all_reduce && slow.mixed) {
          CHECK(each.nvlink <= slow.nvlink.convert_to<double>());
          ++mixed;
        } else {
          CHECK(near(each.nvlink, slow.nvlink));
        }
      }
  }
  CHECK(mixed > 20);
}

} // namespace
