#include "pipeline_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <moeplan/io/schedule_title.hpp>
#include <moeplan/pipeline/dependencies.hpp>
#include <moeplan/pipeline/in_flight.hpp>

#include "terminal.hpp"
#include "text_table.hpp"

using namespace moeplan;

namespace tool {

namespace {

constexpr std::int64_t widest_unit = 4;
constexpr char idle_letter = '.';
constexpr const char* cut = " // ";

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

bool uses(const io::pipeline_timeline& t, pass kind) {
  return std::any_of(t.entries.begin(), t.entries.end(), [kind](const io::timeline_entry& e) { return e.operation.kind == kind; });
}

/// "11.1%".
std::string percent(const ratio& share) {
  const long thousandths = std::lround(share.to_double() * 1000);
  return std::to_string(thousandths / 10) + '.' + std::to_string(thousandths % 10) + '%';
}

void print_verdict(std::ostream& out, const io::pipeline_timeline& t, std::size_t width) {
  const pipeline_shape& p = t.shape;
  const std::int64_t chunks = chunks_of_rank(p);
  std::string words = std::string{io::schedule_title(p)} + ": " + counted(p.ranks, "rank");
  if (chunks > 1) words += " of " + std::to_string(chunks) + (p.schedule == schedule::dualpipe ? " stages" : " virtual stages");
  out << wrapped(words + ", " + micro_batches_in_words(p.micro_batches), width);
}

void print_times(std::ostream& out, const io::pipeline_timeline& t, std::size_t width) {
  const ratio bubble = t.bubble();
  std::string words = "The step takes " + grouped(t.result.makespan) + " units; " + percent(bubble);
  if (bubble.numerator != 0)
    words += " (" + std::to_string(bubble.numerator.value()) + '/' + std::to_string(bubble.denominator.value()) + ')';
  out << wrapped(words + " of the ranks' time is idle.", width) << '\n';
}

/// A stretch of time.
struct time_span {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

std::int64_t rounded_up(std::int64_t a, std::int64_t b) { return a / b + (a % b == 0 ? 0 : 1); }

/// How time becomes columns: several to a unit, one to a unit or several units to one.
struct time_scale {
  std::int64_t unit = 1; ///< what all times are multiples of
  std::int64_t columns_per_unit = 1;
  std::int64_t units_per_column = 1;
  bool fits = true;             ///< the whole step, with a column or more to a unit
  std::vector<time_span> shown; ///< the whole step, or its beginning and its end; where it does not fit

  [[nodiscard]] std::int64_t column() const { return unit * units_per_column; } ///< in time, where it does not fit
};

/// From when every rank has begun with backward passes until the first has no forward pass left; empty where there is no such time. What
/// comes before is the warm-up, in which the schedule starts, and after it the end.
time_span steady_part(const io::pipeline_timeline& t) {
  const std::size_t ranks = t.ranks.size();
  std::vector<std::int64_t> first_backward(ranks, t.result.makespan);
  std::vector<std::int64_t> last_forward(ranks, 0);
  for (const io::timeline_entry& e : t.entries) {
    const auto rank = static_cast<std::size_t>(e.rank);
    if (has_forward(e.operation)) last_forward[rank] = std::max(last_forward[rank], e.end);
    if (e.operation.kind != pass::forward) first_backward[rank] = std::min(first_backward[rank], e.start);
  }
  return {*std::max_element(first_backward.begin(), first_backward.end()),
          *std::min_element(last_forward.begin(), last_forward.end())};
}

/// Warm-up and end to scale, and of the steady part between them as much as there is room for. False: there is no such part, or the whole
/// step is no narrower at that scale.
bool cut_steady_part(const io::pipeline_timeline& t, std::int64_t width, time_scale& scale) {
  const time_span steady = steady_part(t);
  if (steady.start >= steady.end) return false;
  constexpr std::int64_t of_steady = 3; // columns at least, on both sides of the cut
  const std::int64_t room = width - static_cast<std::int64_t>(std::string{cut}.size()) - 2 * of_steady;
  const std::int64_t makespan = t.result.makespan;
  const auto columns = [&](std::int64_t time) { return rounded_up(time, scale.column()); };
  const std::int64_t whole = scale.units_per_column;
  scale.units_per_column = std::max<std::int64_t>(1, (steady.start + (makespan - steady.end)) / scale.unit / room);
  while (scale.units_per_column < whole && columns(steady.start) + columns(makespan - steady.end) > room) ++scale.units_per_column;
  if (scale.units_per_column >= whole) return scale.units_per_column = whole, false;
  const std::int64_t spare = room - columns(steady.start) - columns(makespan - steady.end);
  const std::int64_t first = columns(steady.start) + of_steady + spare / 2;
  const std::int64_t last = columns(makespan - steady.end) + of_steady + (spare - spare / 2);
  scale.shown = {{0, first * scale.column()}, {makespan - last * scale.column(), makespan}};
  return true;
}

time_scale scale_of(const io::pipeline_timeline& t, std::int64_t width) {
  time_scale scale{.unit = 0, .shown = {}};
  for (const io::timeline_entry& e : t.entries) scale.unit = std::gcd(scale.unit, e.end - e.start);
  const std::int64_t units = t.result.makespan / scale.unit;
  scale.fits = units <= width;
  scale.columns_per_unit = std::clamp<std::int64_t>(width / units, 1, widest_unit);
  scale.units_per_column = rounded_up(units, width);
  if (!scale.fits && !cut_steady_part(t, width, scale)) scale.shown = {{0, t.result.makespan}};
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
  std::vector<std::string> rows(t.ranks.size(), std::string(columns_of(t.result.makespan), idle_letter));
  for (const io::timeline_entry& e : t.entries) {
    const std::size_t columns = columns_of(e.end - e.start);
    std::string cell = labels ? label_of(t.shape, e.operation) : std::string(columns, letter_of(e.operation));
    cell.resize(columns, '-');
    rows[static_cast<std::size_t>(e.rank)].replace(columns_of(e.start), columns, cell);
  }
  return rows;
}

/// What happens on a rank during a column of the timeline, in order.
struct column_content {
  std::vector<std::pair<char, std::int64_t>> times; ///< by the letter of what happens
  std::int64_t idle = 0;

  void add(char letter, std::int64_t time) {
    idle -= time;
    for (auto& [known, sum] : times)
      if (known == letter) return void(sum += time);
    times.emplace_back(letter, time);
  }

  /// What takes most of it; of several the first, and idle time only if it is longer than each.
  [[nodiscard]] char letter() const {
    char most = idle_letter;
    std::int64_t longest = 0;
    for (const auto& [letter, time] : times)
      if (time > longest) {
        most = letter;
        longest = time;
      }
    return idle > longest ? idle_letter : most;
  }
};

/// A stretch of time as rows, in columns of more than a unit or of one.
std::vector<std::string> shrunk(const io::pipeline_timeline& t, std::int64_t width, const time_span& shown) {
  std::vector<std::vector<column_content>> rows(t.ranks.size());
  for (auto& row : rows)
    for (std::int64_t start = shown.start; start < shown.end; start += width)
      row.push_back({.times = {}, .idle = std::min(width, shown.end - start)});
  for (const io::timeline_entry& e : t.entries) {
    const std::int64_t last = std::min(e.end, shown.end);
    for (std::int64_t start = std::max(e.start, shown.start); start < last;) {
      const std::int64_t column = (start - shown.start) / width;
      const std::int64_t end = std::min(last, shown.start + (column + 1) * width);
      rows[static_cast<std::size_t>(e.rank)][static_cast<std::size_t>(column)].add(letter_of(e.operation), end - start);
      start = end;
    }
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string& line = lines.emplace_back();
    for (const column_content& column : row) line += column.letter();
  }
  return lines;
}

/// What is shown, and cut where something is left out.
std::vector<std::string> shrunk(const io::pipeline_timeline& t, const time_scale& scale) {
  std::vector<std::string> lines(t.ranks.size());
  for (const time_span& shown : scale.shown) {
    const std::vector<std::string> part = shrunk(t, scale.column(), shown);
    for (std::size_t rank = 0; rank < lines.size(); ++rank) lines[rank] += (lines[rank].empty() ? "" : cut) + part[rank];
  }
  return lines;
}

/// What a column is, and what is cut.
std::string scale_in_words(const time_scale& scale) {
  if (scale.fits) return {};
  const std::int64_t column = scale.column();
  std::string words =
      column == 1 ? "A column is 1 unit." : "A column is " + grouped(column) + " units and shows what takes most of them.";
  if (scale.shown.size() < 2) return words;
  return words + " At // the units from " + grouped(scale.shown[0].end) + " to " + grouped(scale.shown[1].start) +
         " are cut, which are between warm-up and end.";
}

std::string cases_in_words(const pipeline_shape& p) {
  const std::int64_t chunks = chunks_of_rank(p);
  if (p.schedule == schedule::dualpipe) return "Lower case: micro-batches that start at the last rank.";
  if (chunks > 1) return chunks == 2 ? "Lower case: the second chunk of the rank." : "Lower case: every other chunk of the rank.";
  return {};
}

void print_legend(std::ostream& out, const io::pipeline_timeline& t, const time_scale& scale, std::size_t width) {
  text_table table{"llr"};
  for (const kind_words& k : kinds)
    if (uses(t, k.kind))
      table.row({std::string(1, k.letter), k.words, grouped(t.times[k.kind]) + (t.times[k.kind] == 1 ? " unit" : " units")});
  table.row({std::string(1, idle_letter), "idle"});
  table.print(out, 2);
  out << '\n';
  const std::string about_times =
      "Times are those of one micro-batch through one virtual stage, the same for all, set by --times; transfers take none.";
  for (const std::string& words : {scale_in_words(scale), cases_in_words(t.shape), about_times})
    if (!words.empty()) out << wrapped(words, width);
  out << '\n';
}

void print_timeline(std::ostream& out, const io::pipeline_timeline& t, std::size_t width) {
  const std::string last = "rank " + std::to_string(t.shape.ranks - 1);
  const std::vector<std::string> heads = {"in flight", "idle"};
  const std::size_t numbers = 2 + heads[0].size() + 2 + std::max(heads[1].size(), grouped(t.result.makespan).size());
  const time_scale scale = scale_of(t, static_cast<std::int64_t>(width - (last.size() + 2 + numbers)));
  const std::vector<std::string> rows = scale.fits ? drawn(t, scale) : shrunk(t, scale);
  text_table table{"llrr"};
  table.row({"", "", heads[0], heads[1]});
  for (std::size_t rank = 0; rank < rows.size(); ++rank)
    table.row({"rank " + std::to_string(rank), rows[rank], grouped(in_flight(t.shape, static_cast<std::int64_t>(rank))),
               grouped(t.ranks[rank].idle(t.result.makespan))});
  table.print(out);
  out << '\n';
  print_legend(out, t, scale, width);
}

void print_order(std::ostream& out, const io::pipeline_timeline& t, std::size_t width) {
  std::vector<std::string> lines(t.ranks.size());
  std::vector<std::size_t> columns(t.ranks.size());
  for (const io::timeline_entry& e : t.entries) {
    const auto rank = static_cast<std::size_t>(e.rank);
    const std::string name = io::short_name(t.shape, e.operation);
    const bool fits = columns[rank] + 1 + name.size() <= width;
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
  const std::size_t width = terminal_width();
  print_verdict(out, timeline, width);
  print_times(out, timeline, width);
  print_timeline(out, timeline, width);
  if (order) print_order(out, timeline, width);
}

} // namespace tool
