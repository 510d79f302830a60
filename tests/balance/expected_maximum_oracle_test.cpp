// The expected maximum against all choices of a few tokens, and against the generating function of balls in bins.
#include <moeplan/balance/expected_maximum.hpp>

#include <doctest/doctest.h>
#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <vector>

using namespace moeplan;
using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

namespace {

template <class Number>
Number maximum(const experts& e, std::int64_t tokens) {
  std::vector<Number> storage(expected_maximum_storage(e, tokens).value());
  return expected_maximum<Number>(e, tokens, storage);
}

/// Sets of k of E experts, as bits.
std::vector<unsigned> choices(const experts& e) {
  std::vector<unsigned> all;
  for (unsigned set = 0; set < 1U << e.routed; ++set)
    if (__builtin_popcount(set) == e.top_k) all.push_back(set);
  return all;
}

/// The sum of the maximum over all choices of the tokens that are left.
cpp_int sum_of_maxima(const std::vector<unsigned>& all, std::vector<int>& loads, std::int64_t tokens) {
  if (tokens == 0) return *std::max_element(loads.begin(), loads.end());
  cpp_int sum = 0;
  for (const unsigned set : all) {
    for (std::size_t i = 0; i < loads.size(); ++i) loads[i] += static_cast<int>(set >> i & 1U);
    sum += sum_of_maxima(all, loads, tokens - 1);
    for (std::size_t i = 0; i < loads.size(); ++i) loads[i] -= static_cast<int>(set >> i & 1U);
  }
  return sum;
}

/// E[max] of balls in bins: the sum over c of 1 - n! / k^n [x^n] (sum over j <= c of x^j / j!)^k.
cpp_rational balls_in_bins(std::int64_t balls, std::int64_t bins) {
  const auto size = static_cast<std::size_t>(balls + 1);
  cpp_rational scale = 1;
  for (std::int64_t i = 1; i <= balls; ++i) scale *= cpp_rational(i) / bins;
  cpp_rational sum = 0;
  for (std::size_t c = 0; c < size; ++c) {
    std::vector<cpp_rational> bin(size);
    cpp_rational inverse_factorial = 1;
    for (std::size_t j = 0; j <= c; ++j) {
      if (j > 0) inverse_factorial /= j;
      bin[j] = inverse_factorial;
    }
    std::vector<cpp_rational> product(size);
    product[0] = 1;
    for (std::int64_t i = 0; i < bins; ++i) {
      std::vector<cpp_rational> next(size);
      for (std::size_t a = 0; a < size; ++a)
        for (std::size_t b = 0; a + b < size; ++b) next[a + b] += product[a] * bin[b];
      product = next;
    }
    sum += 1 - scale * product[size - 1];
  }
  return sum;
}

} // namespace

TEST_CASE("all choices of a few tokens") {
  int cases = 0;
  for (std::int64_t routed = 1; routed <= 6; ++routed)
    for (std::int64_t k = 1; k <= routed; ++k) {
      const experts e{.routed = routed, .top_k = k};
      const std::vector<unsigned> all = choices(e);
      std::size_t ways = 1;
      for (std::int64_t tokens = 0; tokens <= 5 && ways <= 20'000; ++tokens, ways *= all.size()) {
        if (expected_maximum_storage(e, tokens) > 5'000) break;
        std::vector<int> loads(static_cast<std::size_t>(routed));
        const cpp_rational expected = cpp_rational(sum_of_maxima(all, loads, tokens)) / ways;
        CAPTURE(routed);
        CAPTURE(k);
        CAPTURE(tokens);
        CHECK(maximum<cpp_rational>(e, tokens) == expected);
        CHECK(maximum<double>(e, tokens) == doctest::Approx(static_cast<double>(expected)).epsilon(1e-13));
        ++cases;
      }
    }
  CHECK(cases > 80);
}

TEST_CASE("a rational of unlimited size has no number for no answer") {
  std::vector<cpp_rational> storage(9);
  CHECK_THROWS(static_cast<void>(expected_maximum<cpp_rational>({.routed = 4, .top_k = 1}, 4, storage)));
}

TEST_CASE("balls in bins by their generating function") {
  for (const auto& [balls, bins] : {std::pair<std::int64_t, std::int64_t>{8, 8}, {16, 8}, {16, 16}, {20, 3}, {5, 30}}) {
    const experts e{.routed = bins, .top_k = 1};
    const cpp_rational expected = balls_in_bins(balls, bins);
    CHECK(maximum<cpp_rational>(e, balls) == expected);
    CHECK(maximum<double>(e, balls) == doctest::Approx(static_cast<double>(expected)).epsilon(1e-13));
  }
}
