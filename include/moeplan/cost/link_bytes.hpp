#pragma once

#include <moeplan/number/extremes.hpp>

/// @file
/// Bytes on the links of a GPU.

namespace moeplan {

/// Bytes over a link that carries both ways at the same time.
struct both_ways {
  double sent = 0;
  double received = 0;

  /// What it has to carry in the direction in which it is more.
  [[nodiscard]] constexpr double busier() const noexcept { return detail::greatest(sent, received); }

  constexpr both_ways& operator+=(const both_ways& b) noexcept {
    sent += b.sent;
    received += b.received;
    return *this;
  }
  friend constexpr both_ways operator*(double n, const both_ways& b) noexcept { return {n * b.sent, n * b.received}; }

  /// What neither of two ways to do the same does without.
  [[nodiscard]] friend constexpr both_ways least(const both_ways& a, const both_ways& b) noexcept {
    return {detail::least(a.sent, b.sent), detail::least(a.received, b.received)};
  }
  /// What both need that may share all they have in common.
  [[nodiscard]] friend constexpr both_ways most(const both_ways& a, const both_ways& b) noexcept {
    return {detail::greatest(a.sent, b.sent), detail::greatest(a.received, b.received)};
  }

  friend constexpr bool operator==(const both_ways&, const both_ways&) noexcept = default;
};

/// Bytes that a rank of a stage has on each kind of link, on average over the stage. NVLink joins the GPUs of a domain, the network those
/// of different domains.
struct link_bytes {
  both_ways nvlink{};
  both_ways network{};

  constexpr link_bytes& operator+=(const link_bytes& b) noexcept {
    nvlink += b.nvlink;
    network += b.network;
    return *this;
  }
  friend constexpr link_bytes operator+(link_bytes a, const link_bytes& b) noexcept { return a += b; }
  friend constexpr link_bytes operator*(double n, const link_bytes& b) noexcept { return {n * b.nvlink, n * b.network}; }

  /// As for both_ways, link by link.
  [[nodiscard]] friend constexpr link_bytes least(const link_bytes& a, const link_bytes& b) noexcept {
    return {least(a.nvlink, b.nvlink), least(a.network, b.network)};
  }
  [[nodiscard]] friend constexpr link_bytes most(const link_bytes& a, const link_bytes& b) noexcept {
    return {most(a.nvlink, b.nvlink), most(a.network, b.network)};
  }

  friend constexpr bool operator==(const link_bytes&, const link_bytes&) noexcept = default;
};

} // namespace moeplan
