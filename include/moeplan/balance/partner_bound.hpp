#pragma once

#include <cstdint>

#include <moeplan/balance/expert_pool.hpp>
#include <moeplan/number/array_view.hpp>
#include <moeplan/number/extremes.hpp>
#include <moeplan/number/heap_sort.hpp>
#include <moeplan/number/storage_parts.hpp>

/// @file
/// What the busiest GPU of a pool carries at least, since heavy copies need light ones beside them.

namespace moeplan::detail {

/// Whether a load T is out of reach for a pool with k slots on each GPU, k >= 2.
///
/// Theorem. Let M be a function that is nowhere negative and does not ascend, and is convex unless k = 2. Let a copy that carries w
/// count g(w) = -M(w) if w <= T/2 (it is light) and g(w) = (k - 1) M((T - w) / (k - 1)) if T/2 < w <= T (it is heavy). In a packing
/// whose GPUs carry T at most, all copies together count 0 at most.
/// Proof. Every copy is on one GPU, so let us see what those of one GPU count. Two heavy ones do not fit. Light ones count 0 at
/// most. Beside a heavy x are k - 1 light ones of T - x together at most. The sum of their M is (k - 1) times M of their average or
/// more (M is convex, or k - 1 = 1), and that is (k - 1) M((T - x) / (k - 1)) or more (M does not ascend): what x counts.
///
/// So T is out of reach if all copies count more than 0 whatever the numbers of copies are: if the minimum, over all r with as many
/// copies as slots and no copy above T, of the sum over experts of f(r) = r g(load / r) is positive. From below, that minimum is
/// bounded by the minimum with the convex minorants of the f, for which taking the steepest descents first is best; and where only
/// the first few numbers of copies are looked at one by one, f(r) >= -r M(0) beyond: a further copy counts -M(0) at least.
/// All of this is calculated in integers, rounded to the safe side: light copies downwards, T - w of heavy ones upwards. Loads in
/// units are rounded down, and what is out of reach for those is out of reach for the loads.
///
/// M is a sum of steps (k = 2) or of hinges (else) at the places of the copies, with weights that a projected subgradient method
/// looks for (Polyak's steps, averaged directions). Whether it finds any that show the above is a matter of time and luck; what
/// they show is not. With k = 2 the best M says as much as the linear relaxation of the choice of copies with all pairings of
/// copies, by Hall's theorem.
class partner_bound {
public:
  /// How many elements of storage it takes.
  [[nodiscard]] static constexpr std::int64_t storage(std::int64_t experts) noexcept {
    return (8 * options + 3 * corners + 1) * experts;
  }

  /// Whether the integers that it calculates with are large enough for such a pool, and GPUs have something beside a heavy copy.
  [[nodiscard]] static constexpr bool fits(const expert_pool& pool) noexcept {
    const std::int64_t beside = pool.slots_per_gpu() - 1;
    return beside == 1 ? pool.slots < std::int64_t{1} << 20 : beside > 1 && pool.slots < (std::int64_t{1} << 15) / beside;
  }

  /// Precondition: fits(pool).
  constexpr partner_bound(const expert_pool& pool, array_view<std::int64_t> elements) noexcept
      : pool_{pool},
        each_{least(pool.experts() > 64 ? few_options : options, pool.slots - pool.experts() + 1)},
        all_{each_ * pool.experts()},
        beside_{pool.slots_per_gpu() - 1} {
    storage_parts from{elements};
    array_view<std::int64_t>* const by_option[] = {&order_, &rank_, &place_, &weight_, &before_, &direction_, &counts_, &height_};
    for (array_view<std::int64_t>* const view : by_option) *view = from.take(all_);
    array_view<std::int64_t>* const by_corner[] = {&slopes_, &ends_, &heap_};
    for (array_view<std::int64_t>* const view : by_corner) *view = from.take(corners * pool.experts());
    fewest_ = from.take(pool.experts());
    for (std::int64_t i = 0; i < all_; ++i) before_[i] = one / all_ + 1;
  }

  /// The greatest load found that is out of reach. `reach` is known to be (or to be reached at best, by no packing below it),
  /// `limit` ends the search.
  [[nodiscard]] constexpr std::int64_t raise(std::int64_t reach, std::int64_t limit, std::int64_t rounds,
                                             std::int64_t iterations) noexcept {
    std::int64_t step = (limit - reach) / 8 + 1;
    for (std::int64_t round = 0; round < rounds && limit - reach > reach >> 16; ++round) {
      const std::int64_t load = reach + least(step, (limit - reach + 1) / 2);
      if (out_of_reach(load, iterations)) {
        reach = load;
        step = least(2 * step, limit - reach);
      } else {
        limit = load;
        step = (limit - reach) / 4 + 1;
      }
    }
    return reach;
  }

private:
  static constexpr std::int64_t options = 8;                    ///< numbers of copies of an expert that are looked at one by one
  static constexpr std::int64_t few_options = 6;                ///< the same for large pools
  static constexpr std::int64_t corners = options + 1;          ///< the last one stands for all larger numbers
  static constexpr std::int64_t parts = 840;                    ///< a multiple of 1 to 8, so that a slope times this is whole
  static constexpr std::int64_t one = std::int64_t{1} << 26;    ///< what the weights come to, about
  static constexpr std::int64_t places = std::int64_t{1} << 14; ///< of hinges, from 0 to T
  static constexpr std::int64_t fine = std::int64_t{1} << 10;   ///< the height of a hinge of weight 1

  static constexpr double far = static_cast<double>(one) * 1024;

  /// Below -far there is nothing left of a weight.
  [[nodiscard]] static constexpr std::int64_t whole(double change) noexcept {
    return static_cast<std::int64_t>(change > -far ? change : -far);
  }

  /// Whether M is a sum of hinges.
  [[nodiscard]] constexpr bool convex() const noexcept { return beside_ > 1; }

  /// Option i is one of expert i / each_: its fewest copies and i % each_ more.
  [[nodiscard]] constexpr std::int64_t share(std::int64_t i) const noexcept {
    return pool_.share(i / each_, fewest_[i / each_] + i % each_);
  }

  /// Where in M a copy is looked up. With k = 2 in units, doubled, light copies before heavy ones: in this order, any M that does
  /// not ascend from option to option serves. Else as a multiple of T / places.
  [[nodiscard]] constexpr std::int64_t place_of(std::int64_t w, std::int64_t load) const noexcept {
    const bool light = w <= load - w;
    if (!convex()) return light ? 2 * w : 2 * (load - w) + 1;
    __extension__ using twice_as_wide = unsigned __int128;
    const auto scaled = twice_as_wide{static_cast<std::uint64_t>(light ? w : load - w)} * static_cast<std::uint64_t>(places);
    const auto whole = twice_as_wide{static_cast<std::uint64_t>(load)} * static_cast<std::uint64_t>(light ? 1 : beside_);
    return static_cast<std::int64_t>(light ? scaled / whole : (scaled + whole - 1) / whole);
  }

  /// Lists the options by their places. False: more copies are needed than there are slots.
  [[nodiscard]] constexpr bool arrange(std::int64_t load) noexcept {
    extra_ = pool_.slots;
    for (std::int64_t e = 0; e < pool_.experts(); ++e) {
      fewest_[e] =
          pool_.loads[e] / (load + 1) + 1; // Then a copy's load, rounded down, is T at most, and with one copy less above it.
      extra_ -= fewest_[e];
    }
    if (extra_ < 0) return false;
    for (std::int64_t i = 0; i < all_; ++i) {
      order_[i] = i;
      counts_[i] = place_of(share(i), load);
    }
    heap_sort(order_,
              [this](std::int64_t a, std::int64_t b) { return counts_[a] < counts_[b] || (counts_[a] == counts_[b] && a < b); });
    for (std::int64_t i = 0; i < all_; ++i) {
      const std::int64_t option = order_[i];
      const bool light = share(option) <= load - share(option);
      rank_[option] = light ? -1 - i : i;
      place_[i] = counts_[option];
      weight_[i] = before_[option];
      direction_[i] = 0;
    }
    return true;
  }

  [[nodiscard]] constexpr bool out_of_reach(std::int64_t load, std::int64_t iterations) noexcept {
    if (!arrange(load)) return true;
    std::int64_t best = -pool_.slots * one * parts;
    double length = 1;
    std::int64_t idle = 0;
    for (std::int64_t iteration = 0; iteration < iterations; ++iteration) {
      std::int64_t value = count();
      if (value > 0) {
        for (std::int64_t i = 0; i < all_; ++i) before_[order_[i]] = weight_[i]; // A good start for the next load.
        return true;
      }
      if (convex()) value /= fine;
      if (value > best + one / 4) {
        best = value;
        idle = 0;
      } else if (++idle == 20) {
        length *= 0.7;
        idle = 0;
      }
      if (!move(greatest(one * parts / 2, -best / 2) - value, length)) length *= 0.5;
    }
    return false;
  }

  /// The M of each rank, and M(0).
  constexpr void set_heights() noexcept {
    std::int64_t sum = 0;
    std::int64_t slope = 0;
    for (std::int64_t i = all_; i-- > 0;) {
      if (convex()) {
        const std::int64_t own = place_[i] > 0 ? weight_[i] * fine / place_[i] : 0;
        slope += own;
        sum += own * place_[i];
        height_[i] = sum - slope * place_[i];
      } else {
        sum += weight_[i];
        height_[i] = sum;
      }
    }
    top_ = sum;
  }

  /// f for an option of an expert; a bound for all further ones where option is each_.
  [[nodiscard]] constexpr std::int64_t counted(std::int64_t e, std::int64_t option) const noexcept {
    const std::int64_t copies = fewest_[e] + option;
    if (option == each_) return -copies * top_;
    const std::int64_t rank = rank_[e * each_ + option];
    return rank < 0 ? -copies * height_[-1 - rank] : copies * beside_ * height_[rank];
  }

  /// Adds an option, a number of times, to what all copies count.
  constexpr void take(std::int64_t e, std::int64_t option, std::int64_t times) noexcept {
    const std::int64_t copies = times * (fewest_[e] + option);
    const std::int64_t rank = option == each_ ? 0 : rank_[e * each_ + option];
    if (option == each_)
      further_ += copies;
    else if (rank < 0)
      counts_[-1 - rank] -= copies;
    else
      counts_[rank] += copies * beside_;
  }

  /// What all copies count at least, times `parts`; and in counts_, how that changes with each weight.
  [[nodiscard]] constexpr std::int64_t count() noexcept {
    set_heights();
    for (std::int64_t& c : counts_) c = 0;
    further_ = 0;
    descents_ = 0;
    std::int64_t value = 0;
    for (std::int64_t e = 0; e < pool_.experts(); ++e) {
      value += parts * counted(e, 0);
      take(e, 0, parts);
      find_descents(e);
    }
    value += descend();
    change_with_weights();
    return value;
  }

  /// The convex minorant of an expert's f, where it is steeper than what any further copy can bring.
  constexpr void find_descents(std::int64_t e) noexcept {
    const std::int64_t last = least(extra_, each_);
    std::int64_t y[corners]{};
    std::int64_t hull[corners]{};
    std::int64_t size = 0;
    for (std::int64_t i = 0; i <= last; ++i) {
      y[i] = counted(e, i);
      for (; size >= 2; --size) {
        const std::int64_t left = hull[size - 2];
        const std::int64_t middle = hull[size - 1];
        if ((y[middle] - y[left]) * (i - left) < (y[i] - y[left]) * (middle - left)) break;
      }
      hull[size++] = i;
    }
    for (std::int64_t i = 1; i < size; ++i) {
      const std::int64_t slope = (y[hull[i]] - y[hull[i - 1]]) * (parts / (hull[i] - hull[i - 1]));
      if (extra_ >= each_ && slope >= -parts * top_) break;
      const std::int64_t descent = e * corners + hull[i - 1];
      slopes_[descent] = slope;
      ends_[descent] = hull[i];
      heap_[descents_++] = descent;
    }
  }

  /// Takes the steepest descents while there are slots left, then further copies. Returns how much less all copies count for it.
  [[nodiscard]] constexpr std::int64_t descend() noexcept {
    const auto flatter = [this](std::int64_t a, std::int64_t b) {
      return slopes_[a] > slopes_[b] || (slopes_[a] == slopes_[b] && a > b);
    };
    for (std::int64_t top = descents_ / 2; top-- > 0;) sink(heap_, top, descents_, flatter);
    std::int64_t value = 0;
    std::int64_t left = extra_;
    while (left > 0 && descents_ > 0) {
      const std::int64_t descent = heap_[0];
      const std::int64_t e = descent / corners;
      const std::int64_t from = descent % corners;
      const std::int64_t length = ends_[descent] - from;
      const std::int64_t taken = least(length, left);
      value += slopes_[descent] * taken;
      left -= taken;
      take(e, from, -parts / length * taken);
      take(e, ends_[descent], parts / length * taken);
      heap_[0] = heap_[--descents_];
      if (descents_ > 0) sink(heap_, 0, descents_, flatter);
    }
    further_ += left * parts;
    return value - left * parts * top_;
  }

  /// From how many copies count at each place to how that changes with the weight of each step or hinge.
  constexpr void change_with_weights() noexcept {
    std::int64_t copies = -further_;
    std::int64_t moment = 0;
    for (std::int64_t i = 0; i < all_; ++i) {
      copies += counts_[i];
      if (convex()) {
        moment += counts_[i] * place_[i];
        counts_[i] = place_[i] > 0 ? copies - moment / place_[i] : 0;
      } else {
        counts_[i] = copies;
      }
    }
  }

  /// One step of the weights. False: it was too long, all of them would vanish.
  [[nodiscard]] constexpr bool move(std::int64_t missing, double length) noexcept {
    __extension__ unsigned __int128 squares = 0;
    for (std::int64_t i = 0; i < all_; ++i) {
      direction_[i] = (3 * direction_[i] + 2 * counts_[i]) / 5;
      if (weight_[i] > 0 || direction_[i] > 0) squares += static_cast<std::uint64_t>(direction_[i] * direction_[i]);
    }
    if (squares == 0) return false;
    const double step = length * static_cast<double>(missing) / static_cast<double>(squares);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < all_; ++i) {
      const double change = step * static_cast<double>(direction_[i]);
      // A weight that outgrows all others by far would be scaled back to about `one` in any case.
      counts_[i] = change >= far ? weight_[i] + static_cast<std::int64_t>(far) : greatest(0, weight_[i] + whole(change));
      sum += counts_[i];
    }
    if (sum == 0) return false;
    const double scale = static_cast<double>(one) / static_cast<double>(sum);
    for (std::int64_t i = 0; i < all_; ++i) weight_[i] = static_cast<std::int64_t>(static_cast<double>(counts_[i]) * scale);
    return true;
  }

  expert_pool pool_{};
  std::int64_t each_ = 1;
  std::int64_t all_ = 1;
  std::int64_t beside_ = 1;
  std::int64_t extra_ = 0;
  std::int64_t further_ = 0;
  std::int64_t descents_ = 0;
  std::int64_t top_ = 0;
  array_view<std::int64_t> order_{};
  array_view<std::int64_t> rank_{};
  array_view<std::int64_t> place_{};
  array_view<std::int64_t> weight_{};
  array_view<std::int64_t> before_{};
  array_view<std::int64_t> direction_{};
  array_view<std::int64_t> counts_{};
  array_view<std::int64_t> height_{};
  array_view<std::int64_t> slopes_{};
  array_view<std::int64_t> ends_{};
  array_view<std::int64_t> heap_{};
  array_view<std::int64_t> fewest_{};
};

} // namespace moeplan::detail
