// What must hold of any deployment, however wrong.
#pragma once

#include <cstdint>
#include <limits>

#include <moeplan/memory/memory.hpp>
#include <moeplan/mesh/gpus.hpp>
#include <moeplan/mesh/mesh.hpp>
#include <moeplan/mesh/stage_layers.hpp>
#include <moeplan/verify/check.hpp>
#include <moeplan/verify/resolve.hpp>

#include "expect.hpp"
#include "verify/examples.hpp"

namespace moeplan_fuzz {

namespace detail {

inline bool same_findings(const moeplan::findings& a, const moeplan::findings& b) {
  for (std::size_t i = 0; i < moeplan::rule_count; ++i) {
    const auto id = static_cast<moeplan::rule>(i);
    if (a.contains(id) != b.contains(id)) return false;
  }
  return true;
}

/// Whether findings are listed as counted, can be said, and go away when a suggestion is followed.
inline void expect_helpful(const moeplan::deployment& d, const moeplan::findings& found) {
  std::size_t listed = 0;
  for (const moeplan::finding f : found) {
    ++listed;
    moeplan::message_text sentence = f.message();
    expect(sentence.size() != 0 && !f.name().empty() && !f.source().empty(), "a finding has a name, a source and a sentence");
    moeplan::append_legal(sentence, f);
    expect(!sentence.truncated(), "a sentence with its legal values is not cut off");
    for (const moeplan::operand_value& o : f.operands()) expect(!o.name.empty(), "an operand has a name");
    std::int64_t before = std::numeric_limits<std::int64_t>::min();
    for (const std::int64_t value : f.legal()) {
      moeplan::deployment better = d;
      expect(value > before, "legal values ascend");
      expect(moeplan_test::follow(better, f.changes(), value), "what is to be changed exists");
      expect(better != d, "a legal value is not the one that stands there");
      expect(!moeplan::check(better).contains(f.id()), "a legal value satisfies the rule");
      before = value;
    }
  }
  expect(listed == found.size() && found.empty() == (listed == 0), "findings are as many as are listed");
  const bool errors = found.count(moeplan::severity::error) != 0;
  expect(found.ok() == !errors, "a deployment is ok exactly when it has no errors");
}

/// Whether resolve() finds what check() finds about degrees and GPUs, and a derived DP makes no difference.
inline void expect_resolved_alike(const moeplan::deployment& d, std::int64_t world) {
  const moeplan::resolution r = moeplan::resolve(d.strategy, world);
  const moeplan::findings whole = moeplan::check({.cluster = {.total = world}, .strategy = d.strategy});
  for (std::size_t i = 0; i <= static_cast<std::size_t>(moeplan::rule::mapping_is_folded); ++i) {
    const auto id = static_cast<moeplan::rule>(i);
    expect(r.findings.contains(id) == whole.contains(id), "resolve and check agree on the number of GPUs");
  }
  if (!r.ok()) return expect(r.strategy == d.strategy, "what cannot be resolved stays as it was");
  expect(r.strategy.resolved(), "what resolves is resolved");
  expect(d.strategy.resolved() ? r.strategy == d.strategy : r.strategy[moeplan::axis::dp] == whole.facts.dp,
         "resolve and check derive the same DP");
  expect(moeplan::resolve(r.strategy, world).ok(), "what is resolved stays so");
}

/// Whether every layer is on exactly one stage. Precondition: check accepts the deployment.
inline void expect_every_layer_once(const moeplan::deployment& d) {
  const moeplan::facts f = moeplan::facts_of(d);
  moeplan::strategy s = d.strategy;
  s.set(moeplan::axis::vpp, f.vpp);
  const std::int64_t stages = moeplan::virtual_stages(s, d.layout);
  expect(stages == f.pp * f.vpp, "there are PP x VPP virtual stages");
  if (stages > 1024) return;
  std::int64_t layers = 0;
  std::int64_t mtp = 0;
  for (std::int64_t i = 0; i < stages; ++i) {
    const moeplan::stage_contents stage = moeplan::contents(d.model, s, d.layout, i);
    expect(stage.first_layer == layers && stage.decoder_layers >= 0 && stage.mtp_layers >= 0,
           "a stage begins where the one before ends");
    expect(stage.embedding == (i == 0) && stage.loss == (i == stages - 1), "embedding first, loss last");
    layers += stage.decoder_layers;
    mtp += stage.mtp_layers;
  }
  expect(layers == d.model.layers && mtp == d.model.mtp_layers, "every layer is on a stage");
}

/// Whether a rank is where its coordinates are, and a member of its own groups. Precondition: folded, check accepts the deployment.
inline void expect_consistent_mesh(const moeplan::mesh& m) {
  // The first, the last, and some in between.
  for (std::int64_t i = 0; i <= 7; ++i) {
    const std::int64_t rank = i == 7 ? m.world() - 1 : m.world() / 7 * i;
    expect(m.rank(m.dense_at(rank)) == rank, "dense coordinates give the rank back");
    expect(m.rank(m.expert_at(rank)) == rank, "expert coordinates give the rank back");
    for (const moeplan::group_axes along : {moeplan::groups::tp, moeplan::groups::dp, moeplan::groups::pp, moeplan::groups::ep}) {
      const moeplan::rank_group group = m.group(along, rank);
      bool member = group.size() > 4096;
      if (!member)
        for (const std::int64_t other : group) member = member || other == rank;
      expect(member, "a rank is in its own group");
    }
  }
}

/// Whether memory() says what check() says. Precondition: check knows the memory of the deployment.
inline void expect_same_memory(const moeplan::deployment& d, const moeplan::facts& f) {
  expect(f.peak_bytes >= 0 && f.capacity_bytes >= 0 && f.missing_bytes >= 0, "amounts of memory are not negative");
  expect(f.missing_bytes == (f.peak_bytes > f.capacity_bytes ? f.peak_bytes - f.capacity_bytes : 0), "what is missing is missing");
  if (d.workload.is_serving()) expect(f.one_request_bytes <= f.peak_bytes, "one request takes no more than the batch");
  const moeplan::stage_memory fullest = moeplan::memory(d).fullest_stage();
  if (fullest.peak().overflowed() || fullest.peak().value() >> 63 != 0)
    return expect(f.peak_bytes == std::numeric_limits<std::int64_t>::max(), "more than 63 bits are as many as there are");
  expect(static_cast<std::int64_t>(fullest.peak().value()) == f.peak_bytes, "memory and check find the same peak");
  expect(fullest.stage == f.fullest_stage, "on the same stage");
}

/// Calculators, of a deployment that check accepts.
inline void expect_computable(const moeplan::deployment& d, const moeplan::findings& found) {
  const moeplan::facts& f = found.facts;
  if (!f.knows(moeplan::known::degrees | moeplan::known::no_overflow))
    return expect(false, "an accepted deployment has all degrees");
  moeplan::strategy s = d.strategy;
  s.set(moeplan::axis::dp, f.dp);
  const moeplan::count all = moeplan::gpus(s);
  expect(!all.overflowed() && all == f.gpus && f.gpus >= 1, "an accepted deployment has a number of GPUs");
  expect_every_layer_once(d);
  if (s.mapping != moeplan::mapping::folded) return;
  expect(moeplan::minimum_gpus(s) <= all, "the smallest world is no larger than the world");
  const moeplan::mesh m{s};
  expect(m.world() == f.gpus, "the mesh has the world of the strategy");
  expect_consistent_mesh(m);
}

} // namespace detail

/// Checks a deployment and everything that a check promises.
inline moeplan::findings judge(const moeplan::deployment& d) {
  const moeplan::findings found = moeplan::check(d);
  const moeplan::deployment copy = d;
  expect(detail::same_findings(found, moeplan::check(copy)), "the same deployment has the same findings");
  detail::expect_helpful(d, found);
  const moeplan::facts& f = found.facts;
  detail::expect_resolved_alike(d, f.available != 0 ? f.available : 64);
  if (f.knows(moeplan::known::dp) && !d.strategy.resolved()) {
    moeplan::deployment explicit_dp = d;
    explicit_dp.strategy.set(moeplan::axis::dp, f.dp);
    expect(moeplan::check(explicit_dp).ok() == found.ok(), "DP may be given as it is derived");
  }
  if (found.ok()) detail::expect_computable(d, found);
  if (f.knows(moeplan::known::memory)) detail::expect_same_memory(d, f);
  return found;
}

} // namespace moeplan_fuzz
