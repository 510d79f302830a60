#include "published_run.hpp"

namespace published_runs {

std::vector<table> all_tables() {
  std::vector<table> all = parallel_folding();
  for (const std::vector<table>& more : {megatron_core(), deepseek()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

} // namespace published_runs
