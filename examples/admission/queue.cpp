#include "queue.hpp"

#include <utility>

namespace admission {

namespace {

/// A gate has other things to do than to look at more for one job.
constexpr std::int64_t most_considered = 20'000;

std::vector<share> shares_of(const placement& p, free_gpus free) {
  std::vector<share> shares;
  std::int64_t rank = 0;
  for (std::size_t node = 0; node < free.size(); ++node) {
    const std::int64_t gpus = p.gpus_on(node, free[node]);
    if (gpus == 0) continue;
    shares.push_back({node, gpus, rank});
    rank += gpus;
  }
  return shares;
}

} // namespace

std::optional<way_out> way_out_of(const moeplan::deployment& refused, free_gpus free, policy how) {
  moeplan::deployment wanted = refused;
  wanted.strategy.mapping = moeplan::mapping::folded;
  if (wanted.strategy.resolved())
    wanted.cluster = detail::own_cluster(wanted);
  else if (!wanted.cluster.described())
    wanted.cluster.total = sum(free);
  tool::repair_report found = tool::report_repairs(wanted, {.further_changes = 0, .most_considered = most_considered}, 1);
  if (found.entries.empty()) return std::nullopt;
  way_out way{.repair = std::move(found.entries[0])};
  way.decision = decide(way.repair.deployment, free, how);
  if (way.decision.verdict == verdict::refused) return std::nullopt;
  return way;
}

void pass_through(std::vector<job>& queue, std::vector<std::int64_t>& free, policy how, passing rule) {
  const job* waiting = nullptr;
  for (job& next : queue) {
    next.free = sum(free);
    next.decision = decide(next.deployment, free, how);
    if (next.decision.verdict == verdict::admitted && rule == passing::refused && waiting != nullptr) {
      next.decision.verdict = verdict::queued;
      next.waits_behind = waiting;
    }
    if (next.decision.verdict == verdict::refused) next.way_out = way_out_of(next.deployment, free, how);
    if (next.decision.verdict == verdict::queued && waiting == nullptr) waiting = &next;
    if (next.decision.verdict != verdict::admitted) continue;
    next.shares = shares_of(next.decision.where.placement, free);
    take(next.decision.where.placement, free);
  }
}

} // namespace admission
