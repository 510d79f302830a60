#include <moeplan/verify/legal.hpp>

#include "random_deployment.hpp"
#include "support/both_times.hpp"
#include "verify/examples.hpp"

#include <string>

#include <moeplan/verify/check.hpp>

using namespace moeplan;

namespace {

constexpr bool are(const legal_values& values) { return values.empty(); }
constexpr bool are(const legal_values& values, std::int64_t a) { return values.size() == 1 && values[0] == a; }
constexpr bool are(const legal_values& values, std::int64_t a, std::int64_t b) {
  return values.size() == 2 && values[0] == a && values[1] == b;
}

BOTH_TIMES("nearest divisors", [] {
  EXPECT(are(detail::divisors(256, 60), 32, 64));
  EXPECT(are(detail::divisors(7, 2), 1, 7));
  EXPECT(are(detail::divisors(16, 32), 16));
  EXPECT(are(detail::divisors(16, 1), 2));
  EXPECT(are(detail::divisors(0, 5)));
  EXPECT(are(detail::divisors(-16, 3)));
  EXPECT(are(detail::divisors(16, 0)));
  EXPECT(are(detail::divisors(16, -3)));
});

BOTH_TIMES("nearest multiples", [] {
  EXPECT(are(detail::multiples(8, 60), 56, 64));
  EXPECT(are(detail::multiples(8, 3), 8));
  EXPECT(are(detail::multiples(8, 0), 8));
  EXPECT(are(detail::multiples(0, 60)));
  EXPECT(are(detail::multiples(8, -1)));
  EXPECT(are(detail::multiples(INT64_MAX - 1, INT64_MAX), INT64_MAX - 1)); // The next one does not fit.
});

constexpr facts with_sequence(std::int64_t cp, std::int64_t tp, std::int64_t sp, std::int64_t sequence, profile p) {
  facts f;
  f.known = known::training | known::cp | known::tp | known::sp;
  f.cp = cp, f.tp = tp, f.sp = sp, f.sequence_length = sequence, f.profile = p;
  return f;
}

BOTH_TIMES("a sequence length is legal for CP and SP at once", [] {
  EXPECT(are(detail::legal_sequence(with_sequence(1, 1, 1, 7, profile::megatron)), 6, 8));
  EXPECT(are(detail::legal_sequence(with_sequence(4, 1, 1, 30, profile::megatron)), 24, 32));
  EXPECT(are(detail::legal_sequence(with_sequence(4, 1, 1, 30, profile::universal)), 28, 32));
  EXPECT(are(detail::legal_sequence(with_sequence(4, 3, 3, 30, profile::megatron)), 24, 48)); // Multiples of 8 and of 12.
  EXPECT(are(detail::legal_sequence(with_sequence(4, 3, 1, 30, profile::megatron)), 24, 32));
  EXPECT(are(detail::legal_sequence(with_sequence(INT64_MAX, 3, 3, 30, profile::megatron))));
  EXPECT(are(detail::legal_sequence(with_sequence(INT64_MAX, 1, 1, 30, profile::megatron))));
});

BOTH_TIMES("TP next to the largest number there is", [] {
  facts f;
  f.profile = profile::universal;
  f.tp = f.heads = INT64_MAX;
  f.kv_heads = 1;
  f.vocabulary_multiple = 1;
  EXPECT(are(detail::legal_tp(f))); // Below it no divisor is in reach, above it there is nothing.
  f.heads = INT64_MAX - 1;
  EXPECT(are(detail::legal_tp(f), INT64_MAX - 1));
  f.heads = 2;
  EXPECT(are(detail::legal_tp(f), 2));
});

constexpr legal_values global_batch(std::int64_t described, deployment d) {
  d.workload.train.global_batch = described;
  return detail::legal_global_batch(facts_of(d));
}

BOTH_TIMES("a global batch is legal for DP and the pipeline at once", [] {
  using moeplan_test::in;
  using moeplan_test::trained;
  using moeplan_test::trained_with;
  // Micro-batches of two on DP 4: eight sequences, and on PP 4 with two virtual stages each 32 are a group.
  const deployment interleaved = trained_with(pp{4});
  EXPECT(are(global_batch(100, interleaved), 96, 128));
  EXPECT(are(global_batch(96, interleaved), 64, 128));
  EXPECT(are(global_batch(32, interleaved), 64));
  EXPECT(are(global_batch(31, interleaved), 32));
  EXPECT(are(global_batch(-1, interleaved), 32));
  EXPECT(are(global_batch(100, in(profile::universal, interleaved)), 96, 104));
  EXPECT(are(global_batch(100, trained_with(pp{4}, vpp{1})), 96, 104));
  // torchtitan: 9 and 11 micro-batches on PP 4 are two rounds of different length.
  EXPECT(are(global_batch(73, in(profile::torchtitan, interleaved)), 64, 80));
  EXPECT(are(global_batch(88, in(profile::torchtitan, interleaved)), 80, 96));
  EXPECT(are(global_batch(32, in(profile::torchtitan, trained_with(pp{4}, vpp{1}))), 40));
  deployment both_ways = trained_with(pp{4}, vpp{1});
  both_ways.workload.train.schedule = schedule::dualpipe;
  EXPECT(are(global_batch(1, both_ways), 64));
  EXPECT(are(global_batch(70, both_ways), 64, 80));
  EXPECT(are(global_batch(64, both_ways), 80));
  both_ways.workload.train.schedule = schedule::dualpipe_v;
  EXPECT(are(global_batch(70, both_ways), 64, 72));
  // Nothing is legal that does not fit into 63 bits.
  EXPECT(are(global_batch(INT64_MAX, trained), INT64_MAX / 16 * 16));
  EXPECT(are(global_batch(64, trained_with(pp{INT64_MAX / 4}))));
  EXPECT(are(global_batch(64, trained_with(dp{INT64_MAX}))));
  const deployment one_by_one = moeplan_test::changed(in(profile::torchtitan, trained_with(pp{4}, dp{1}, ep{1})),
                                                      [](auto& d) { d.workload.train.micro_batch = 1; });
  EXPECT(are(global_batch(INT64_MAX - 2, one_by_one), INT64_MAX - 3)); // 2^61 - 1 rounds of four; one more in each is too many
});

/// Whether the second check finds an error that the first could judge and did not find, about the operand that was changed. (With EP 0 no
/// rule on EP can be judged but that it is at least 1.)
bool brings_an_error_about(text operand, const findings& before, const findings& after) {
  for (const finding f : after)
    if (f.level() == severity::error && f.changes() == operand && !before.contains(f.id()) &&
        before.facts.knows(rules::entry(f.id()).needs))
      return true;
  return false;
}

TEST_CASE("whatever is suggested, followed, satisfies the rule and breaks no other on the same operand") {
  moeplan_test::random_deployments random{7};
  std::size_t followed = 0;
  for (int i = 0; i < 100'000; ++i) {
    const deployment d = random.next();
    const findings found = check(d);
    for (const finding f : found) {
      std::int64_t before = INT64_MIN;
      for (const std::int64_t value : f.legal()) {
        deployment better = d;
        const std::string name{f.name().data(), f.name().size()};
        INFO("case " << i << ": " << name << ", " << value);
        REQUIRE(value > before);
        REQUIRE(moeplan_test::follow(better, f.changes(), value));
        REQUIRE(better != d);
        const findings after = check(better);
        REQUIRE(!after.contains(f.id()));
        REQUIRE(!brings_an_error_about(f.changes(), found, after));
        before = value;
        ++followed;
      }
    }
  }
  CHECK(followed > 50'000);
}

} // namespace
