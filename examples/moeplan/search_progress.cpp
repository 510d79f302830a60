#include "search_progress.hpp"

#include <string>

#include <unistd.h>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

void search_progress::tell(const search_counts& counts) {
  constexpr unsigned now_and_then = 1024; // To ask what time it is takes longer than most candidates.
  if (!says_ || ++told_ % now_and_then != 0 || clock::now() < next_) return;
  next_ = clock::now() + std::chrono::milliseconds{200};
  const saturating_count decided = counts.decided();
  std::string line = grouped(std::to_string(decided.bits));
  if (!counts.considered.overflowed() && !decided.overflowed()) {
    const double share = static_cast<double>(decided.value()) / static_cast<double>(counts.considered.value());
    line += " of " + grouped(std::to_string(counts.considered.value())) + " candidates (" +
            std::to_string(static_cast<int>(share * 100)) + "%)";
  } else {
    line += " candidates";
  }
  line += ", " + grouped(std::to_string(counts.legal)) + " of them legal";
  const std::string blanks(width_ > line.size() ? width_ - line.size() : 0, ' ');
  out_ << '\r' << line << blanks << std::flush;
  width_ = line.size();
}

void search_progress::clear() {
  if (width_ != 0) out_ << '\r' << std::string(width_, ' ') << '\r' << std::flush;
  width_ = 0;
}

bool errors_go_to_a_terminal() { return isatty(STDERR_FILENO) == 1; }

} // namespace tool
