#include "queue.hpp"

namespace admission {

namespace {

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

void pass_through(std::vector<job>& queue, std::vector<std::int64_t>& free, policy how, passing rule) {
  const job* waiting = nullptr;
  for (job& next : queue) {
    next.free = sum(free);
    next.decision = decide(next.deployment, free, how);
    if (next.decision.verdict == verdict::admitted && rule == passing::refused && waiting != nullptr) {
      next.decision.verdict = verdict::queued;
      next.waits_behind = waiting;
    }
    if (next.decision.verdict == verdict::queued && waiting == nullptr) waiting = &next;
    if (next.decision.verdict != verdict::admitted) continue;
    next.shares = shares_of(next.decision.where.placement, free);
    take(next.decision.where.placement, free);
  }
}

} // namespace admission
