// Verdicts on random numbers, against the rule of comparison written out in integers: twice each number, so that half a unit of its last
// digit is one, and both intervals over one denominator.
#include <moeplan/verify/claim_verdict.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>

#include <doctest/doctest.h>

using namespace moeplan;

namespace {

__extension__ using wide = __int128;

constexpr wide powers_of_10[] = {1, 10, 100, 1000, 10'000};

/// A number of so many digits and decimals.
struct drawn {
  std::int64_t digits = 0;
  std::uint16_t decimals = 0;

  [[nodiscard]] printed_value printed(printed_unit unit, std::int16_t thousands, bool binary) const {
    printed_value v;
    v.first = v.last = {.digits = static_cast<std::uint64_t>(digits), .decimals = decimals};
    v.unit = unit;
    v.thousands = thousands;
    v.binary = binary;
    return v;
  }

  /// Twice the lower and the upper end, in units of its last digit.
  [[nodiscard]] wide low() const { return 2 * wide{digits} - 1 < 0 ? 0 : 2 * wide{digits} - 1; }
  [[nodiscard]] wide high() const { return 2 * wide{digits} + 1; }
  [[nodiscard]] wide scale() const { return powers_of_10[decimals]; }
};

class source {
public:
  explicit source(std::uint32_t seed) : engine_{seed} {}

  std::int64_t below(std::int64_t n) { return std::uniform_int_distribution<std::int64_t>{0, n - 1}(engine_); }
  drawn number(std::int64_t most) { return {below(most), static_cast<std::uint16_t>(below(4))}; }

  /// One that is nearly as large as low / high.
  drawn near(wide numerator, wide denominator) {
    drawn n{.decimals = static_cast<std::uint16_t>(below(4))};
    const wide middle = numerator * n.scale() / denominator + below(5) - 2;
    n.digits = middle < 0 ? 0 : static_cast<std::int64_t>(middle);
    return n;
  }

private:
  std::mt19937 engine_;
};

} // namespace

TEST_CASE("a share holds if the intervals of quotient and claim meet") {
  source from{1};
  int wrong = 0;
  int held = 0;
  for (int i = 0; i < 2'000; ++i) {
    drawn used = from.number(1);
    used.digits = from.below(70 * static_cast<std::int64_t>(used.scale()));
    const drawn claimed = from.near(wide{used.digits} * 100, used.scale() * 64); // percent of 64
    const bool binary = i % 2 == 0;
    const claim c{.quantity = claim_quantity::memory_utilisation,
                  .claimed = claimed.printed(printed_unit::percent, 0, false),
                  .inputs = {{claim_input::used_memory, used.printed(printed_unit::bytes, 3, binary)},
                             {claim_input::capacity, drawn{64, 0}.printed(printed_unit::bytes, 3, binary)}}};
    // used / scale / 64 against claimed / scale / 100, both twice.
    const bool is_whole = used.low() <= 2 * 64 * used.scale(); // else more is used than there is
    const bool meets = is_whole && used.low() * 100 * claimed.scale() <= claimed.high() * 64 * used.scale() &&
                       claimed.low() * 64 * used.scale() <= used.high() * 100 * claimed.scale();
    const claim_verdict v = judge(c);
    wrong += v.holds() != meets || v.fails() == meets ? 1 : 0;
    held += meets ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(held > 250);
  CHECK(held < 1'750);
}

TEST_CASE("a share of a range holds if the range as printed is in the claim, and fails if no choice is") {
  source from{4};
  int wrong = 0;
  int outcomes[3]{};
  for (int i = 0; i < 3'000; ++i) {
    const auto decimals = static_cast<std::uint16_t>(from.below(3));
    const drawn least{from.below(6'000), decimals};
    const drawn most{least.digits + 1 + from.below(400), decimals};
    if (most.digits > 64 * static_cast<std::int64_t>(most.scale())) continue; // more than there is
    const auto range = [](const drawn& a, const drawn& b, printed_unit unit, std::int16_t thousands) {
      printed_value v = a.printed(unit, thousands, false);
      v.last = b.printed(unit, thousands, false).first;
      return v;
    };
    drawn low = from.near(wide{least.digits} * 100, least.scale() * 64);
    drawn high = from.near(wide{most.digits} * 100, most.scale() * 64);
    low.decimals = high.decimals = static_cast<std::uint16_t>(from.below(4));
    const auto nearly = [&](const drawn& n) {
      return static_cast<std::int64_t>(wide{n.digits} * 100 * low.scale() / (n.scale() * 64)) + from.below(3) - 1;
    };
    low.digits = std::max<std::int64_t>(nearly(least), 0);
    high.digits = std::max(nearly(most), low.digits);
    const claim c{.quantity = claim_quantity::memory_utilisation,
                  .claimed = range(low, high, printed_unit::percent, 0),
                  .inputs = {{claim_input::used_memory, range(least, most, printed_unit::bytes, 3)},
                             {claim_input::capacity, drawn{64, 0}.printed(printed_unit::bytes, 3, false)}}};
    // used / scale / 64 against claimed / scale / 100, both twice.
    const auto in_claim = [&](wide used) { return used * 100 * low.scale(); };
    const wide claimed_low = low.low() * 64 * least.scale();
    const wide claimed_high = high.high() * 64 * least.scale();
    const bool meets = in_claim(least.low()) <= claimed_high && claimed_low <= in_claim(most.high());
    const bool contains = claimed_low <= in_claim(2 * wide{least.digits}) && in_claim(2 * wide{most.digits}) <= claimed_high;
    const claim_outcome expected = !meets ? claim_outcome::fails : contains ? claim_outcome::holds : claim_outcome::undecided;
    const claim_outcome outcome = judge(c).outcome;
    wrong += outcome != expected ? 1 : 0;
    ++outcomes[static_cast<std::size_t>(outcome)];
  }
  CHECK(wrong == 0);
  CHECK(outcomes[0] > 250);
  CHECK(outcomes[2] > 250);
}

TEST_CASE("what is left holds if the intervals of difference and claim meet") {
  source from{2};
  int wrong = 0;
  int held = 0;
  for (int i = 0; i < 2'000; ++i) {
    const drawn used = {from.below(1'200), 1}; // 0.0% to 119.9%: beyond 100% less than nothing is left
    const drawn claimed = from.near((1000 - wide{used.digits}) * 64, 1000);
    const claim c{.quantity = claim_quantity::left_memory,
                  .claimed = claimed.printed(printed_unit::bytes, 3, false),
                  .inputs = {{claim_input::utilisation, used.printed(printed_unit::percent, 0, false)},
                             {claim_input::capacity, drawn{64, 0}.printed(printed_unit::bytes, 3, false)}}};
    // 64 x (2000 - used) / 2000 against claimed / scale, both twice.
    const bool meets = 64 * (2000 - used.high()) * claimed.scale() <= claimed.high() * 1000 &&
                       claimed.low() * 1000 <= 64 * (2000 - used.low()) * claimed.scale();
    const claim_verdict v = judge(c);
    wrong += v.holds() != meets || v.fails() == meets ? 1 : 0;
    held += meets ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(held > 250);
  CHECK(held < 1'750);
}

TEST_CASE("a sum holds if the intervals of sum and claim meet") {
  source from{3};
  int wrong = 0;
  int held = 0;
  for (int i = 0; i < 2'000; ++i) {
    drawn parts[4]{};
    wide low = 0;
    wide high = 0;
    wide exact = 0;
    for (drawn& part : parts) {
      part = from.number(100'000);
      low += part.low() * (1000 / part.scale());
      high += part.high() * (1000 / part.scale());
      exact += part.digits * (1000 / part.scale());
    }
    const drawn claimed = from.near(exact, 1000);
    const auto megabytes = [](const drawn& n) { return n.printed(printed_unit::bytes, 2, false); };
    const claim c{.quantity = claim_quantity::total_memory,
                  .claimed = megabytes(claimed),
                  .inputs = {{claim_input::parameter_memory, megabytes(parts[0])},
                             {claim_input::gradient_memory, megabytes(parts[1])},
                             {claim_input::optimizer_memory, megabytes(parts[2])},
                             {claim_input::activation_memory, megabytes(parts[3])}}};
    const bool meets = low * claimed.scale() <= claimed.high() * 1000 && claimed.low() * 1000 <= high * claimed.scale();
    const claim_verdict v = judge(c);
    wrong += v.holds() != meets || v.fails() == meets ? 1 : 0;
    held += meets ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(held > 250);
  CHECK(held < 1'950);
}
