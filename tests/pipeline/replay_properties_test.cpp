// Replays of the library's orders and of random ones, with random times, against a graph in memory that knows only what waits for what.
#include <moeplan/pipeline/deadlock.hpp>
#include <moeplan/pipeline/in_flight.hpp>
#include <moeplan/pipeline/replay.hpp>
#include <moeplan/pipeline/stage_times.hpp>
#include <moeplan/pipeline/task_graph.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "pipeline/replayed.hpp"
#include "pipeline/slow_graph.hpp"

using namespace moeplan;
using namespace moeplan_test;

namespace {

class random_numbers {
public:
  explicit random_numbers(std::uint64_t seed) : engine_{seed} {}

  /// From 0 to below `end`.
  std::int64_t below(std::int64_t end) { return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(end)); }
  bool one_in(std::int64_t n) { return below(n) == 0; }

private:
  std::mt19937_64 engine_;
};

/// Times of each virtual stage, and of transfers from each rank to each.
struct random_times {
  pipeline_shape shape{};
  std::vector<pass_times> stages;
  std::vector<std::int64_t> transfers;

  random_times(const pipeline_shape& s, random_numbers& random) : shape{s} {
    const std::int64_t longest = random.one_in(3) ? 2 : 100;
    for (std::int64_t i = 0; i < shape.ranks * chunks_of_rank(shape); ++i) {
      pass_times t;
      t.forward = random.below(longest);
      t.backward = random.below(2 * longest);
      t.input_gradient = random.below(longest);
      t.weight_gradient = random.below(longest);
      t.forward_and_backward = random.below(3 * longest);
      stages.push_back(t);
    }
    const bool free = random.one_in(2);
    for (std::int64_t i = 0; i < shape.ranks * shape.ranks; ++i) transfers.push_back(free ? 0 : random.below(20));
  }

  [[nodiscard]] std::int64_t of(std::int64_t rank, const operation& o) const {
    return stages.at(static_cast<std::size_t>(virtual_stage(shape.schedule, shape.ranks, rank, o.chunk)))[o.kind];
  }
  [[nodiscard]] std::int64_t transfer(std::int64_t from, std::int64_t to) const {
    return transfers.at(static_cast<std::size_t>(from * shape.ranks + to));
  }
};

/// What is wrong with the passes of a rank: whether each of its micro-batches goes forward and back through each chunk exactly once.
bool each_pass_once(const pipeline_shape& shape, const std::vector<operation>& order) {
  std::map<std::tuple<int, std::int64_t, std::int64_t>, int> times;
  for (const operation& o : order) {
    const bool pair = o.kind == pass::forward_and_backward;
    if (o.kind == pass::forward || pair) ++times[{0, o.chunk, o.micro_batch}];
    if (pair) ++times[{1, o.backward_chunk, o.backward_micro_batch}], ++times[{2, o.backward_chunk, o.backward_micro_batch}];
    if (o.kind == pass::backward || o.kind == pass::input_gradient) ++times[{1, o.chunk, o.micro_batch}];
    if (o.kind == pass::backward || o.kind == pass::weight_gradient) ++times[{2, o.chunk, o.micro_batch}];
  }
  const bool each_way = shape.schedule == schedule::dualpipe;
  const std::int64_t micro_batches = each_way ? shape.micro_batches / 2 : shape.micro_batches;
  for (const auto& [which, n] : times) {
    const auto& [part, chunk, micro_batch] = which;
    if (n != 1 || chunk < 0 || chunk >= chunks_of_rank(shape) || micro_batch < 0 || micro_batch >= micro_batches) return false;
  }
  return static_cast<std::int64_t>(times.size()) == 3 * chunks_of_rank(shape) * micro_batches;
}

/// The times of a replay against the longest paths of the graph, and against what no order can beat.
template <class Order, class Times>
void check_times(const replay_record<Order>& record, const slow_graph& graph, const Times& times) {
  const std::vector<std::int64_t> ends = graph.ends(times);
  std::vector<std::int64_t> seen(record.ranks.size());
  std::vector<std::size_t> first(record.ranks.size() + 1);
  for (const slow_graph::node& n : graph.nodes) ++first.at(static_cast<std::size_t>(n.rank) + 1);
  for (std::size_t rank = 1; rank < first.size(); ++rank) first[rank] += first[rank - 1];
  std::int64_t makespan = 0;
  for (const done_operation& d : record.done) {
    const auto rank = static_cast<std::size_t>(d.rank);
    const std::size_t node = first[rank] + static_cast<std::size_t>(seen[rank]++);
    REQUIRE(graph.nodes.at(node).operation == d.operation);
    CHECK(d.end == ends[node]);
    CHECK(d.end - d.start == times.of(d.rank, d.operation));
    makespan = std::max(makespan, d.end);
  }
  CHECK(record.done.size() == graph.nodes.size());
  CHECK(record.result.makespan == makespan);
  std::int64_t busiest = 0;
  for (const replayed_rank<Order>& r : record.ranks) {
    std::int64_t busy = 0;
    for (const done_operation& d : record.done)
      if (&r == &record.ranks[static_cast<std::size_t>(d.rank)]) busy += d.end - d.start;
    CHECK(r.busy == busy);
    CHECK(r.idle(makespan) >= 0);
    CHECK(r.end - r.start >= busy);
    busiest = std::max(busiest, busy);
  }
  const std::vector<std::int64_t> unhindered = graph.ends(times, false); // as if every pass had a rank of its own
  CHECK(makespan >= busiest);
  CHECK(makespan >= *std::max_element(unhindered.begin(), unhindered.end()));
}

/// Peaks, counted from the operations that a rank has done.
template <class Order>
void check_peaks(const replay_record<Order>& record) {
  for (std::size_t rank = 0; rank < record.ranks.size(); ++rank) {
    held_activations held{};
    held_activations most{};
    std::int64_t most_held = 0;
    for (const done_operation& d : record.done) {
      if (d.rank != static_cast<std::int64_t>(rank)) continue;
      const pass kind = d.operation.kind;
      if (kind == pass::forward || kind == pass::forward_and_backward) ++held.whole;
      most.whole = std::max(most.whole, held.whole);
      most_held = std::max(most_held, held.whole + held.weight_gradient);
      if (kind == pass::backward || kind == pass::input_gradient || kind == pass::forward_and_backward) --held.whole;
      if (kind == pass::input_gradient) ++held.weight_gradient;
      most.weight_gradient = std::max(most.weight_gradient, held.weight_gradient);
      if (kind == pass::weight_gradient) --held.weight_gradient;
    }
    CHECK(record.ranks[rank].most_whole == most.whole);
    CHECK(record.ranks[rank].most_weight_gradient == most.weight_gradient);
    CHECK(record.ranks[rank].most_held == most_held);
  }
}

/// Collects what the library says of the task graph of an order.
struct graph_record {
  std::vector<pipeline_task> tasks;
  std::vector<std::tuple<std::int64_t, std::int64_t, task_dependency>> dependencies;

  void task(std::int64_t number, const pipeline_task& task) {
    CHECK(number == static_cast<std::int64_t>(tasks.size()));
    tasks.push_back(task);
  }
  void dependency(std::int64_t from, std::int64_t to, task_dependency why) {
    CHECK(from < to); // which no graph with a cycle could keep up
    CHECK(to < static_cast<std::int64_t>(tasks.size()));
    dependencies.emplace_back(from, to, why);
  }
};

using plain_edge = std::tuple<std::int64_t, std::size_t, std::int64_t, std::size_t>; ///< rank and place in its order, twice

/// The reduction of each virtual stage waits for the last pass that adds to its gradient on every rank that holds it, and every optimizer
/// step for the reductions of the rank's virtual stages.
void check_end_of_step(const pipeline_shape& shape, const rank_orders& orders, const graph_record& record,
                       const std::vector<std::pair<std::int64_t, std::size_t>>& place_of_task) {
  std::set<std::tuple<std::int64_t, std::size_t, std::int64_t>> expected_into; // rank, place in its order, virtual stage
  std::set<std::pair<std::int64_t, std::int64_t>> expected_from;               // virtual stage, rank
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) {
    const auto& order = orders[static_cast<std::size_t>(rank)];
    for (std::int64_t chunk = 0; chunk < chunks_of_rank(shape); ++chunk) {
      const std::int64_t stage = virtual_stage(shape.schedule, shape.ranks, rank, chunk);
      std::size_t last = 0;
      for (std::size_t i = 0; i < order.size(); ++i) {
        const operation& o = order[i];
        const bool pair = o.kind == pass::forward_and_backward;
        const bool adds = pair || o.kind == pass::backward || o.kind == pass::weight_gradient;
        if (adds && (pair ? o.backward_chunk : o.chunk) == chunk) last = i;
      }
      expected_into.emplace(rank, last, stage);
      expected_from.emplace(stage, rank);
    }
  }
  std::set<std::tuple<std::int64_t, std::size_t, std::int64_t>> into;
  std::set<std::pair<std::int64_t, std::int64_t>> from_reductions;
  for (const auto& [from, to, why] : record.dependencies) {
    const pipeline_task& a = record.tasks[static_cast<std::size_t>(from)];
    const pipeline_task& b = record.tasks[static_cast<std::size_t>(to)];
    if (why == task_dependency::weight_gradient) {
      const auto& [rank, place] = place_of_task[static_cast<std::size_t>(from)];
      into.emplace(rank, place, b.stage);
    }
    if (why == task_dependency::reduced_gradient) {
      CHECK(a.kind == task_kind::gradient_reduction);
      CHECK(b.kind == task_kind::optimizer_step);
      from_reductions.emplace(a.stage, b.rank);
    }
  }
  CHECK(into == expected_into);
  CHECK(from_reductions == expected_from);
}

/// The passes and edges between them that the library visits are those of the graph.
void check_graph(const pipeline_shape& shape, const rank_orders& orders, const slow_graph& graph) {
  std::vector<replayed_rank<listed_operations>> ranks;
  for (const auto& order : orders) ranks.push_back({listed_operations{order}});
  std::vector<std::int64_t> slots(task_graph_slots(shape).value(), 7);
  graph_record record;
  REQUIRE(visit_task_graph(shape, replay_storage<listed_operations>{ranks, slots}, gradient_clipping::none, record).ok());

  std::vector<std::pair<std::int64_t, std::size_t>> place_of_task; // rank and place in its order
  std::vector<std::size_t> next(orders.size());
  for (const pipeline_task& t : record.tasks) {
    if (t.kind != task_kind::pass) break;
    place_of_task.emplace_back(t.rank, next[static_cast<std::size_t>(t.rank)]++);
    CHECK(orders[static_cast<std::size_t>(t.rank)].at(place_of_task.back().second) == t.operation);
  }
  CHECK(place_of_task.size() == graph.nodes.size());

  std::vector<plain_edge> data;
  std::vector<plain_edge> order;
  for (const auto& [from, to, why] : record.dependencies) {
    if (static_cast<std::size_t>(to) >= place_of_task.size()) break;
    const auto& a = place_of_task[static_cast<std::size_t>(from)];
    const auto& b = place_of_task[static_cast<std::size_t>(to)];
    (why == task_dependency::order ? order : data).emplace_back(a.first, a.second, b.first, b.second);
    const operation& needs = record.tasks[static_cast<std::size_t>(to)].operation;
    CHECK(is_transfer(why) == (a.first != b.first));
    if (why == task_dependency::activation || why == task_dependency::local_activation) CHECK(has_forward(needs));
    if (why == task_dependency::gradient || why == task_dependency::local_gradient) CHECK(has_input_gradient(needs));
  }
  std::vector<plain_edge> expected_data;
  std::vector<plain_edge> expected_order;
  std::vector<std::size_t> first(orders.size());
  for (std::size_t rank = 1; rank < orders.size(); ++rank) first[rank] = first[rank - 1] + orders[rank - 1].size();
  const auto place = [&](std::size_t node) { return node - first[static_cast<std::size_t>(graph.nodes[node].rank)]; };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const slow_graph::node& n = graph.nodes[i];
    if (n.has_before) expected_order.emplace_back(n.rank, place(i) - 1, n.rank, place(i));
    for (const std::size_t from : n.data) expected_data.emplace_back(graph.nodes[from].rank, place(from), n.rank, place(i));
  }
  for (auto* edges : {&data, &order, &expected_data, &expected_order}) std::sort(edges->begin(), edges->end());
  data.erase(std::unique(data.begin(), data.end()), data.end()); // Both halves of a pair may need the same pair.
  CHECK(data == expected_data);
  CHECK(order == expected_order);
  check_end_of_step(shape, orders, record, place_of_task);
}

constexpr schedule schedules[] = {schedule::gpipe,     schedule::one_forward_one_backward,
                                  schedule::zb_h1,     schedule::zb_h2,
                                  schedule::zb_v,      schedule::v_half,
                                  schedule::v_min,     schedule::dualpipe,
                                  schedule::dualpipe_v};

/// Calls `check` with the built-in schedules of many sizes.
template <class Check>
void for_each_shape(Check check) {
  for (const schedule order : schedules)
    for (const std::int64_t ranks : {1, 2, 3, 4, 6, 8, 11, 16})
      for (const std::int64_t micro_batches : {1, 2, 3, 5, 8, 16, 22, 40}) {
        const bool dual = order == schedule::dualpipe || order == schedule::dualpipe_v;
        // DualPipe: an even number of ranks, and for each direction at least as many micro-batches as ranks.
        if (order == schedule::dualpipe && (ranks % 2 != 0 || micro_batches % 2 != 0)) continue;
        if (dual && micro_batches < 2 * ranks) continue;
        check(pipeline_shape{.schedule = order, .ranks = ranks, .micro_batches = micro_batches});
        if (order != schedule::gpipe && order != schedule::one_forward_one_backward) continue;
        const bool may_overlap = order == schedule::one_forward_one_backward;
        if (may_overlap) check(pipeline_shape{.schedule = order, .ranks = ranks, .micro_batches = micro_batches, .overlaps = true});
        for (std::int64_t chunks = 2; chunks <= 3; ++chunks)
          for (std::int64_t group = ranks; group <= ranks + 2 && group <= micro_batches; ++group) {
            const std::int64_t last_group = micro_batches % group;
            if (last_group != 0 && last_group < ranks) continue; // refused: see below
            pipeline_shape shape{
                .schedule = order, .ranks = ranks, .chunks = chunks, .micro_batches = micro_batches, .group = group};
            check(shape);
            shape.overlaps = true;
            if (may_overlap) check(shape);
          }
      }
}

/// What in_flight promises: of V-Half and V-Min that no rank holds more than the one that holds most.
std::int64_t promised(const pipeline_shape& shape, std::int64_t rank) {
  if (shape.schedule != schedule::v_half && shape.schedule != schedule::v_min) return in_flight(shape, rank);
  std::int64_t most = 0;
  for (std::int64_t other = 0; other < shape.ranks; ++other) most = std::max(most, in_flight(shape, other));
  return most;
}

} // namespace

TEST_CASE("built-in schedules: every pass once, no cycle, times of the longest paths, no more memory than promised") {
  random_numbers random{1};
  std::size_t shapes = 0;
  std::size_t overlapped = 0;
  for_each_shape([&](const pipeline_shape& shape) {
    CAPTURE(static_cast<int>(shape.schedule));
    CAPTURE(shape.ranks);
    CAPTURE(shape.chunks);
    CAPTURE(shape.micro_batches);
    CAPTURE(shape.overlaps);
    ++shapes;
    overlapped += shape.overlaps ? 1 : 0;
    const rank_orders orders = orders_of(shape);
    for (const auto& order : orders) CHECK(each_pass_once(shape, order));
    const slow_graph graph{shape.schedule, orders};
    CHECK(graph.sorted().size() == graph.nodes.size());
    check_graph(shape, orders, graph);
    for (int i = 0; i < 2; ++i) {
      const random_times times{shape, random};
      auto record = replayed(shape, times);
      CHECK(record.result.ok());
      check_times(record, graph, times);
      check_peaks(record);
      for (std::int64_t rank = 0; rank < shape.ranks; ++rank)
        CHECK(record.ranks[static_cast<std::size_t>(rank)].most_held <= promised(shape, rank));
    }
  });
  CHECK(shapes > 600);
  CHECK(overlapped > 100);
}

// Megatron-LM refuses a last group of fewer micro-batches than ranks (schedules.py, forward_backward_pipelining_with_interleaving). It has
// to: the ranks would wait for each other.
TEST_CASE("a last group that is too small") {
  const pipeline_shape shape{.ranks = 4, .chunks = 3, .micro_batches = 5};
  const slow_graph graph{shape.schedule, orders_of(shape)};
  CHECK(graph.sorted().size() < graph.nodes.size());
  CHECK(replayed(shape, equal_times{}).result.status == replay_status::deadlock);
}

namespace {

/// Where chunks lie, for orders of one's own.
pipeline_shape random_placement(random_numbers& random) {
  constexpr schedule placements[] = {schedule::one_forward_one_backward, schedule::zb_v, schedule::dualpipe};
  pipeline_shape shape{.schedule = placements[random.below(3)]};
  shape.ranks = 1 + random.below(5);
  shape.chunks = 1 + random.below(3);
  shape.micro_batches = 1 + random.below(6);
  if (shape.schedule == schedule::dualpipe) shape.micro_batches *= 2;
  return shape;
}

/// All passes that there are, whole or split backward passes, each rank's in an order in which it could do them by itself.
rank_orders random_orders(const pipeline_shape& shape, random_numbers& random) {
  rank_orders orders;
  const std::int64_t micro_batches = shape.schedule == schedule::dualpipe ? shape.micro_batches / 2 : shape.micro_batches;
  for (std::int64_t rank = 0; rank < shape.ranks; ++rank) {
    auto& order = orders.emplace_back();
    for (std::int64_t chunk = 0; chunk < chunks_of_rank(shape); ++chunk)
      for (std::int64_t m = 0; m < micro_batches; ++m) {
        order.push_back({pass::forward, chunk, m});
        const bool split = random.one_in(2);
        order.push_back({split ? pass::input_gradient : pass::backward, chunk, m});
        if (split) order.push_back({pass::weight_gradient, chunk, m});
      }
  }
  return orders;
}

/// In an order in which all ranks together can do them: at random, one that may be done next.
rank_orders rearranged(const pipeline_shape& shape, const rank_orders& passes, random_numbers& random) {
  const slow_graph graph{shape.schedule, passes};
  std::vector<std::size_t> missing;
  std::vector<std::vector<std::size_t>> behind(graph.nodes.size());
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    missing.push_back(graph.nodes[i].data.size());
    for (const std::size_t from : graph.nodes[i].data) behind[from].push_back(i);
    if (missing[i] == 0) ready.push_back(i);
  }
  rank_orders result(passes.size());
  while (!ready.empty()) {
    const auto chosen = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(ready.size())));
    std::swap(ready[chosen], ready.back());
    const std::size_t node = ready.back();
    ready.pop_back();
    result[static_cast<std::size_t>(graph.nodes[node].rank)].push_back(graph.nodes[node].operation);
    for (const std::size_t next : behind[node])
      if (--missing[next] == 0) ready.push_back(next);
  }
  return result;
}

/// Makes a forward pass and a whole backward pass next to each other one operation, here and there.
void join_some(rank_orders& orders, random_numbers& random) {
  for (auto& order : orders)
    for (std::size_t i = 0; i + 1 < order.size(); ++i) {
      const operation& a = order[i];
      const operation& b = order[i + 1];
      const bool both =
          (a.kind == pass::forward && b.kind == pass::backward) || (a.kind == pass::backward && b.kind == pass::forward);
      if (!both || !random.one_in(3)) continue;
      const operation& ahead = a.kind == pass::forward ? a : b;
      const operation& back = a.kind == pass::forward ? b : a;
      order[i] = {pass::forward_and_backward, ahead.chunk, ahead.micro_batch, back.chunk, back.micro_batch};
      order.erase(order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
}

/// Changes places of some operations, so that the order may not be possible any more.
void disturb(rank_orders& orders, random_numbers& random) {
  const std::int64_t swaps = random.below(4);
  for (std::int64_t i = 0; i < swaps; ++i) {
    auto& order = orders[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(orders.size())))];
    const auto size = static_cast<std::int64_t>(order.size());
    const std::int64_t from = random.below(size);
    const std::int64_t to = random.below(size);
    std::swap(order[static_cast<std::size_t>(from)], order[static_cast<std::size_t>(to)]);
  }
}

/// A circle: each operation is in the order that it is said to be in, and comes before the next one for the reason given.
void check_circle(replay_record<listed_operations>& record, const slow_graph& graph) {
  struct link {
    std::size_t node;
    precedence to_next;
  };
  std::vector<link> circle;
  visit_deadlock(record.result, record.view(), [&](std::int64_t rank, const operation& o, precedence to_next) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      if (graph.nodes[i].rank == rank && graph.nodes[i].operation == o) circle.push_back({i, to_next});
  });
  REQUIRE(!circle.empty());
  const std::vector<std::size_t> possible = graph.sorted();
  for (std::size_t i = 0; i < circle.size(); ++i) {
    const auto [node, to_next] = circle[i];
    const std::size_t next = circle[(i + 1) % circle.size()].node;
    CHECK(std::find(possible.begin(), possible.end(), node) == possible.end());
    if (to_next == precedence::order)
      CHECK((graph.nodes[next].has_before && next == node + 1));
    else
      CHECK(graph.nodes[next].data.count(node) == 1);
  }
  CHECK(circle.front().node != circle.back().node + (circle.size() == 1 ? 1 : 0));
}

} // namespace

TEST_CASE("random orders: the times of the longest paths, or a circle that is one") {
  random_numbers random{2};
  std::size_t finished = 0;
  std::size_t deadlocks = 0;
  std::size_t longest_circle = 0;
  for (int i = 0; i < 3000; ++i) {
    const pipeline_shape shape = random_placement(random);
    const rank_orders passes = random_orders(shape, random);
    rank_orders orders = rearranged(shape, passes, random);
    if (random.one_in(2)) join_some(orders, random);
    if (random.one_in(2)) disturb(orders, random);
    const random_times times{shape, random};
    const slow_graph graph{shape.schedule, orders};
    const bool possible = graph.sorted().size() == graph.nodes.size();
    CAPTURE(i);
    auto record = replayed(shape, times, orders);
    CHECK(record.result.ok() == possible);
    if (possible) {
      ++finished;
      check_times(record, graph, times);
      check_peaks(record);
      check_graph(shape, orders, graph);
    } else {
      ++deadlocks;
      CHECK(record.result.status == replay_status::deadlock);
      CHECK(record.done.size() == graph.sorted().size()); // Whatever could be done was done.
      check_circle(record, graph);
      std::size_t length = 0;
      visit_deadlock(record.result, record.view(), [&](std::int64_t, const operation&, precedence) { ++length; });
      longest_circle = std::max(longest_circle, length);
    }
  }
  CHECK(finished > 500);
  CHECK(deadlocks > 500);
  CHECK(longest_circle > 5);
}

TEST_CASE("random orders with a pass too few or too many") {
  random_numbers random{3};
  std::size_t missing = 0;
  std::size_t unfinished = 0;
  for (int i = 0; i < 1500; ++i) {
    const pipeline_shape shape = random_placement(random);
    const rank_orders passes = random_orders(shape, random);
    rank_orders orders = rearranged(shape, passes, random);
    const std::int64_t rank = random.below(shape.ranks);
    auto& order = orders[static_cast<std::size_t>(rank)];
    const std::int64_t place = random.below(static_cast<std::int64_t>(order.size()));
    const auto at = order.begin() + static_cast<std::ptrdiff_t>(place);
    const operation changed = *at;
    const bool too_few = random.one_in(2);
    CAPTURE(i);
    if (too_few) {
      order.erase(at);
    } else {
      order.push_back(changed);
    }
    auto record = replayed(shape, equal_times{}, orders);
    if (!too_few) {
      CHECK(record.result.status == replay_status::repeated_pass);
      CHECK(record.result.rank == rank);
      CHECK(record.result.next == changed);
      continue;
    }
    const required_pass& required = record.result.required;
    CHECK(required.place == chunk_place{rank, changed.chunk});
    CHECK(required.micro_batch == changed.micro_batch);
    if (record.result.status == replay_status::missing_pass) {
      ++missing;
      CHECK(fulfils(required, rank, changed));
      CHECK(visit_required(shape, record.result.rank, record.result.next, [](const required_pass&) { return true; }));
    } else {
      ++unfinished;
      CHECK(record.result.status == replay_status::unfinished);
      const bool whole = changed.kind == pass::backward && required.kind == pass::input_gradient;
      CHECK((whole || required.kind == changed.kind));
    }
  }
  CHECK(missing > 100);
  CHECK(unfinished > 100);
}
