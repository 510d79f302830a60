#include "pipeline_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/in_flight.hpp>

#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr std::int64_t line_width = 100;
constexpr std::int64_t widest_unit = 4;
constexpr char idle_letter = '.';
constexpr char several_letter = '+';

struct kind_words {
  pass kind;
  char letter;
  const char* words;
};
constexpr kind_words kinds[] = {
    {pass::forward, 'F', "forward"},
    {pass::backward, 'B', "backward"},
    {pass::input_gradient, 'I', "backward for the input"},
    {pass::weight_gradient, 'W', "backward for the weights"},
    {pass::forward_and_backward, 'X', "forward and backward of two at once"},
};

std::string schedule_words(const pipeline_shape& p) {
  switch (p.schedule) {
    case schedule::gpipe: return "GPipe";
    case schedule::one_forward_one_backward: return p.chunks > 1 ? "interleaved 1F1B" : "1F1B";
    case schedule::zb_h1: return "ZB-H1";
    case schedule::zb_h2: return "ZB-H2";
    case schedule::zb_v: return "ZB-V";
    case schedule::v_half: return "V-Half";
    case schedule::v_min: return "V-Min";
    case schedule::dualpipe: return "DualPipe";
    case schedule::dualpipe_v: break;
  }
  return "DualPipeV";
}

bool uses(const io::pipeline_timeline& t, pass kind) {
  return std::any_of(t.entries.begin(), t.entries.end(), [kind](const io::timeline_entry& e) { return e.operation.kind == kind; });
}

/// "11.1%".
std::string percent(const ratio& share) {
  const long thousandths = std::lround(share.to_double() * 1000);
  return std::to_string(thousandths / 10) + '.' + std::to_string(thousandths % 10) + '%';
}

void print_verdict(std::ostream& out, const io::pipeline_timeline& t) {
  const pipeline_shape& p = t.shape;
  const std::int64_t chunks = chunks_of_rank(p);
  out << schedule_words(p) << ": " << counted(p.ranks, "rank");
  if (chunks > 1) out << " of " << chunks << (p.schedule == schedule::dualpipe ? " stages" : " virtual stages");
  out << ", " << micro_batches_in_words(p.micro_batches) << '\n';
}

void print_times(std::ostream& out, const io::pipeline_timeline& t) {
  const ratio bubble = t.bubble();
  out << "The step takes " << grouped(t.result.makespan) << " units; " << percent(bubble);
  if (bubble.numerator != 0) out << " (" << bubble.numerator << '/' << bubble.denominator << ')';
  out << " of the ranks' time is idle.\n\n";
}

/// How time becomes columns: several to a unit, or several units to one.
struct time_scale {
  std::int64_t unit = 1; ///< what all times are multiples of
  std::int64_t columns_per_unit = 1;
  std::int64_t units_per_column = 1;
  std::int64_t columns = 0; ///< of the whole step

  [[nodiscard]] bool shrinks() const { return units_per_column > 1; }
};

time_scale scale_of(const io::pipeline_timeline& t, std::int64_t width) {
  time_scale scale{.unit = 0};
  for (const io::timeline_entry& e : t.entries) scale.unit = std::gcd(scale.unit, e.end - e.start);
  const std::int64_t units = t.result.makespan / scale.unit;
  scale.columns_per_unit = std::clamp<std::int64_t>(width / units, 1, widest_unit);
  scale.units_per_column = (units - 1) / width + 1;
  scale.columns = scale.shrinks() ? (units - 1) / scale.units_per_column + 1 : units * scale.columns_per_unit;
  return scale;
}

char letter_of(pass kind) { return kinds[static_cast<std::size_t>(kind)].letter; }

/// Of odd chunks in lower case. In DualPipe the chunk is the direction.
char letter_of(const operation& o) {
  const char letter = letter_of(o.kind);
  return o.chunk % 2 == 0 ? letter : static_cast<char>(letter - 'A' + 'a');
}

/// "F12"; of a pair the letter alone.
std::string label_of(const pipeline_shape& p, const operation& o) {
  std::string label(1, letter_of(o));
  if (o.kind != pass::forward_and_backward) label += std::to_string(io::shown_micro_batch(p, o.chunk, o.micro_batch));
  return label;
}

/// Rows in which each pass has its columns, with its micro-batch where every pass has room for that.
std::vector<std::string> drawn(const io::pipeline_timeline& t, const time_scale& scale) {
  const auto columns_of = [&scale](std::int64_t time) {
    return static_cast<std::size_t>(time / scale.unit * scale.columns_per_unit);
  };
  const bool labels = std::all_of(t.entries.begin(), t.entries.end(), [&](const io::timeline_entry& e) {
    return e.start == e.end || label_of(t.shape, e.operation).size() <= columns_of(e.end - e.start);
  });
  std::vector<std::string> rows(t.ranks.size(), std::string(static_cast<std::size_t>(scale.columns), idle_letter));
  for (const io::timeline_entry& e : t.entries) {
    const std::size_t columns = columns_of(e.end - e.start);
    std::string cell = labels ? label_of(t.shape, e.operation) : std::string(columns, letter_of(e.operation));
    cell.resize(columns, '-');
    rows[static_cast<std::size_t>(e.rank)].replace(columns_of(e.start), columns, cell);
  }
  return rows;
}

/// What happens on a rank during a column of the timeline.
struct column_content {
  std::map<char, std::int64_t> times; ///< by the letter of the kind of pass, idle time included

  /// What takes most of it; where another kind of pass takes a third as much or more, that it is several.
  [[nodiscard]] char letter() const {
    char most = idle_letter;
    for (const auto& [letter, time] : times)
      if (time > times.at(most) || (time == times.at(most) && most == idle_letter)) most = letter;
    if (most == idle_letter) return most;
    const bool several = std::any_of(times.begin(), times.end(), [&](const auto& other) {
      return other.first != idle_letter && other.first != most && 3 * other.second >= times.at(most);
    });
    return several ? several_letter : most;
  }
};

/// Rows with several units to a column.
std::vector<std::string> shrunk(const io::pipeline_timeline& t, const time_scale& scale) {
  const std::int64_t width = scale.unit * scale.units_per_column; // of a column, in time
  std::vector<std::vector<column_content>> rows(t.ranks.size());
  for (auto& row : rows)
    for (std::int64_t start = 0; start < t.result.makespan; start += width)
      row.push_back({{{idle_letter, std::min(width, t.result.makespan - start)}}});
  for (const io::timeline_entry& e : t.entries)
    for (std::int64_t start = e.start; start < e.end;) {
      const std::int64_t column = start / width;
      const std::int64_t end = std::min(e.end, (column + 1) * width);
      auto& times = rows[static_cast<std::size_t>(e.rank)][static_cast<std::size_t>(column)].times;
      times[letter_of(e.operation.kind)] += end - start;
      times[idle_letter] -= end - start;
      start = end;
    }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string& line = lines.emplace_back();
    for (const column_content& column : row) line += column.letter();
  }
  return lines;
}

void print_legend(std::ostream& out, const io::pipeline_timeline& t, const time_scale& scale) {
  text_table table{"llr"};
  for (const kind_words& k : kinds)
    if (uses(t, k.kind))
      table.row({std::string(1, k.letter), k.words, grouped(t.times[k.kind]) + (t.times[k.kind] == 1 ? " unit" : " units")});
  if (scale.shrinks()) table.row({std::string(1, several_letter), "several of these in turn"});
  table.row({std::string(1, idle_letter), "idle"});
  table.print(out, 2);
  out << '\n';
  const std::int64_t chunks = chunks_of_rank(t.shape);
  if (scale.shrinks()) {
    out << "A column is " << grouped(scale.unit * scale.units_per_column) << " units and shows what takes most of them.\n";
  } else if (t.shape.schedule == schedule::dualpipe) {
    out << "Lower case: micro-batches that start at the last rank.\n";
  } else if (chunks > 1) {
    out << (chunks == 2 ? "Lower case: the second chunk of the rank.\n" : "Lower case: every other chunk of the rank.\n");
  }
  out << "Times are those of one micro-batch through one virtual stage, the same for all, set by --times; transfers take none.\n\n";
}

void print_timeline(std::ostream& out, const io::pipeline_timeline& t) {
  const std::string last = "rank " + std::to_string(t.shape.ranks - 1);
  const std::vector<std::string> heads = {"in flight", "idle"};
  const std::size_t numbers = 2 + heads[0].size() + 2 + std::max(heads[1].size(), grouped(t.result.makespan).size());
  const time_scale scale = scale_of(t, line_width - static_cast<std::int64_t>(last.size() + 2 + numbers));
  const std::vector<std::string> rows = scale.shrinks() ? shrunk(t, scale) : drawn(t, scale);
  text_table table{"llrr"};
  table.row({"", "", heads[0], heads[1]});
  for (std::size_t rank = 0; rank < rows.size(); ++rank)
    table.row({"rank " + std::to_string(rank), rows[rank], grouped(in_flight(t.shape, static_cast<std::int64_t>(rank))),
               grouped(t.ranks[rank].idle(t.result.makespan))});
  table.print(out);
  out << '\n';
  print_legend(out, t, scale);
}

void print_order(std::ostream& out, const io::pipeline_timeline& t) {
  std::vector<std::string> lines(t.ranks.size());
  std::vector<std::size_t> columns(t.ranks.size());
  for (const io::timeline_entry& e : t.entries) {
    const auto rank = static_cast<std::size_t>(e.rank);
    const std::string name = io::short_name(t.shape, e.operation);
    const bool fits = columns[rank] + 1 + name.size() <= line_width;
    lines[rank] += (fits && columns[rank] > 0 ? " " : "\n  ") + name;
    columns[rank] = (fits && columns[rank] > 0 ? columns[rank] + 1 : 2) + name.size();
  }
  for (std::size_t rank = 0; rank < lines.size(); ++rank) out << "Rank " << rank << " does, in this order" << lines[rank] << "\n\n";
}

} // namespace

std::string micro_batches_in_words(std::int64_t number) {
  return grouped(number) + (number == 1 ? " micro-batch" : " micro-batches");
}

void print_pipeline(std::ostream& out, const io::pipeline_timeline& timeline, bool order) {
  print_verdict(out, timeline);
  print_times(out, timeline);
  print_timeline(out, timeline);
  if (order) print_order(out, timeline);
}

} // namespace tool
