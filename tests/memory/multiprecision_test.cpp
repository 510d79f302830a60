#include <moeplan/multiprecision.hpp>

#include <moeplan/io/catalog_names.hpp>
#include <moeplan/memory/parameters.hpp>
#include <moeplan/mesh/gpus.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>

using namespace moeplan;

namespace {

// In constant expressions.
static_assert(parameters<wide>(catalog::deepseek_v3).total() == 671'026'419'200);
static_assert(parameters<wide>(catalog::deepseek_v3).active() == 37'552'297'472);
static_assert(parameters<wide>(catalog::deepseek_v3).mtp == 11'610'068'224);
static_assert(parameters<wide>(catalog::gpt_oss_120b).total() == 116'829'156'672);
static_assert(parameters<wide>(catalog::qwen3_next_80b_a3b).total() == 79'674'391'296);
static_assert(parameters<wide>(catalog::llama_3_1_70b).total() == 70'553'706'496);
static_assert(gpus<wide>(strategy{pp{16}, ep{64}, dp{128}}) == 2048);
static_assert(minimum_gpus<wide>(strategy{tp{2}, pp{16}, ep{64}}) == 1024);

/// 2^20 layers of experts that take 2^16 x 3 x 2^20 x 2^24 parameters each: 3 x 2^80 and a little more.
constexpr model gigantic{
    .layers = 1 << 20,
    .hidden_size = 1 << 20,
    .vocabulary_size = 1 << 20,
    .attention = attention::grouped_query(1 << 10, 1 << 10, 1 << 10),
    .experts = {.routed = 1 << 16, .top_k = 1, .intermediate_size = 1 << 24},
};

static_assert(noexcept(parameters(gigantic)));
static_assert(!noexcept(parameters<wide>(gigantic)));
static_assert(!noexcept(parameters<unbounded>(gigantic)));

constexpr wide gigantic_total = parameters<wide>(gigantic).total();

/// The same by powers of two: experts, attention, router, layer norms, embedding and head, final norm.
unbounded gigantic_by_hand() {
  const auto power = [](unsigned exponent) { return unbounded{1} << exponent; };
  return 3 * power(80) + power(20) * 4 * power(40) + power(56) + power(41) + 2 * power(40) + power(20);
}

} // namespace

TEST_CASE("a total beyond 64 bits overflows a count and fits the wider integers") {
  CHECK(parameters(gigantic).total().overflowed());
  CHECK(parameters(gigantic).active().overflowed());
  CHECK(unbounded{gigantic_total} == gigantic_by_hand());
  CHECK(parameters<unbounded>(gigantic).total() == gigantic_by_hand());
  CHECK(unbounded{parameters<wide>(gigantic).active()} == parameters<unbounded>(gigantic).active());
}

TEST_CASE("a total beyond 128 bits throws, and fits the unbounded integer") {
  model m = gigantic;
  m.layers = std::int64_t{1} << 60;
  m.experts.routed = std::int64_t{1} << 40;
  CHECK_THROWS_AS(static_cast<void>(parameters<wide>(m)), std::overflow_error);
  CHECK(parameters<unbounded>(m).routed_experts == unbounded{3} << (60 + 40 + 20 + 24));
}

TEST_CASE("every integer type gives the same numbers") {
  for (const auto& entry : io::catalog_models) {
    CAPTURE(entry.name);
    const model& m = *entry.value;
    const auto narrow = parameters(m);
    CHECK(parameters<wide>(m).total() == narrow.total().value());
    CHECK(parameters<unbounded>(m).total() == narrow.total().value());
    CHECK(parameters<wide>(m).active() == narrow.active().value());
    CHECK(parameters<unbounded>(m).active() == narrow.active().value());
    CHECK(parameters<unbounded>(m).mtp == narrow.mtp.value());
  }
}

TEST_CASE("a world beyond 64 bits") {
  const std::int64_t large = std::int64_t{1} << 40;
  const strategy s{tp{large}, pp{large}, dp{large}};
  CHECK(gpus(s).overflowed());
  CHECK(gpus<unbounded>(s) == unbounded{1} << 120);
  CHECK(unbounded{gpus<wide>(s)} == unbounded{1} << 120);
  CHECK(minimum_gpus<unbounded>(strategy{tp{large}, ep{large - 1}, pp{large}}) == (unbounded{large} * (large - 1)) << 40);
}

TEST_CASE("what does not fit into 128 bits throws, and does not end the program") {
  const strategy s{tp{INT64_MAX}, cp{INT64_MAX}, dp{INT64_MAX}};
  CHECK_THROWS_AS((void)gpus<wide>(s), std::overflow_error);
  CHECK_THROWS_AS((void)minimum_gpus<wide>(s.with(pp{INT64_MAX})), std::overflow_error);
}
