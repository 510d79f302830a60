// Random search spaces against plain loops over all tuples with `check`.
#include <moeplan/search/strategy_search.hpp>

#include "search/slow_search.hpp"
#include "verify/random_deployment.hpp"

#include <doctest/doctest.h>

#include <ostream>
#include <random>
#include <set>
#include <vector>

using namespace moeplan;

namespace {

class random_spaces {
public:
  explicit random_spaces(std::uint64_t seed) : bits_{seed} {}

  /// A small model on a small cluster, with no more tuples than plain loops go through in a moment.
  search_space small() {
    for (;;) {
      search_space s = any_size();
      const search_counts counts = visit_strategies(s, [](const search_candidate&) { return true; });
      if (counts.considered > saturating_count{10'000}) continue;
      if (give_memory(s) || chance(20)) return s; // In most of them nothing is legal, whatever the memory.
    }
  }

  /// The same with every degree free.
  search_space free() {
    search_space s = small();
    for (search_values* v : {&s.tp, &s.cp, &s.ep, &s.etp, &s.pp, &s.vpp, &s.dp, &s.sp}) *v = {};
    s.base.strategy = {};
    s.micro_batch = search_values::as_described();
    s.layouts.length = 0;
    s.schedules.length = 0;
    s.shardings.length = 0;
    s.recomputes.length = 0;
    s.smallest_recompute = false;
    s.orders.length = 0;
    s.nearest_order = false;
    return s;
  }

  /// Any deployment, however wrong, with another value or two for each part.
  search_space nearby(deployment d) {
    search_space s;
    s.base = d;
    const axis axes[] = {axis::tp, axis::cp, axis::ep, axis::etp, axis::pp, axis::vpp, axis::dp, axis::sp};
    search_values* values[] = {&s.tp, &s.cp, &s.ep, &s.etp, &s.pp, &s.vpp, &s.dp, &s.sp};
    for (std::size_t i = 0; i < 8; ++i) {
      const std::int64_t own = d.strategy[axes[i]];
      *values[i] = own;
      const std::int64_t other = one_of({1, 2, 3, 4, 8, 0, -1});
      if (other != own && chance(60)) values[i]->list.push_back(other);
    }
    if (d.strategy[axis::dp] == 0 && !d.strategy.gives(axis::dp)) s.dp = one_of({1, 2, 4, 16});
    if (coin()) s.layouts.push_back(search_layout::described), s.layouts.push_back(search_layout::balanced);
    if (coin()) give_memory(s);
    if (!d.workload.is_training()) return s;
    const training& t = d.workload.train;
    if (coin()) {
      s.schedules.push_back(t.schedule);
      const auto other = static_cast<schedule>(below(9));
      if (other != t.schedule) s.schedules.push_back(other);
    }
    if (coin()) s.shardings.push_back(sharding::none), s.shardings.push_back(sharding::parameters);
    if (coin()) s.micro_batch = {t.micro_batch, t.micro_batch == 2 ? 3 : 2};
    if (coin())
      s.recomputes.push_back(detail::recompute_of(t)), s.recomputes.push_back({.recompute = recompute::full, .layers = below(3)});
    s.smallest_recompute = chance(20);
    if (chance(20)) list_orders(s);
    return s;
  }

private:
  search_space any_size() {
    search_space s;
    deployment& d = s.base;
    model& m = d.model;
    m.layers = 1 + below(8);
    m.attention.heads = one_of({1, 2, 3, 4, 6, 8});
    m.attention.kv_heads = coin() ? m.attention.heads : 1;
    m.hidden_size = m.attention.heads * one_of({8, 24});
    m.vocabulary_size = one_of({96, 100, 128});
    m.intermediate_size = one_of({48, 64, 96});
    if (chance(80)) {
      m.experts.routed = one_of({2, 4, 6, 8});
      m.experts.top_k = 1 + below(2);
      m.experts.intermediate_size = one_of({8, 12, 24});
      m.experts.shared_intermediate_size = coin() ? 24 : 0;
      m.experts.layers.first = below(2);
    }
    m.mtp_layers = chance(20) ? 1 : 0;
    m.tied_embeddings = chance(20);
    d.cluster.gpus_per_node = 1 + below(4);
    d.cluster.nodes = 1 + below(3);
    if (chance(25)) list_orders(s);
    s.nearest_order = chance(20);
    const bool trains = chance(70);
    if (trains)
      d.workload = trained(s);
    else
      d.workload = served();
    const profile trainers[] = {profile::megatron, profile::universal, profile::torchtitan, profile::deepspeed};
    const profile servers[] = {profile::megatron, profile::universal, profile::vllm, profile::sglang, profile::trtllm};
    d.profile = trains ? trainers[static_cast<std::size_t>(below(4))] : servers[static_cast<std::size_t>(below(5))];
    if (chance(30)) d.layout = layout::balanced();
    if (chance(15)) d.layout = layout::first_last(coin() ? optional_integer{1 + below(2)} : optional_integer{}, 1);
    if (chance(15)) {
      const std::int64_t stages = 1 + below(3);
      const std::int64_t layers = 1 + below(2);
      const std::int64_t more = below(2);
      d.layout = layout::stages({stages, layers}, {more, 1});
    }
    if (chance(40)) {
      s.layouts.push_back(search_layout::described);
      s.layouts.push_back(search_layout::both_as_layers);
      if (coin()) s.layouts.push_back(search_layout::balanced);
    }
    for (search_values* v : {&s.tp, &s.cp, &s.ep, &s.etp, &s.pp, &s.vpp, &s.dp, &s.sp})
      if (chance(25)) *v = listed();
    search_values* described[] = {&s.tp, &s.pp, &s.vpp, &s.ep, &s.etp, &s.dp, &s.cp, &s.sp}; // in the order of the axes
    for (std::size_t i = 0; i < 8; ++i) {
      if (!chance(8)) continue;
      *described[i] = search_values::as_described();
      d.strategy.set(static_cast<axis>(i), one_of({1, 2, 2, 0, 4}));
    }
    return s;
  }

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(n)); }
  bool chance(std::int64_t percent) { return below(100) < percent; }
  bool coin() { return chance(50); }
  template <std::size_t N>
  std::int64_t one_of(const std::int64_t (&values)[N]) {
    return values[static_cast<std::size_t>(below(static_cast<std::int64_t>(N)))];
  }

  /// Of any axes, some of them in the one order that frameworks other than Megatron-LM have.
  rank_order any_order() {
    rank_order order;
    if (chance(20)) return order;
    for (std::size_t i = 4; i > 0; --i) {
      const auto j = static_cast<std::size_t>(below(static_cast<std::int64_t>(i) + 1));
      const axis other = order.axes[j];
      order.axes[j] = order.axes[i];
      order.axes[i] = other;
    }
    if (chance(25)) order.axes.length -= static_cast<std::size_t>(below(3));
    return order;
  }
  void list_orders(search_space& s) {
    for (std::int64_t n = 1 + below(4); n > 0; --n) {
      const rank_order order = any_order();
      bool is_new = true;
      for (const rank_order& other : s.orders) is_new = is_new && other != order;
      if (is_new) s.orders.push_back(order);
    }
  }

  search_values listed() {
    search_values v = one_of({1, 2, 4});
    const std::int64_t other = one_of({3, 6, 8, 0, -2, 5});
    if (coin()) v.list.push_back(other);
    return v;
  }

  training trained(search_space& s) {
    training t{.sequence_length = one_of({4, 8, 12, 16})};
    if (chance(70)) t.global_batch = one_of({4, 8, 12});
    t.schedule = chance(60) ? schedule::one_forward_one_backward : static_cast<schedule>(below(9));
    t.sharding = static_cast<sharding>(below(4));
    t.dispatcher = static_cast<token_dispatcher>(below(4));
    t.context = static_cast<context_exchange>(below(3));
    if (chance(20)) t.overlap.expert_parallel = true, t.dispatcher = token_dispatcher::all_to_all;
    if (chance(40)) keep_otherwise(t);
    if (chance(40)) route_otherwise(t.routing);
    s.smallest_recompute = chance(15);
    if (chance(30)) s.micro_batch = search_values{};
    if (chance(30)) s.micro_batch = {1, 2, 4};
    if (chance(30)) s.shardings.push_back(sharding::none), s.shardings.push_back(sharding::optimizer);
    if (chance(30))
      s.schedules.push_back(schedule::one_forward_one_backward), s.schedules.push_back(schedule::gpipe),
          s.schedules.push_back(schedule::zb_v);
    if (chance(50))
      s.recomputes.push_back({}), s.recomputes.push_back({.recompute = recompute::selective}),
          s.recomputes.push_back({.recompute = recompute::full});
    return t;
  }
  /// In other types, by another optimizer, partly in the host's memory, in several copies.
  void keep_otherwise(training& t) {
    precision& p = t.precision;
    p.fp8 = static_cast<fp8_recipe>(below(5));
    p.fp8_weights = coin();
    for (number_type* type : {&p.gradients, &p.master_weights, &p.first_moment, &p.second_moment})
      if (coin()) *type = static_cast<number_type>(below(8));
    t.optimizer = static_cast<optimizer>(below(4));
    if (coin()) t.optimizer_offload = {below(9), 8};
    if (chance(30)) t.dp_replicate = 2;
    if (chance(30)) t.reserve = bytes{1000};
  }
  void route_otherwise(routing& r) {
    if (coin()) r.balancing = load_balancing::none;
    if (coin()) r.capacity_factor = {one_of({1, 4, 5}), 4};
    r.pad_to_capacity = coin();
    if (chance(30)) r.load = routing_load::worst;
    if (chance(30)) r.busiest_share = {below(9), 8};
  }
  serving served() {
    serving v{.batch = 1 + below(4), .sequence_length = one_of({16, 100})};
    v.redundant_experts = chance(20) ? 2 : 0;
    v.data_parallelism = coin() ? data_parallelism::attention : data_parallelism::replicas;
    return v;
  }
  /// About as much as one of the strategies takes, so that some of them fit and some do not. False: however much it is, none is legal.
  bool give_memory(search_space& s) {
    const gpu given = s.base.cluster.gpu;
    s.base.cluster.gpu = {.memory = bytes{std::int64_t{1} << 50}};
    const std::vector<search_candidate> legal = moeplan_test::slow_search{s}.run().legal;
    if (chance(10)) s.base.cluster.gpu = {};
    if (legal.empty()) s.base.cluster.gpu = given;
    if (legal.empty() || chance(20)) return !legal.empty();
    const search_candidate& c = legal[static_cast<std::size_t>(below(static_cast<std::int64_t>(legal.size())))];
    const auto reserve = static_cast<std::int64_t>(s.base.workload.reserve().amount.bits);
    if (c.peak_bytes > 1) s.base.cluster.gpu = {.memory = bytes{c.peak_bytes + reserve - below(2)}};
    return true;
  }

  std::mt19937_64 bits_;
};

/// In how many spaces memory rejects some strategies and lets others pass, of training runs that are kept or routed in such a way.
struct reached {
  int fp8 = 0;
  int muon = 0;
  int offload = 0;
  int capacity = 0;
  int overlap = 0;
  int smallest = 0;
  int orders = 0;  ///< other than of memory: of ranks, where some are legal and some are not
  int nearest = 0; ///< and where some strategy has another one than Megatron-LM's

  void add_orders(const search_space& s, const search_counts& counts, const std::vector<search_candidate>& found) {
    bool several = false;
    bool others = false;
    for (const search_candidate& c : found) {
      several = several || c.strategy.order != found[0].strategy.order;
      others = others || c.strategy.order != rank_order{};
    }
    saturating_count rejected;
    for (std::size_t i = 0; i < rule_count; ++i)
      if (decided_by(static_cast<rule>(i)) == decision::order) rejected += counts.rejected[i];
    orders += several && !s.nearest_order && rejected > saturating_count{0};
    nearest += s.nearest_order && others;
  }
  void add(const search_space& s, const search_counts& counts) {
    const bool both = counts.legal != 0 && counts.rejected_by(rule::stage_fits_memory) > saturating_count{0};
    if (!both || !s.base.workload.is_training()) return;
    const training& t = s.base.workload.train;
    fp8 += t.precision.fp8 != fp8_recipe::none;
    muon += t.optimizer == optimizer::muon;
    offload += t.optimizer_offload.numerator != count{0};
    capacity += t.routing.capacity_factor.numerator != count{0};
    overlap += t.overlap.expert_parallel;
    smallest += s.smallest_recompute;
  }
};

search_counts compare(const search_space& s, reached& both) {
  const moeplan_test::slow_search_result slow = moeplan_test::slow_search{s}.run();
  std::vector<search_candidate> fast;
  const search_counts counts = visit_strategies(s, [&fast](const search_candidate& c) {
    fast.push_back(c);
    return false;
  });
  CHECK(counts.considered == slow.considered);
  CHECK(counts.legal == slow.legal.size());
  CHECK(!counts.ended);
  for (std::size_t i = 0; i < rule_count; ++i) {
    CAPTURE(rules::entry(static_cast<rule>(i)).name);
    CHECK(counts.rejected[i] == slow.rejected[i]);
  }
  REQUIRE(fast.size() == slow.legal.size());
  for (std::size_t i = 0; i < fast.size(); ++i) {
    const search_candidate& a = fast[i];
    const search_candidate& b = slow.legal[i];
    const bool same = a.strategy == b.strategy && a.layout == b.layout && a.schedule == b.schedule && a.sharding == b.sharding &&
                      a.micro_batch == b.micro_batch && a.recompute == b.recompute;
    CHECK(same);
    CHECK(a.gpus == b.gpus);
    CHECK(a.memory_known == b.memory_known);
    CHECK(a.peak_bytes == b.peak_bytes);
    CHECK(a.number == i);
  }
  both.add(s, counts);
  both.add_orders(s, counts, fast);
  return counts;
}

} // namespace

TEST_CASE(
    "the set found in small spaces is what plain loops with check find, in their order, and every rejection is under its rule") {
  random_spaces spaces{20'24};
  int some = 0;
  std::uint64_t legal = 0;
  reached both;
  for (int i = 0; i < 900; ++i) {
    CAPTURE(i);
    const search_space s = spaces.small();
    const search_counts counts = compare(s, both);
    some += counts.legal != 0;
    legal += counts.legal;
  }
  CHECK(some > 150);
  CHECK(legal > 3000);
  CHECK(both.fp8 > 20);
  CHECK(both.muon > 10);
  CHECK(both.offload > 10);
  CHECK(both.capacity > 20);
  CHECK(both.overlap > 2);
  CHECK(both.smallest > 15);
  CHECK(both.orders > 10);
  CHECK(both.nearest > 5);
}

TEST_CASE("free degrees leave out nothing that check accepts, but for what differs in name alone") {
  random_spaces spaces{33};
  std::size_t accepted = 0;
  std::size_t found = 0;
  for (int i = 0; i < 200; ++i) {
    CAPTURE(i);
    const search_space s = spaces.free();
    std::set<std::vector<std::int64_t>> fast;
    visit_strategies(s, [&fast](const search_candidate& c) {
      fast.emplace(c.strategy.degrees, c.strategy.degrees + 8);
      return false;
    });
    deployment d = s.base;
    const std::int64_t gpus = d.cluster.gpus_per_node.number * d.cluster.nodes.number;
    const std::int64_t layers = d.model.layers;
    const bool whole = d.layout.kind == layout_kind::balanced;
    const auto set_all = [&d](std::int64_t t, std::int64_t c, std::int64_t p, std::int64_t n) {
      d.strategy.set(axis::tp, t), d.strategy.set(axis::cp, c), d.strategy.set(axis::pp, p), d.strategy.set(axis::dp, n);
    };
    for (std::int64_t t = 1; t <= gpus; ++t)
      for (std::int64_t c = 1; t * c <= gpus; ++c)
        for (std::int64_t p = 1; t * c * p <= gpus; ++p)
          for (std::int64_t n = 1; t * c * p * n <= gpus; ++n) {
            set_all(t, c, p, n);
            for (std::int64_t e = 1; e <= gpus; ++e)
              for (std::int64_t et = 1; e * et <= t * c * n; ++et)
                for (std::int64_t v = 1; v <= layers + 2; ++v)
                  for (std::int64_t q = 1; q <= t; ++q) {
                    d.strategy.set(axis::ep, e), d.strategy.set(axis::etp, et), d.strategy.set(axis::vpp, v),
                        d.strategy.set(axis::sp, q);
                    if (!check(d).ok()) continue;
                    ++accepted;
                    const bool in_name_alone = (d.model.experts.routed == 0 && et > 1) || (whole && p * v > layers);
                    const bool is_found = fast.contains({d.strategy.degrees, d.strategy.degrees + 8});
                    found += is_found;
                    CHECK(is_found != in_name_alone);
                  }
          }
    set_all(gpus, 1, 1, 2);
    CHECK(!check(d).ok());
  }
  CHECK(found > 1000);
  CHECK(accepted > found);
}

TEST_CASE("the same holds around any deployment, however wrong, under every profile") {
  moeplan_test::random_deployments deployments{7};
  random_spaces spaces{11};
  int some = 0;
  reached both;
  for (int i = 0; i < 3000; ++i) {
    CAPTURE(i);
    const deployment d = deployments.next();
    if (d.model.layers > 200 || d.strategy[axis::pp] > 64 || d.strategy[axis::vpp] > 8) continue;
    some += compare(spaces.nearby(d), both).legal != 0;
  }
  CHECK(some > 100);
}
