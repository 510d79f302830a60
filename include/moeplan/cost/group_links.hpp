#pragma once

#include <cstdint>

#include <moeplan/cost/group_spread.hpp>
#include <moeplan/cost/link_bytes.hpp>
#include <moeplan/number/extremes.hpp>

/// @file
/// How many bytes of a collective each link has to carry at least, whatever algorithm does it.

namespace moeplan {

/// The least that links carry for the groups of a stage that lie on NVLink domains as `group_spread` says.
///
/// What ranks of a domain have for those of others leaves it once, to be copied there, and what others have for them comes once, already
/// added up. Within a domain too a rank sends once what goes to several, and gets once what several send, since switches copy and add
/// (NVLS, SHARP). What goes from one rank of a domain to another one stays in it.
///
/// Sizes are bytes, on average over the ranks. In a group of one rank there is nothing to carry.
class group_links {
public:
  constexpr group_links() noexcept = default;

  /// Precondition: s.groups and s.ranks are at least 1.
  constexpr explicit group_links(const group_spread& s) noexcept {
    if (s.ranks == 1) return;
    const auto ranks = static_cast<double>(s.ranks);
    const double groups = value(s.groups);
    const double all = groups * ranks; // members of all groups
    const double others = value(s.pairs_between) / all;
    far_ = others / ranks;
    near_ = (ranks - 1 - others) / ranks;
    domains_ = (value(s.nodes) - groups) / all;
    company_ = value(s.accompanied) / (all * ranks);
    abroad_ = value(s.hops_between) / all - domains_;
    even_domains_ = s.pairs_between == s.groups * s.ranks * (s.ranks - s.ranks / s.most_nodes) && s.ranks % s.most_nodes == 0 &&
                            s.nodes == s.groups * s.most_nodes
                        ? s.most_nodes
                        : 1;
  }

  /// Every rank gets all parts of `size` bytes, of which each has one. As with the others, half the size takes half of each.
  [[nodiscard]] constexpr link_bytes gather(double size) const noexcept {
    return {{size * company_, size * near_}, {size * abroad_, size * domains_}};
  }

  /// Every rank has `size` bytes, and of the sum each gets one part.
  [[nodiscard]] constexpr link_bytes scatter(double size) const noexcept {
    return {{size * near_, size * company_}, {size * domains_, size * abroad_}};
  }

  /// Every rank has `size` bytes, and gets the sum.
  [[nodiscard]] constexpr link_bytes reduce(double size) const noexcept { return gather(size) + scatter(size); }

  /// Every rank has `size` bytes, as many for each rank of the group, itself among them.
  [[nodiscard]] constexpr link_bytes exchange(double size) const noexcept {
    return {{size * near_, size * near_}, {size * far_, size * far_}};
  }

  /// Every rank has `size` bytes that go to so many ranks of its domain and to so many other domains, if to any, on average as many to each
  /// rank as to any other. Fewer than one: only some of the bytes go there.
  [[nodiscard]] constexpr link_bytes spread(double size, double near_copies, double far_copies) const noexcept {
    const double near = size * near_;
    const double far = size * far_;
    return {{near * detail::least(near_copies, 1.0), near * near_copies}, {far * detail::least(far_copies, 1.0), far * far_copies}};
  }

  /// The other way: bytes of so many ranks are added up on their way to one.
  [[nodiscard]] constexpr link_bytes collect(double size, double near_copies, double far_copies) const noexcept {
    const link_bytes there = spread(size, near_copies, far_copies);
    return {{there.nvlink.received, there.nvlink.sent}, {there.network.received, there.network.sent}};
  }

  /// Domains of each group, if each group has equally many ranks on each of them; else 1.
  [[nodiscard]] constexpr std::int64_t even_domains() const noexcept { return even_domains_; }

  /// Whether any group has ranks in several domains.
  [[nodiscard]] constexpr bool leave_domains() const noexcept { return far_ > 0; }

private:
  [[nodiscard]] static constexpr double value(saturating_count n) noexcept { return static_cast<double>(n.bits); }

  // Over the ranks of the group, on average:
  double near_ = 0;    ///< others of the same domain
  double far_ = 0;     ///< those of other domains
  double domains_ = 0; ///< other domains, for all ranks of a domain together
  double company_ = 0; ///< one, for a rank that has others in its domain
  double abroad_ = 0;  ///< one, if there are other domains
  std::int64_t even_domains_ = 1;
};

} // namespace moeplan
