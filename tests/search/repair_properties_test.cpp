// Repairs of random small deployments, compared with trying every tuple of values.
#include <moeplan/search/repair.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "verify/random_deployment.hpp"

using namespace moeplan;

namespace {

using number = std::int64_t;

number below(std::mt19937_64& bits, number n) { return static_cast<number>(bits() % static_cast<std::uint64_t>(n)); }

/// How near a legal deployment is. The terms are below 2^63 since the deployments are small.
struct nearness {
  std::uint16_t changed = 0;
  std::uint64_t larger = 1, smaller = 1;

  void change(repair_part p) { changed = static_cast<std::uint16_t>(changed | 1U << static_cast<unsigned>(p)); }
  void change(repair_part p, number from, number to) {
    if (from == to) return;
    change(p);
    const auto a = static_cast<std::uint64_t>(from < 1 ? 1 : from);
    const auto b = static_cast<std::uint64_t>(to < 1 ? 1 : to);
    larger *= a < b ? b : a;
    smaller *= a < b ? a : b;
  }
  [[nodiscard]] int changes() const { return __builtin_popcount(changed); }
  [[nodiscard]] bool nearer_among_its_set(const nearness& other) const { return larger * other.smaller < other.larger * smaller; }
  [[nodiscard]] bool operator<(const nearness& other) const {
    if (changes() != other.changes()) return changes() < other.changes();
    if (larger * other.smaller != other.larger * smaller) return larger * other.smaller < other.larger * smaller;
    return changed < other.changed;
  }
};

const layout layouts[] = {layout::even(), layout::even_with(true, false), layout::even_with(false, true),
                          layout::even_with(true, true), layout::balanced()};

/// Every tuple of values that repairs are made of, the given ones among them, calls `visit` with a deployment and how near it is.
template <class Visit>
void visit_tuples(deployment d, repair_parts pinned, Visit visit) {
  d.strategy.mapping = mapping::folded;
  const facts f = facts_of(d);
  const strategy given = d.strategy;
  const number available = f.knows(known::cluster) ? f.available : 0;
  const number largest = available;
  const number sp_given = given[axis::sp];
  const bool sp_is_on = sp_given > 1 && sp_given == given[axis::tp];
  const bool trains = d.workload.is_training();

  const auto values = [&](repair_part p, number of_it, number last, auto divides) {
    std::vector<number> v{of_it};
    if (!pinned.contains(p))
      for (number n = 1; n <= last; ++n)
        if (n != of_it && divides(n)) v.push_back(n);
    return v;
  };
  const auto any = [](number) { return true; };
  const number layers_at_most = d.model.layers + 2 < f.listed_stages ? f.listed_stages : d.model.layers + 2;
  const auto tps = values(repair_part::tp_size, given[axis::tp], largest, any);
  const auto cps = values(repair_part::cp_size, given[axis::cp], largest, [&](number n) { return trains || available % n == 0; });
  const auto pps = values(repair_part::pp_size, given[axis::pp], layers_at_most < largest ? layers_at_most : largest, any);
  const auto vpps = values(repair_part::vpp_size, given[axis::vpp], d.model.layers, any);
  const bool has_experts = f.experts > 0;
  const auto eps = values(repair_part::ep_size, given[axis::ep], has_experts ? largest : 1, any);
  const auto etps = values(repair_part::etp_size, given[axis::etp], has_experts ? largest : 1, any);
  std::vector<layout> all_layouts{d.layout};
  if (!pinned.contains(repair_part::layout))
    for (const layout& l : layouts)
      if (!(l == d.layout)) all_layouts.push_back(l);
  std::vector<rank_order> orders{given.order};
  if (!pinned.contains(repair_part::order) && !(given.order == rank_order{})) orders.emplace_back();
  std::vector<number> batches{trains ? d.workload.train.micro_batch : 0};
  if (trains && !pinned.contains(repair_part::micro_batch)) {
    const number m = batches[0];
    if (f.global_batch_given)
      for (number n = 1; n <= f.global_batch; ++n)
        if (n != m) batches.push_back(n);
    if (!f.global_batch_given)
      for (number n = m / 2; n >= 1; n /= 2) batches.push_back(n);
    if (!f.global_batch_given && m < 1) batches.push_back(1);
  }

  const layout layout_given = d.layout;
  for (const layout& l : all_layouts) {
    d.layout = l;
    for (const number tp : tps) {
      std::vector<number> sps{sp_is_on ? tp : sp_given};
      if (!pinned.contains(repair_part::sp_size))
        for (const number sp : {number{1}, tp})
          if (sp != sps[0]) sps.push_back(sp);
      for (const number cp : cps)
        for (const number pp : pps) {
          if (tp < 1 || cp < 1 || pp < 1 || tp > available / cp || tp * cp > available / pp) continue;
          const bool dp_pinned = given.resolved() && pinned.contains(repair_part::dp_size);
          for (number dp = dp_pinned ? given[axis::dp] : available / (tp * cp * pp); dp >= (dp_pinned ? given[axis::dp] : 1);
               --dp) {
            if (dp < 1) break;
            const bool idle = tp * cp * pp * dp != available;
            if (tp * cp * pp * dp > available || (idle && pinned.contains(repair_part::idle_gpus))) continue;
            for (const number vpp : vpps) {
              const number slots = l.kind == layout_kind::listed ? 0
                                   : l.kind == layout_kind::even
                                       ? d.model.layers + (l.embedding_is_a_layer ? 1 : 0) + (l.loss_is_a_layer ? 1 : 0)
                                       : d.model.layers;
              const bool given_stages = pp == given[axis::pp] && vpp == given[axis::vpp];
              if (slots != 0 && pp * vpp > slots && !given_stages) continue; // an empty virtual stage
              for (const number ep : eps)
                for (const number etp : etps)
                  for (const number sp : sps)
                    for (const rank_order& order : orders)
                      for (const number micro_batch : batches) {
                        nearness n;
                        n.change(repair_part::tp_size, given[axis::tp], tp);
                        n.change(repair_part::cp_size, given[axis::cp], cp);
                        n.change(repair_part::pp_size, given[axis::pp], pp);
                        n.change(repair_part::vpp_size, given[axis::vpp], vpp);
                        n.change(repair_part::ep_size, given[axis::ep], ep);
                        n.change(repair_part::etp_size, given[axis::etp], etp);
                        if (sp != (sp_is_on ? tp : sp_given)) n.change(repair_part::sp_size);
                        if (!(l == layout_given)) n.change(repair_part::layout);
                        if (!(order == given.order)) n.change(repair_part::order);
                        if (idle) n.change(repair_part::idle_gpus, available, tp * cp * pp * dp);
                        if (trains) n.change(repair_part::micro_batch, batches[0], micro_batch);
                        if (!visit.wants(n)) continue;
                        d.strategy = given;
                        if (vpp != given[axis::vpp]) d.strategy.set(axis::vpp, vpp);
                        d.strategy.set(axis::tp, tp);
                        d.strategy.set(axis::cp, cp);
                        d.strategy.set(axis::pp, pp);
                        d.strategy.set(axis::ep, ep);
                        d.strategy.set(axis::etp, etp);
                        d.strategy.set(axis::sp, sp);
                        d.strategy.set(axis::dp, dp);
                        d.strategy.order = order;
                        d.workload.train.micro_batch = trains ? micro_batch : d.workload.train.micro_batch;
                        if (check(d).ok()) visit.legal(n);
                      }
            }
          }
        }
    }
  }
}

/// Looks for the nearest alone.
struct nearest_of_all {
  bool* found;
  nearness* nearest;
  [[nodiscard]] bool wants(const nearness& n) const { return !*found || n < *nearest; }
  void legal(const nearness& n) const { *found = true, *nearest = n; }
};

/// Looks for the nearest of each set of changes.
struct nearest_of_each {
  std::map<std::uint16_t, nearness>* nearest;
  [[nodiscard]] bool wants(const nearness& n) const {
    const auto known = nearest->find(n.changed);
    return known == nearest->end() || n.nearer_among_its_set(known->second);
  }
  void legal(const nearness& n) const { (*nearest)[n.changed] = n; }
};

/// On GPUs on which all fits.
deployment with_memory(deployment d) {
  d.cluster.gpu = {.memory = bytes{number{1} << 50}};
  return d;
}

/// About as much memory as one of the repairs takes that there are where memory does not matter.
void give_memory(deployment& d, std::mt19937_64& bits) {
  const auto r = nearest_repairs<8>(with_memory(d), {.most_considered = 20'000});
  if (!r.found()) return;
  const repair& one = r.nearest[static_cast<std::size_t>(below(bits, static_cast<number>(r.nearest.size())))];
  if (!one.memory_is_known || one.peak == bytes{}) return;
  d.cluster.gpu = {.memory = one.peak + d.workload.reserve() - bytes{below(bits, 2)}};
}

/// Illegal deployments on a few GPUs, of a few layers and a small batch.
template <class Visit>
void for_broken_deployments(std::uint64_t seed, int n, number most_gpus, Visit visit) {
  moeplan_test::random_deployments deployments{seed};
  std::mt19937_64 bits{seed};
  for (int i = 0; i < n;) {
    deployment d = deployments.next();
    const number gpus = 1 + below(bits, most_gpus);
    const number batch = 1 + below(bits, 12);
    const number layers = 1 + below(bits, 4);
    const number kind = below(bits, 4);
    d.cluster.gpus_per_node = d.cluster.nodes = d.cluster.nvlink_domain = {};
    d.cluster.total = gpus;
    if (d.layout.kind != layout_kind::listed) d.model.layers = layers;
    if (d.workload.is_training() && kind != 0) d.workload.train.global_batch = batch;
    const facts f = facts_of(d);
    bool small = f.layers <= 8 && f.listed_stages <= 8 && f.micro_batch < 1000;
    for (const axis a : {axis::tp, axis::cp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::sp, axis::dp})
      small = small && d.strategy[a] > -100 && d.strategy[a] < 1000;
    if (f.global_batch_given && (f.global_batch < 1 || f.global_batch > 24)) small = false;
    if (small && below(bits, 2) == 0) give_memory(d, bits);
    deployment folded = d;
    folded.strategy.mapping = mapping::folded;
    if (!small || check(folded).ok()) continue;
    // Most broken deployments cannot be repaired at all; a few of those are enough.
    if (nearest_repairs<1>(d).found() || below(bits, 20) == 0) visit(d), ++i;
  }
}

nearness nearness_of(const repair& r) {
  nearness n;
  n.changed = r.changed.bits;
  const wide_ratio distance = r.distance.lowest_terms();
  n.larger = distance.numerator.to_count().value();
  n.smaller = distance.denominator.to_count().value();
  return n;
}

bool equally_near(const nearness& a, const nearness& b) { return !(a < b) && !(b < a); }

} // namespace

TEST_CASE("the first repair is the nearest of all that trying every tuple finds") {
  int repaired = 0;
  int none = 0;
  int changes[8] = {};
  int in_memory = 0; // repaired, where memory was too small
  int kept_otherwise = 0;
  for_broken_deployments(1, 400, 8, [&](const deployment& d) {
    bool found = false;
    nearness nearest;
    visit_tuples(d, {}, nearest_of_all{&found, &nearest});
    const auto r = nearest_repairs<1>(d, {.most_considered = INT64_MAX});
    REQUIRE(r.found() == found);
    CHECK(r.outcome == (found ? repair_outcome::found : repair_outcome::none));
    if (found) CHECK(equally_near(nearness_of(r.nearest[0]), nearest));
    if (found) CHECK(check(r.nearest[0].on(d)).ok());
    repaired += found ? 1 : 0;
    none += found ? 0 : 1;
    if (found) ++changes[nearest.changes()];
    if (!found || nearest_repairs<1>(with_memory(d)).nearest[0].changed == r.nearest[0].changed) return;
    ++in_memory;
    const training& t = d.workload.train;
    kept_otherwise += d.workload.is_training() && (t.precision.fp8 != fp8_recipe::none || t.optimizer == optimizer::muon ||
                                                   t.optimizer_offload.numerator != count{0} || t.routing.pad_to_capacity);
  });
  CHECK(in_memory > 30);
  CHECK(kept_otherwise > 10);
  CHECK(repaired > 150);
  CHECK(none > 5);
  for (int i = 1; i < 6; ++i) CHECK(changes[i] > 5);
}

TEST_CASE("each repair is the nearest of its set of changes, and no set that can do is missing") {
  int several = 0;
  for_broken_deployments(2, 120, 8, [&](const deployment& d) {
    std::map<std::uint16_t, nearness> of_each;
    visit_tuples(d, {}, nearest_of_each{&of_each});
    std::vector<nearness> expected;
    for (const auto& [changed, n] : of_each) {
      bool contains_another = false;
      for (const auto& other : of_each) contains_another |= other.first != changed && (other.first & ~changed) == 0;
      if (!contains_another) expected.push_back(n);
    }
    std::sort(expected.begin(), expected.end());
    const auto r = nearest_repairs<400>(d, {.further_changes = 11, .most_considered = INT64_MAX});
    REQUIRE(r.nearest.size() == expected.size());
    CHECK(r.exhausted == 12);
    std::int64_t rejected = 0;
    for (const std::int64_t n : r.rejected) rejected += n;
    CHECK(rejected <= r.considered);
    CHECK((rejected < r.considered) == r.found());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const repair& answer = r.nearest[i];
      CHECK(equally_near(nearness_of(answer), expected[i]));
      const findings found = check(answer.on(d));
      CHECK(found.ok());
      CHECK(found.facts.gpus == answer.gpus);
      CHECK(found.facts.available - found.facts.gpus == answer.idle_gpus);
      CHECK(found.facts.knows(known::memory) == answer.memory_is_known);
      if (answer.memory_is_known) CHECK(answer.peak == bytes{found.facts.peak_bytes});
    }
    several += expected.size() > 3 ? 1 : 0;
  });
  CHECK(several > 2);
}

TEST_CASE("what is pinned stays, and the first repair is the nearest of all that keep it") {
  int repaired = 0;
  int kept_from_the_nearest = 0;
  std::mt19937_64 bits{3};
  for_broken_deployments(6, 200, 8, [&](const deployment& d) {
    repair_parts pinned;
    const std::uint64_t half = bits();
    const std::uint64_t other_half = bits();
    pinned.bits = static_cast<std::uint16_t>(half & other_half & 0xfff);
    bool found = false;
    nearness nearest;
    visit_tuples(d, pinned, nearest_of_all{&found, &nearest});
    const auto r = nearest_repairs<1>(d, {.pinned = pinned, .most_considered = INT64_MAX});
    REQUIRE(r.found() == found);
    if (!found) return;
    const repair& first = r.nearest[0];
    CHECK(equally_near(nearness_of(first), nearest));
    CHECK(first.changed.shares_none(pinned));
    CHECK(check(first.on(d)).ok());
    if (pinned.contains(repair_part::dp_size) && d.strategy.resolved()) CHECK(first.strategy[axis::dp] == d.strategy[axis::dp]);
    ++repaired;
    kept_from_the_nearest += nearest_repairs<1>(d).nearest[0].changed == first.changed ? 0 : 1;
  });
  CHECK(repaired > 50);
  CHECK(kept_from_the_nearest > 5);
}

TEST_CASE("a legal deployment of which numbers are left open violates no rule") {
  moeplan_test::random_deployments deployments{5};
  std::mt19937_64 bits{5};
  int legal = 0;
  for (int i = 0; i < 200'000; ++i) {
    const deployment d = deployments.next();
    if (d.strategy.mapping != mapping::folded || !check(d).ok()) continue;
    ++legal;
    detail::open_deployment some{.tried = d};
    for (const axis a : {axis::tp, axis::cp, axis::pp, axis::vpp, axis::ep, axis::etp, axis::sp, axis::dp})
      if (bits() % 2 == 0) some.leave_open(a);
    if (d.workload.is_training() && bits() % 2 == 0) some.leave_micro_batch_open();
    CHECK(some.first_violated(check(some.tried)) == rule_count);
  }
  CHECK(legal > 5000);
}
