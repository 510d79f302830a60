// How far a long search has come.
#pragma once

#include <chrono>
#include <cstddef>
#include <ostream>

#include <moeplan/search/search_counts.hpp>

namespace tool {

/// A line on a terminal that is written again and again, and is gone in the end. Of a short search it says nothing.
class search_progress {
public:
  using clock = std::chrono::steady_clock;

  /// `says`: whether anybody looks at `out`.
  search_progress(std::ostream& out, bool says) : out_{out}, says_{says} {}

  void tell(const moeplan::search_counts& counts);
  void clear();

private:
  std::ostream& out_;
  bool says_;
  clock::time_point next_ = clock::now() + std::chrono::seconds{1};
  std::size_t width_ = 0; ///< of the line that stands there
  unsigned told_ = 0;
};

/// Whether somebody looks at standard error.
bool errors_go_to_a_terminal();

} // namespace tool
