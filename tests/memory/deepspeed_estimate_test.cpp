#include <moeplan/memory/deepspeed_estimate.hpp>

#include <moeplan/catalog/mixtral.hpp>
#include <moeplan/memory/parameters.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "support/both_times.hpp"

// tests/data/deepspeed_zero.json holds what DeepSpeed's two estimators returned; it says itself how it was made.

using namespace moeplan;
using json = nlohmann::json;
using fraction = boost::multiprecision::cpp_rational;
using integer = boost::multiprecision::cpp_int;

namespace {

BOTH_TIMES("a user of DeepSpeed's estimators gets the same numbers", [] {
  // docs/code-docs/source/memory.rst, the 2851M parameters of T5-3b on eight GPUs: 6.09, 0.78 and 0.12 GiB a GPU under ZeRO-3.
  constexpr deepspeed_zero3 t5{.total_params = 2'851'000'000, .largest_layer_params = 32'000'000, .gpus_per_node = 8};
  const auto hundredths_of_gib = [](bytes b) { return (b.value() * 100 + (1U << 29)) >> 30; };
  deepspeed_zero3 z = t5;
  EXPECT(hundredths_of_gib(estimate(z).gpu) == 12);
  EXPECT(estimate(z).largest_layer == 128_MB);
  z.cpu_offload_params = false;
  EXPECT(hundredths_of_gib(estimate(z).gpu) == 78);
  z.cpu_offload = false;
  EXPECT(hundredths_of_gib(estimate(z).gpu) == 609);

  // 2 x P whole and 18 x P over eight GPUs; every process builds the model in fp32, times 3/2.
  const deepspeed_zero2 seven{.total_params = 7'000'000'000, .gpus_per_node = 8, .cpu_offload = false};
  EXPECT(estimate(seven) == deepspeed_estimate{.gpu = 29'750'000'000_B, .cpu = 336'000'000'000_B});
});

BOTH_TIMES("a model's parameters go in as they are", [] {
  const deepspeed_zero2 mixtral{
      .total_params = parameters(catalog::mixtral_8x7b).total(), .gpus_per_node = 8, .cpu_offload = false};
  EXPECT(mixtral.total_params == 46'702'792'704);
  EXPECT(estimate(mixtral).gpu == bytes{2 * mixtral.total_params + 18 * mixtral.total_params / 8});
});

BOTH_TIMES("the host's bytes are a double's, cut off", [] {
  // 7e9 x 16 / 3 x 3 / 2 is 56e9, and so it is in thirds; with 1 / 3 rounded first it comes to just less.
  constexpr deepspeed_zero3 three_nodes{.total_params = 7'000'000'000, .nodes = 3, .cpu_offload_params = false};
  EXPECT(estimate(three_nodes).cpu == 55'999'999'999_B);
  // The least such case with 18 bytes: 7 parameters on 27 nodes, 7 x 27 / 27.
  EXPECT(estimate(deepspeed_zero3{.total_params = 7, .nodes = 27}).cpu == 6_B);
  EXPECT(estimate(deepspeed_zero3{.total_params = 7, .nodes = 1}).cpu == 189_B);
});

BOTH_TIMES("the buffer factor", [] {
  constexpr deepspeed_zero2 plain{.total_params = 1'000'000'000, .additional_buffer_factor = ratio{1}};
  EXPECT(estimate(plain).cpu == 16_GB);
  EXPECT(estimate(deepspeed_zero2{.total_params = 1'000'000'000, .additional_buffer_factor = {11, 10}}).cpu == 17'600'000'000_B);
  // Nothing but the host's memory depends on it.
  EXPECT(estimate(plain).gpu == 2_GB);
});

// An estimate of nothing.
static_assert(estimate(deepspeed_zero2{}) == deepspeed_estimate{});
static_assert(estimate(deepspeed_zero3{}) == deepspeed_estimate{});
static_assert(noexcept(estimate(deepspeed_zero2{})) && noexcept(estimate(deepspeed_zero3{})));

json read(const std::string& name) {
  std::ifstream file{std::string{MOEPLAN_TEST_DATA} + "/" + name};
  REQUIRE(file.good());
  return json::parse(file);
}

/// A number of parameters, which the file once gives as a double.
std::int64_t whole(const json& number) {
  return number.is_number_float() ? static_cast<std::int64_t>(number.get<double>()) : number.get<std::int64_t>();
}

ratio factor_of(const json& row) {
  if (!row.contains("additional_buffer_factor")) return {3, 2};
  REQUIRE(row["additional_buffer_factor"].get<double>() == 1.0);
  return ratio{1};
}

deepspeed_zero2 zero2(const json& row) {
  return {.total_params = whole(row["total_params"]),
          .gpus_per_node = whole(row["num_gpus_per_node"]),
          .nodes = whole(row["num_nodes"]),
          .cpu_offload = row["cpu_offload"].get<bool>(),
          .additional_buffer_factor = factor_of(row)};
}

deepspeed_zero3 zero3(const json& row) {
  return {.total_params = whole(row["total_params"]),
          .largest_layer_params = whole(row["largest_layer_params"]),
          .gpus_per_node = whole(row["num_gpus_per_node"]),
          .nodes = whole(row["num_nodes"]),
          .cpu_offload = row["cpu_offload"].get<bool>(),
          .cpu_offload_params = row["cpu_offload_params"].get<bool>(),
          .zero_init = row["zero_init"].get<bool>(),
          .additional_buffer_factor = factor_of(row)};
}

/// The host's bytes without any rounding, from what the options mean.
fraction exact_cpu(const deepspeed_zero3& z) {
  const fraction factor{integer{z.additional_buffer_factor.numerator.value()},
                        integer{z.additional_buffer_factor.denominator.value()}};
  const fraction whole_models = fraction{4 * integer{z.gpus_per_node}}; // fp32, in each process of the node
  const fraction all{integer{z.total_params.value()}};
  if (!z.cpu_offload) return (z.zero_init ? fraction{integer{z.largest_layer_params.value()}} : all) * whole_models * factor;
  const fraction shard{integer{z.cpu_offload_params ? 18 : 16}, integer{z.nodes}};
  return all * (z.zero_init || shard > whole_models ? shard : whole_models) * factor;
}

} // namespace

TEST_CASE("all rows of DeepSpeed's estimators") {
  const json peer = read("deepspeed_zero.json");
  int two = 0;
  int three = 0;
  int rounded_down = 0;
  for (const json& row : peer["rows"]) {
    CAPTURE(row.dump());
    const json& out = row["out"];
    if (row["zero"] == 2) {
      const deepspeed_estimate e = estimate(zero2(row));
      CHECK(e.cpu.value() == out[0].get<std::uint64_t>());
      CHECK(e.gpu.value() == out[1].get<std::uint64_t>());
      CHECK(e.largest_layer == 0_B);
      ++two;
    } else {
      const deepspeed_zero3 z = zero3(row);
      const deepspeed_estimate e = estimate(z);
      CHECK(e.cpu.value() == out[0].get<std::uint64_t>());
      CHECK(e.gpu.value() == out[1].get<std::uint64_t>());
      CHECK(e.largest_layer.value() == static_cast<std::uint64_t>(whole(out[2])));
      const fraction truth = exact_cpu(z);
      const integer floor = numerator(truth) / denominator(truth);
      CHECK((floor == e.cpu.value() || floor == e.cpu.value() + 1));
      if (floor != e.cpu.value()) ++rounded_down;
      ++three;
    }
  }
  CHECK(two == 57);
  CHECK(three == 225);
  CHECK(rounded_down == 1); // 7e9 parameters on 3 nodes, above
}

TEST_CASE("up to the stated bound the quotient of doubles, cut off, is integer division") {
  // The worst quotients are those just below a whole number.
  std::int64_t wrong = 0;
  for (const std::int64_t gpus : {2, 3, 7, 8, 49, 1000, 2048, 16384, 100'000}) {
    for (std::int64_t params = (std::int64_t{1} << 53) / 18; params > (std::int64_t{1} << 53) / 18 - 20'000; --params) {
      const auto divided = static_cast<std::int64_t>(static_cast<double>(18 * params) / static_cast<double>(gpus));
      if (divided != 18 * params / gpus) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("an estimate that does not fit says so") {
  const deepspeed_zero2 z{.total_params = std::uint64_t{1} << 62, .gpus_per_node = 8};
  CHECK(estimate(z).gpu == bytes{std::uint64_t{1} << 63});
  CHECK(estimate(z).cpu.amount.overflowed());
  CHECK(estimate(deepspeed_zero3{.total_params = std::uint64_t{1} << 62}).cpu.amount.overflowed());
  CHECK(estimate(deepspeed_zero3{.total_params = std::uint64_t{1} << 62, .cpu_offload = false}).gpu.amount.overflowed());
  CHECK(
      estimate(deepspeed_zero3{.total_params = std::uint64_t{1} << 62, .nodes = 1000, .zero_init = false}).cpu.amount.overflowed());
}
