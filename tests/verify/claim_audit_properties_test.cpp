// Audits of random claims, against the rule for claims that contradict each other written out pair by pair.
#include <moeplan/verify/claim_audit.hpp>

#include <cstdint>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace moeplan;

namespace {

struct expected_claim {
  claim_outcome outcome{};
  optional_integer contradicts{};
};

/// All pairs, first those of which one holds.
std::vector<expected_claim> compared_pair_by_pair(const std::vector<claim>& claims) {
  std::vector<expected_claim> results;
  results.reserve(claims.size());
  for (const claim& c : claims) results.push_back({judge(c).outcome, {}});
  const auto fail_if_undecided = [](expected_claim& c) {
    if (c.outcome == claim_outcome::undecided) c.outcome = claim_outcome::fails;
  };
  for (const bool against_what_holds : {true, false}) {
    for (std::size_t later = 1; later < claims.size(); ++later) {
      for (std::size_t earlier = 0; earlier < later; ++earlier) {
        expected_claim& a = results[earlier];
        expected_claim& b = results[later];
        const bool one_holds = a.outcome == claim_outcome::holds || b.outcome == claim_outcome::holds;
        if ((against_what_holds && !one_holds) || !contradict(claims[earlier], claims[later])) continue;
        if (!a.contradicts.given) a.contradicts = static_cast<std::int64_t>(later);
        if (!b.contradicts.given) b.contradicts = static_cast<std::int64_t>(earlier);
        if (b.outcome == claim_outcome::holds)
          fail_if_undecided(a);
        else if (a.outcome != claim_outcome::fails)
          fail_if_undecided(b);
      }
    }
  }
  return results;
}

std::vector<audited_claim> audited(const std::vector<claim>& claims) {
  std::vector<audited_claim> results(claims.size());
  audit(claims, results);
  return results;
}

/// A number of bytes or a rate with one digit or a few, about one of few subjects, now and then a range, a limit, or one that holds or
/// fails by itself.
class source {
public:
  explicit source(std::uint32_t seed) : engine_{seed} {}

  claim draw() {
    constexpr text subjects[] = {"", "a", "b", "ab"};
    claim c{.quantity = below(3) == 0 ? claim_quantity::throughput : claim_quantity::used_memory, .subject = subjects[below(4)]};
    const bool is_rate = c.quantity == claim_quantity::throughput;
    c.claimed.unit = is_rate ? printed_unit::rate : printed_unit::bytes;
    c.claimed.thousands = 3;
    c.claimed.binary = !is_rate && below(4) == 0;
    if (is_rate) c.claimed.thing = static_cast<counted_thing>(below(4));
    c.claimed.first = c.claimed.last = number();
    if (below(5) == 0) c.claimed.last.digits += below(4);
    if (below(8) == 0) c.relation = claim_relation::at_most;
    if (is_rate || below(2) == 0) return c;
    c.inputs.set(claim_input::used_memory, c.claimed);
    if (below(3) == 0) c.claimed.first.digits = c.claimed.last.digits += 9;
    return c;
  }

private:
  std::uint64_t below(std::uint64_t n) { return std::uniform_int_distribution<std::uint64_t>{0, n - 1}(engine_); }
  printed_number number() {
    if (below(2) == 0) return {.digits = 1 + below(4)};
    return {.digits = 10 + below(31), .decimals = 1};
  }

  std::mt19937 engine_;
};

/// Claims without inputs about one subject: one number each.
std::vector<claim> claims_about_one_subject(std::size_t n, std::uint64_t (*digits)(std::size_t)) {
  std::vector<claim> claims(n);
  for (std::size_t i = 0; i < n; ++i) {
    claims[i].quantity = claim_quantity::used_memory;
    claims[i].subject = "a GPU";
    claims[i].claimed.unit = printed_unit::bytes;
    claims[i].claimed.thousands = 3;
    claims[i].claimed.first = claims[i].claimed.last = {.digits = digits(i), .decimals = 3};
  }
  return claims;
}

} // namespace

TEST_CASE("verdicts are those of comparing each pair") {
  source from{1};
  int wrong = 0;
  int contradicted = 0;
  int failed = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::vector<claim> claims(static_cast<std::size_t>(round % 24));
    for (claim& c : claims) c = from.draw();
    const auto results = audited(claims);
    const auto expected = compared_pair_by_pair(claims);
    for (std::size_t i = 0; i < claims.size(); ++i) {
      const claim_outcome alone = judge(claims[i]).outcome;
      const bool by_contradiction = alone != results[i].outcome();
      wrong += results[i].outcome() != expected[i].outcome || results[i].contradicts != expected[i].contradicts ||
                       results[i].fails_by_contradiction != by_contradiction
                   ? 1
                   : 0;
      contradicted += expected[i].contradicts.given ? 1 : 0;
      failed += by_contradiction ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
  CHECK(contradicted > 5'000);
  CHECK(failed > 1'000);
}

// Pair by pair the first of these alone would take minutes, unoptimised.
TEST_CASE("thousands of claims about one subject take time for each of them, not for each pair") {
  constexpr std::size_t n = 8'000;
  const std::clock_t start = std::clock();
  const auto same = audited(claims_about_one_subject(n, [](std::size_t) { return std::uint64_t{5'000}; }));
  CHECK(!same.front().contradicts.given);
  CHECK((same.back().outcome() == claim_outcome::undecided));
  const auto different = audited(claims_about_one_subject(n, [](std::size_t i) { return std::uint64_t{1'000 + 200 * i}; }));
  CHECK((different.front().outcome() == claim_outcome::undecided));
  CHECK((different.back().outcome() == claim_outcome::fails));
  CHECK(different.back().contradicts == optional_integer{0});
  CHECK(different.front().contradicts == optional_integer{1});
  const auto last_alone =
      audited(claims_about_one_subject(n, [](std::size_t i) { return std::uint64_t{i + 1 == n ? 9'000U : 5'000U}; }));
  CHECK(last_alone.front().contradicts == optional_integer{static_cast<std::int64_t>(n) - 1});
  CHECK((last_alone.back().outcome() == claim_outcome::fails));
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 30);
}
