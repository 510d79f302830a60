// The operations of a pipeline as a graph in memory, the obvious way: every operation a node, found by what it computes. It knows virtual
// stages, and nothing of what the library says about neighbours, waiting or cycles.
#pragma once

#include <moeplan/pipeline/operation.hpp>
#include <moeplan/pipeline/stage_placement.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace moeplan_test {

using rank_orders = std::vector<std::vector<moeplan::operation>>; ///< by rank

class slow_graph {
public:
  struct node {
    std::int64_t rank = 0;
    moeplan::operation operation{};
    std::set<std::size_t> data; ///< what it needs
    bool has_before = false;    ///< the node before is of the same rank
    bool misses = false;        ///< it needs something that is in no order
  };

  slow_graph(moeplan::schedule placement, const rank_orders& orders) : placement_{placement} {
    ranks_ = static_cast<std::int64_t>(orders.size());
    for (std::size_t rank = 0; rank < orders.size(); ++rank)
      for (std::size_t i = 0; i < orders[rank].size(); ++i) {
        nodes.push_back({static_cast<std::int64_t>(rank), orders[rank][i], {}, i > 0, false});
        enter(nodes.size() - 1);
      }
    for (node& n : nodes) connect(n);
  }

  /// Nodes that no other has to wait for any more, one after the other; the rest is in or behind a cycle.
  [[nodiscard]] std::vector<std::size_t> sorted(bool with_order = true) const {
    std::vector<std::size_t> missing(nodes.size());
    std::vector<std::vector<std::size_t>> behind(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i)
      for (const std::size_t from : predecessors(i, with_order)) {
        ++missing[i];
        behind[from].push_back(i);
      }
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (missing[i] == 0 && !nodes[i].misses) result.push_back(i);
    for (std::size_t done = 0; done < result.size(); ++done)
      for (const std::size_t next : behind[result[done]])
        if (--missing[next] == 0 && !nodes[next].misses) result.push_back(next);
    return result;
  }

  [[nodiscard]] std::set<std::size_t> predecessors(std::size_t i, bool with_order = true) const {
    std::set<std::size_t> all = nodes[i].data;
    if (with_order && nodes[i].has_before) all.insert(i - 1);
    return all;
  }

  /// When each node ends if nothing but its predecessors holds it up: the longest path to it. Precondition: no cycle.
  template <class Times>
  [[nodiscard]] std::vector<std::int64_t> ends(const Times& times, bool with_order = true) const {
    std::vector<std::int64_t> result(nodes.size());
    for (const std::size_t i : sorted(with_order)) {
      std::int64_t start = 0;
      for (const std::size_t from : predecessors(i, with_order)) {
        const bool travels = nodes[from].rank != nodes[i].rank;
        start = std::max(start, result[from] + (travels ? times.transfer(nodes[from].rank, nodes[i].rank) : 0));
      }
      result[i] = start + times.of(nodes[i].rank, nodes[i].operation);
    }
    return result;
  }

  std::vector<node> nodes; ///< rank after rank, each in its order

private:
  // Direction of DualPipe, virtual stage, micro-batch, whether it is the backward pass.
  using result_key = std::tuple<std::int64_t, std::int64_t, std::int64_t, bool>;

  [[nodiscard]] result_key key(std::int64_t rank, std::int64_t chunk, std::int64_t micro_batch, bool backward) const {
    const std::int64_t stage = moeplan::virtual_stage(placement_, ranks_, rank, chunk);
    return {placement_ == moeplan::schedule::dualpipe ? chunk : 0, stage, micro_batch, backward};
  }

  static bool goes_forward(const moeplan::operation& o) {
    return o.kind == moeplan::pass::forward || o.kind == moeplan::pass::forward_and_backward;
  }
  static bool goes_back(const moeplan::operation& o) {
    return !goes_forward(o) ? o.kind != moeplan::pass::weight_gradient : o.kind == moeplan::pass::forward_and_backward;
  }
  [[nodiscard]] result_key back_key(std::int64_t rank, const moeplan::operation& o) const {
    const bool pair = o.kind == moeplan::pass::forward_and_backward;
    return key(rank, pair ? o.backward_chunk : o.chunk, pair ? o.backward_micro_batch : o.micro_batch, true);
  }

  void enter(std::size_t i) {
    const node& n = nodes[i];
    if (goes_forward(n.operation)) made_by_[key(n.rank, n.operation.chunk, n.operation.micro_batch, false)] = i;
    if (goes_back(n.operation)) made_by_[back_key(n.rank, n.operation)] = i;
    stages_ = std::max(stages_, std::get<1>(key(n.rank, n.operation.chunk, 0, false)) + 1);
  }

  void need(node& n, const result_key& what) {
    const auto found = made_by_.find(what);
    if (found == made_by_.end())
      n.misses = true;
    else
      n.data.insert(found->second);
  }

  void connect(node& n) {
    const moeplan::operation& o = n.operation;
    if (goes_forward(o)) {
      auto [direction, stage, micro_batch, backward] = key(n.rank, o.chunk, o.micro_batch, false);
      if (stage > 0) need(n, {direction, stage - 1, micro_batch, backward});
    }
    if (goes_back(o)) {
      auto [direction, stage, micro_batch, backward] = back_key(n.rank, o);
      need(n, {direction, stage, micro_batch, false});
      if (stage + 1 < stages_) need(n, {direction, stage + 1, micro_batch, true});
    }
    if (o.kind == moeplan::pass::weight_gradient) need(n, key(n.rank, o.chunk, o.micro_batch, true));
  }

  moeplan::schedule placement_;
  std::int64_t ranks_ = 0;
  std::int64_t stages_ = 0;
  std::map<result_key, std::size_t> made_by_;
};

} // namespace moeplan_test
