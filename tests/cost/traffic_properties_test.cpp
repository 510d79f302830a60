// What holds of every communication of any deployment, held against what its ranks do one by one.
#include <moeplan/cost/traffic.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include <moeplan/cost/topology.hpp>
#include <moeplan/verify/check.hpp>

#include "number/oracle.hpp"
#include "verify/random_deployment.hpp"

#include "slow_topology.hpp"

using namespace moeplan;
using namespace moeplan_test;
using oracle::fraction;
using oracle::integer;

namespace {

constexpr std::int64_t most_ranks = 64;

/// Legal, with DP given, on so few ranks that each can be looked at.
bool is_small_and_legal(deployment& d) {
  const findings found = check(d);
  if (!found.ok() || !found.facts.knows(known::grids) || found.facts.gpus > most_ranks) return false;
  d.strategy.set(axis::dp, found.facts.dp);
  return true;
}

/// Messages from rank to rank, as a collective that takes one step around a ring or goes straight to everybody: how many take which
/// links, and how many each rank sends.
struct messages {
  by_link<std::int64_t> taken;
  std::map<std::int64_t, std::int64_t> sent;
};

class message_counter {
public:
  message_counter(collective kind, const link_reach& reach) : kind_{kind}, reach_{reach} {}

  [[nodiscard]] messages of(const groups_of_ranks& all) {
    for (const ranks_of_group& group : all) {
      const std::size_t n = group.size();
      for (std::size_t i = 0; i < n && n > 1; ++i) {
        if (kind_ != collective::all_to_all) {
          if (kind_ != collective::broadcast || i + 1 < n) count(group, group[i], group[(i + 1) % n]);
          continue;
        }
        for (std::size_t j = 0; j < n; ++j)
          if (j != i) count(group, group[i], group[j]);
      }
    }
    return std::move(result_);
  }

private:
  void count(const ranks_of_group& group, std::int64_t from, std::int64_t to) {
    ++result_.sent[from];
    const bool straight = kind_ == collective::all_to_all;
    if (from / reach_.gpus_per_node == to / reach_.gpus_per_node)
      ++result_.taken.within_node;
    else if (from / reach_.nvlink_gpus == to / reach_.nvlink_gpus)
      ++result_.taken.within_domain;
    else if (straight ? from % reach_.gpus_per_node == to % reach_.gpus_per_node : have_a_rail_in_common(group, from, to, reach_))
      ++result_.taken.on_rail;
    else
      ++result_.taken.across_rails;
  }

  collective kind_;
  link_reach reach_;
  messages result_;
};

fraction exact(const ratio& r) { return fraction{integer{r.numerator.value()}, integer{r.denominator.value()}}; }

/// Judges the communications of one deployment on nodes of one size.
class judge {
public:
  judge(const deployment& d, const link_reach& reach)
      : deployment_{&d}, reach_{reach}, mesh_{d.strategy}, where_{d.strategy, reach}, one_node_{d.strategy, mesh_.world()} {}

  void operator()(const communication& c) {
    if (c.group_bytes().overflowed()) return;
    ++communications;
    const by_link<ratio> links = where_.link_bytes_of(c);
    const fraction sent = fraction{integer{c.group_bytes().value()}} / c.senders();
    CHECK(exact(links.sum()) == sent);
    CHECK(exact(where_.bytes_of(c).within_node) + exact(where_.bytes_of(c).between_nodes) == sent);
    CHECK(links.within_node == where_.bytes_of(c).within_node);
    CHECK(one_node_.link_bytes_of(c).within_node == links.sum());
    if (c.part == group_part::stages) {
      if (c.kind == collective::send) exchanged_[{c.from_stage, c.to_stage}] += c.group_bytes().value();
      return;
    }
    const messages& all = messages_of(c);
    const auto share = [&](std::int64_t taken) { return all.sent.empty() ? fraction{0} : sent * taken / all.taken.sum(); };
    CHECK(exact(links.within_node) == (all.sent.empty() ? sent : share(all.taken.within_node)));
    CHECK(exact(links.within_domain) == share(all.taken.within_domain));
    CHECK(exact(links.on_rail) == share(all.taken.on_rail));
    CHECK(exact(links.across_rails) == share(all.taken.across_rails));
    CHECK(all.sent.size() <= static_cast<std::size_t>(mesh_.world() / deployment_->strategy[axis::pp]));
    if (links.network() > ratio{0}) ++leave_a_domain;
  }

  /// Activations that a stage sends to another come back as gradients of the same size; a server's do not.
  void judge_stages() const {
    for (const auto& [stages, bytes] : exchanged_) {
      const auto back = exchanged_.find({stages.second, stages.first});
      if (deployment_->workload.is_training()) CHECK((back != exchanged_.end() && back->second == bytes));
    }
  }

  int communications = 0;
  int leave_a_domain = 0;

private:
  const messages& messages_of(const communication& c) {
    const std::tuple key{c.group.grid, c.group.places, c.part, c.ranks, c.kind, c.from_stage};
    if (const auto known = messages_.find(key); known != messages_.end()) return known->second;
    groups_of_ranks all;
    for (const ranks_of_group& group : groups_by_comparison(mesh_, 0, c.group))
      if (mesh_.dense_at(group[0]).pp == c.from_stage) all.push_back(group);
    if (c.part != group_part::all) all = cut(all, c.part, c.ranks);
    CHECK(static_cast<std::int64_t>(all[0].size()) == c.ranks);
    return messages_.emplace(key, message_counter{c.kind, reach_}.of(all)).first->second;
  }

  const deployment* deployment_;
  link_reach reach_;
  mesh mesh_;
  topology where_;
  topology one_node_;
  std::map<std::tuple<grid_kind, std::uint16_t, group_part, std::int64_t, collective, std::int64_t>, messages> messages_;
  std::map<std::pair<std::int64_t, std::int64_t>, integer> exchanged_;
};

TEST_CASE("bytes of random deployments, link by link and rank by rank") {
  random_deployments random{41};
  const std::int64_t nodes[] = {1, 2, 3, 4, 6, 8};
  int training = 0;
  int serving = 0;
  int communications = 0;
  int leave_a_domain = 0;
  for (std::size_t i = 0; i < 16'000; ++i) {
    deployment d = random.next();
    if (!is_small_and_legal(d)) continue;
    ++(d.workload.is_training() ? training : serving);
    const std::int64_t node = nodes[i % 6];
    judge all{d, {node, node * static_cast<std::int64_t>(1 + i / 6 % 3)}};
    INFO("deployment ", i, " on nodes of ", node);
    visit_traffic(d, all);
    all.judge_stages();
    communications += all.communications;
    leave_a_domain += all.leave_a_domain;
  }
  CHECK(training > 100);
  CHECK(serving > 100);
  CHECK(communications > 10'000);
  CHECK(leave_a_domain > 1'000);
}

} // namespace
