#pragma once

#include <cstdint>

/// @file
/// How long a step takes at least, by resource, and what limits it.

namespace moeplan {

/// What a step needs, and can need all of at the same time.
enum class step_resource : std::uint16_t {
  compute, ///< products of matrices
  memory,  ///< reading and writing a GPU's memory
  nvlink,  ///< sending to GPUs of the same node or rack: NVLink, or what the machine has in its place
  network, ///< sending to other GPUs
  pipeline ///< compute, with the time for which ranks wait for other stages
};
inline constexpr std::int64_t step_resources = 5;

[[nodiscard]] constexpr const char* name_of(step_resource r) noexcept {
  switch (r) {
    case step_resource::compute: return "compute";
    case step_resource::memory: return "memory";
    case step_resource::nvlink: return "NVLink";
    case step_resource::network: return "network";
    case step_resource::pipeline: break;
  }
  return "pipeline";
}

/// Which part of its peak a resource reaches, each from a millionth to 1. Nothing is fitted: give what you measured.
struct efficiencies {
  static constexpr double smallest = 1e-6; ///< what is less is a slip, and would let times overflow

  double compute = 1;
  double memory = 1;
  double nvlink = 1;
  double network = 1;

  [[nodiscard]] constexpr bool valid() const noexcept {
    return is_share(compute) && is_share(memory) && is_share(nvlink) && is_share(network);
  }

  friend constexpr bool operator==(const efficiencies&, const efficiencies&) noexcept = default;

private:
  [[nodiscard]] static constexpr bool is_share(double e) noexcept { return e >= smallest && e <= 1; }
};

/// Seconds, or that the GPU's description lacks the rate they take.
struct known_seconds {
  bool known = false;
  double seconds = 0;

  friend constexpr bool operator==(const known_seconds&, const known_seconds&) noexcept = default;
};

/// Seconds of a step by resource. A resource that a step does not need takes 0; one whose rate is not known is not known.
struct step_time {
  known_seconds compute{};
  known_seconds memory{};
  known_seconds nvlink{};
  known_seconds network{};
  known_seconds pipeline{};

  [[nodiscard]] constexpr const known_seconds& operator[](step_resource r) const noexcept {
    switch (r) {
      case step_resource::compute: return compute;
      case step_resource::memory: return memory;
      case step_resource::nvlink: return nvlink;
      case step_resource::network: return network;
      case step_resource::pipeline: break;
    }
    return pipeline;
  }

  /// The resource that takes longest of those that are known; of several the first.
  [[nodiscard]] constexpr step_resource limit() const noexcept {
    auto longest = step_resource::compute;
    for (std::int64_t i = 1; i < step_resources; ++i) {
      const auto r = static_cast<step_resource>(i);
      if (is_longer((*this)[r], (*this)[longest])) longest = r;
    }
    return longest;
  }

  /// The step: as long as the resource that takes longest, since nothing forbids the others to work meanwhile. Not known where none is.
  [[nodiscard]] constexpr known_seconds step() const noexcept { return (*this)[limit()]; }

  friend constexpr bool operator==(const step_time&, const step_time&) noexcept = default;

private:
  [[nodiscard]] static constexpr bool is_longer(const known_seconds& a, const known_seconds& b) noexcept {
    return a.known && (!b.known || a.seconds > b.seconds);
  }
};

} // namespace moeplan
