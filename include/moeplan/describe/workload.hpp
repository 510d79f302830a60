#pragma once

#include <cstdint>

#include <moeplan/describe/serving.hpp>
#include <moeplan/describe/training.hpp>
#include <moeplan/number/bytes.hpp>

/// @file
/// Training or serving, exactly one.

namespace moeplan {

struct workload {
  enum class kind : std::uint16_t { training, serving };

  kind what = kind::training;
  moeplan::training train{}; ///< default-constructed unless what is training
  moeplan::serving serve{};  ///< default-constructed unless what is serving

  constexpr workload() noexcept = default;
  constexpr workload(const moeplan::training& t) noexcept : train{t} {}
  constexpr workload(const moeplan::serving& s) noexcept : what{kind::serving}, serve{s} {}

  [[nodiscard]] constexpr bool is_training() const noexcept { return what == kind::training; }
  [[nodiscard]] constexpr bool is_serving() const noexcept { return what == kind::serving; }

  [[nodiscard]] constexpr std::int64_t sequence_length() const noexcept {
    return is_training() ? train.sequence_length : serve.sequence_length;
  }
  [[nodiscard]] constexpr std::int64_t vocabulary_multiple() const noexcept {
    return is_training() ? train.vocabulary_multiple : serve.vocabulary_multiple;
  }
  /// What of each GPU's memory is set aside.
  [[nodiscard]] constexpr bytes reserve() const noexcept { return is_training() ? train.reserve : serve.reserve; }
  [[nodiscard]] constexpr std::int64_t redundant_experts() const noexcept { return serve.redundant_experts; }

  friend constexpr bool operator==(const workload&, const workload&) noexcept = default;
};

} // namespace moeplan
