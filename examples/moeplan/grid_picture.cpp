#include "grid_picture.hpp"

#include <string>
#include <vector>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

/// 0, 1, 2, -1, n - 1: some indices below n, -1 standing for those left out.
std::vector<std::int64_t> some_below(std::int64_t n, std::int64_t shown) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < n && i < shown; ++i) indices.push_back(i);
  if (n > shown + 1) indices.push_back(-1);
  if (n > shown) indices.push_back(n - 1);
  return indices;
}

/// "TP 1 CP 0"; an axis of size 1 is left out, the last one never.
std::string label(const char* outer, std::int64_t outer_size, std::int64_t o, const char* inner, std::int64_t i) {
  const std::string last = std::string{inner} + ' ' + std::to_string(i);
  return outer_size == 1 ? last : std::string{outer} + ' ' + std::to_string(o) + ' ' + last;
}

template <class Label, class Rank>
void print_grid(std::ostream& out, const char* row_name, std::int64_t rows, std::int64_t columns, Label column_label,
                Rank rank_at) {
  const std::vector<std::int64_t> shown_columns = some_below(columns, 5);
  const std::vector<std::int64_t> shown_rows = some_below(rows, 3);
  text_table table{'l' + std::string(shown_columns.size(), 'r')};
  std::vector<std::string> heading{""};
  for (const std::int64_t c : shown_columns) heading.push_back(c < 0 ? "..." : column_label(c));
  table.row(heading);
  for (const std::int64_t r : shown_rows) {
    std::vector<std::string> cells{r < 0 ? "..." : std::string{row_name} + ' ' + std::to_string(r)};
    for (const std::int64_t c : shown_columns) cells.push_back(r < 0 ? "" : c < 0 ? "..." : std::to_string(rank_at(r, c)));
    table.row(cells);
  }
  table.print(out, 6);
}

} // namespace

void print_dense_grid(std::ostream& out, const mesh& m) {
  const dense_coordinates size = m.dense();
  const bool tp_alone = size.cp == 1;
  print_grid(
      out, "DP", size.dp, size.tp * size.cp,
      [&](std::int64_t c) { return tp_alone ? label("CP", 1, 0, "TP", c) : label("TP", size.tp, c % size.tp, "CP", c / size.tp); },
      [&](std::int64_t r, std::int64_t c) {
        return m.rank(dense_coordinates{.tp = c % size.tp, .cp = c / size.tp, .dp = r, .pp = 0});
      });
}

void print_expert_grid(std::ostream& out, const mesh& m) {
  const expert_coordinates size = m.expert();
  print_grid(
      out, "EDP", size.edp, size.etp * size.ep,
      [&](std::int64_t c) { return label("ETP", size.etp, c % size.etp, "EP", c / size.etp); },
      [&](std::int64_t r, std::int64_t c) {
        return m.rank(expert_coordinates{.etp = c % size.etp, .ep = c / size.etp, .edp = r, .pp = 0});
      });
}

} // namespace tool
