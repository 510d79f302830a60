#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <string>

#include <moeplan/io/pipeline_timeline.hpp>
#include <moeplan/io/schedule_title.hpp>
#include <moeplan/io/svg_writer.hpp>

/// @file
/// A step of a pipeline as the picture that papers draw of it: a row for each rank, a box for each pass, the micro-batch in it.

namespace moeplan::io {

namespace detail {

/// A picture that is being written.
class pipeline_svg_writer {
public:
  pipeline_svg_writer(std::ostream& out, const pipeline_timeline& timeline)
      : svg_{out}, t_{timeline}, shape_{timeline.shape}, chunks_{chunks_of_rank(timeline.shape)} {
    std::int64_t shortest = 0;
    for (const timeline_entry& e : t_.entries) {
      const std::int64_t time = e.end - e.start;
      if (time > 0 && (shortest == 0 || time < shortest)) shortest = time;
      kinds_[static_cast<std::size_t>(e.operation.kind)] = true;
    }
    const double wide_enough = shortest > 0 ? shortest_box / static_cast<double>(shortest) : 0;
    const auto makespan = static_cast<double>(std::max<std::int64_t>(t_.result.makespan, 1));
    scale_ = std::min(wide_enough, widest / makespan);
    chart_width_ = scale_ * makespan;
  }

  void write() {
    const double width = std::max(chart_width_, legend_width) + left + margin;
    const double height = top + row_height * static_cast<double>(shape_.ranks) + axis_height;
    svg_.begin(width, height, R"( text-anchor="middle")");
    write_heading();
    write_legend();
    for (std::int64_t rank = 0; rank < shape_.ranks; ++rank) write_row(rank);
    for (const timeline_entry& e : t_.entries) write_entry(e);
    write_axis();
    svg_.end();
  }

private:
  static constexpr double shortest_box = 18;
  static constexpr double widest = 6000; ///< of the chart; a longer step is drawn smaller
  static constexpr double legend_width = 620;
  static constexpr double left = 64;
  static constexpr double top = 64;
  static constexpr double margin = 16;
  static constexpr double row_height = 26;
  static constexpr double box_height = 24;
  static constexpr double axis_height = 40;
  static constexpr double largest_font = 11;
  static constexpr double smallest_font = 6;
  static constexpr double digit_width = 0.6; ///< of the font size

  struct kind_words {
    pass kind;
    const char* words;
    svg_colour first; ///< of the first chunk
    svg_colour last;  ///< of the last one
  };
  static constexpr kind_words kinds[] = {
      {pass::forward, "forward", {178, 210, 250}, {86, 150, 230}},
      {pass::backward, "backward", {190, 232, 190}, {92, 186, 104}},
      {pass::input_gradient, "backward for the input", {170, 226, 220}, {66, 176, 166}},
      {pass::weight_gradient, "backward for the weights", {238, 238, 170}, {204, 204, 80}},
  };

  [[nodiscard]] std::string colour(pass kind, std::int64_t chunk) const {
    const kind_words& k = kinds[static_cast<std::size_t>(kind)];
    return k.first.towards(k.last, chunks_ > 1 ? static_cast<double>(chunk) / static_cast<double>(chunks_ - 1) : 0).text();
  }

  [[nodiscard]] double x_of(std::int64_t time) const { return left + scale_ * static_cast<double>(time); }
  [[nodiscard]] static double y_of(std::int64_t rank) { return top + row_height * static_cast<double>(rank); }

  void write_text(double x, double y, const std::string& text, double size, const char* more = "") {
    svg_.text(x, y, text, " font-size=\"" + svg_writer::number(size) + '"' + more);
  }

  void write_heading() {
    std::string text = std::string{schedule_title(shape_)} + ", " + std::to_string(shape_.ranks) + " ranks, " +
                       std::to_string(shape_.micro_batches) + " micro-batches, step " + std::to_string(t_.result.makespan);
    if (t_.result.makespan > 0) {
      const ratio bubble = t_.bubble();
      text += ", idle " + std::to_string(bubble.numerator.value()) + '/' + std::to_string(bubble.denominator.value());
    }
    write_text(left, 20, text, 14, " text-anchor=\"start\"");
  }

  void write_legend() {
    double x = left;
    const bool pairs = kinds_[static_cast<std::size_t>(pass::forward_and_backward)];
    for (const kind_words& k : kinds) {
      const bool in_pairs = pairs && (k.kind == pass::forward || k.kind == pass::backward);
      if (!kinds_[static_cast<std::size_t>(k.kind)] && !in_pairs) continue;
      svg_.box(x, 34, 14, 14, colour(k.kind, 0));
      write_text(x + 20, 45, k.words, 11, " text-anchor=\"start\"");
      x += 44 + 6 * static_cast<double>(std::string{k.words}.size());
    }
    if (chunks_ > 1) {
      const bool both_ends = shape_.schedule == schedule::dualpipe;
      write_text(x, 45, both_ends ? "darker: from the last rank on" : "darker: later chunks of the rank", 11,
                 " text-anchor=\"start\"");
    }
  }

  void write_row(std::int64_t rank) {
    write_text(left - 8, y_of(rank) + 16, "rank " + std::to_string(rank), 11, " text-anchor=\"end\"");
    svg_.box(left, y_of(rank), chart_width_, box_height, "#f3f3f3");
  }

  void write_entry(const timeline_entry& e) {
    const operation& o = e.operation;
    const double x = x_of(e.start);
    const double y = y_of(e.rank);
    const double width = x_of(e.end) - x;
    svg_.begin_group();
    svg_.title("rank " + std::to_string(e.rank) + ": " + short_name(shape_, o) + ", " + std::to_string(e.start) + " to " +
               std::to_string(e.end));
    if (o.kind == pass::forward_and_backward) {
      write_pass(x, y, width, box_height / 2, pass::forward, o.chunk, o.micro_batch);
      write_pass(x, y + box_height / 2, width, box_height / 2, pass::backward, o.backward_chunk, o.backward_micro_batch);
    } else {
      write_pass(x, y, width, box_height, o.kind, o.chunk, o.micro_batch);
    }
    svg_.end_group();
  }

  void write_pass(double x, double y, double width, double height, pass kind, std::int64_t chunk, std::int64_t micro_batch) {
    svg_.box(x, y, width, height, colour(kind, chunk), " stroke=\"#555555\" stroke-width=\"0.5\"");
    const std::string number = std::to_string(shown_micro_batch(shape_, chunk, micro_batch));
    const double room = (width - 2) / (digit_width * static_cast<double>(number.size()));
    const double font = std::min({largest_font, height - 2, room});
    if (font >= smallest_font) write_text(x + width / 2, y + height / 2 + font * 0.36, number, font);
  }

  void write_axis() {
    const double y = y_of(shape_.ranks) + 4;
    // A tick every 1, 2 or 5 times a power of ten, and at least 40 pixels.
    std::int64_t apart = 1;
    for (int i = 0; scale_ * static_cast<double>(apart) < 40 && apart < t_.result.makespan; ++i)
      apart = apart / (i % 3 == 1 ? 2 : 1) * (i % 3 == 1 ? 5 : 2);
    const std::int64_t ticks = t_.result.makespan / apart;
    for (std::int64_t i = 0; i <= ticks; ++i) {
      const double x = x_of(i * apart);
      svg_.box(x - 0.5, y, 1, 5, "#555555");
      write_text(x, y + 18, std::to_string(i * apart), 10);
    }
  }

  svg_writer svg_;
  const pipeline_timeline& t_;
  const pipeline_shape& shape_;
  std::int64_t chunks_;
  std::array<bool, 5> kinds_{}; ///< which passes there are
  double scale_ = 1;            ///< pixels a unit of time
  double chart_width_ = 0;
};

} // namespace detail

/// Writes a picture of a timeline. A pass that is too narrow for its number has none; its tooltip says what it is. A step that would be
/// wider than 6000 pixels is drawn smaller.
inline void write_pipeline_svg(std::ostream& out, const pipeline_timeline& timeline) {
  detail::pipeline_svg_writer{out, timeline}.write();
}

} // namespace moeplan::io
