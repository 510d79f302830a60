#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

#include <moeplan/io/svg_writer.hpp>

/// @file
/// Heat maps of loads as one SVG picture, below each other: a row for each layer, a column for each GPU, and one scale of colours
/// for all.

namespace moeplan::io {

/// Loads as multiples of their row's mean, which is white; less is blue, more is red, and both the stronger the farther from the mean. Each
/// side has a scale of its own, so that one GPU with many times the mean does not make idle ones pale: see heat_map_scale.
struct heat_map {
  std::string title;
  std::vector<std::vector<double>> rows; ///< of equal length, finite, not negative
};

namespace detail {

/// How strong the colour of a load is. Below the mean by what is missing, above it by the logarithm: a GPU at 8 times the mean has the full
/// red, one at twice the mean a third of it. As far as to the farther side both sides are alike, and no load at all is as far as below the
/// mean goes: 0.99 is pale where another GPU has 8, and idle is not.
class heat_map_scale {
public:
  constexpr void include(double load) {
    lowest_ = load < lowest_ ? load : lowest_;
    highest_ = load > highest_ ? load : highest_;
  }

  [[nodiscard]] constexpr double lowest() const { return lowest_; }
  [[nodiscard]] constexpr double highest() const { return highest_; }

  /// 0 at the mean, to 1.
  [[nodiscard]] double strength(double load) const {
    if (load == 1) return 0;
    return load < 1 ? (1 - load) / below() : std::log(load) / std::log1p(above());
  }

  /// The load above the mean of this strength.
  [[nodiscard]] double load_above(double strength) const { return std::exp(strength * std::log1p(above())); }

private:
  /// How far from the mean the full colours are.
  [[nodiscard]] double below() const { return std::max(1 - lowest_, std::min(1.0, highest_ - 1)); }
  [[nodiscard]] double above() const { return std::max(highest_ - 1, 1 - lowest_); }

  double lowest_ = 1;
  double highest_ = 1;
};

/// A picture that is being written.
class heat_map_writer {
public:
  heat_map_writer(std::ostream& out, const std::vector<heat_map>& maps) : svg_{out}, maps_{maps} {
    for (const heat_map& map : maps) {
      rows_ = std::max(rows_, map.rows.size());
      for (const std::vector<double>& row : map.rows) {
        columns_ = std::max(columns_, row.size());
        for (const double x : row) scale_.include(x);
      }
    }
    cell_width_ = std::clamp(map_width / static_cast<double>(std::max<std::size_t>(columns_, 1)), 1.0, 40.0);
    cell_height_ = std::clamp(map_height / static_cast<double>(std::max<std::size_t>(rows_, 1)), 3.0, 30.0);
  }

  void write() {
    const double width = left + std::max(cell_width_ * static_cast<double>(columns_), legend_width) + margin;
    double height = top + legend_height;
    for (const heat_map& map : maps_) height += height_of(map);
    svg_.begin(width, height);
    double y = top;
    for (const heat_map& map : maps_) {
      write_map(map, y);
      y += height_of(map);
    }
    write_legend(y);
    svg_.end();
  }

private:
  static constexpr double map_width = 960;
  static constexpr double map_height = 480;
  static constexpr double left = 70;
  static constexpr double top = 10;
  static constexpr double margin = 30;
  static constexpr double heading = 28;
  static constexpr double axis_height = 40;
  static constexpr double legend_width = 300;
  static constexpr double legend_height = 60;
  static constexpr const char* frame = R"( stroke="#808080")";
  static constexpr std::size_t most_tooltips = 20'000; ///< beyond, they would be most of the file

  [[nodiscard]] double height_of(const heat_map& map) const {
    return heading + cell_height_ * static_cast<double>(map.rows.size()) + axis_height;
  }

  /// With three.
  [[nodiscard]] static std::string ratio_of(double x) {
    char digits[400];
    const auto result = std::to_chars(std::begin(digits), std::end(digits), x, std::chars_format::fixed, 3);
    return {digits, result.ptr};
  }

  /// From white to blue below 1, to red above it.
  [[nodiscard]] std::string colour_of(double x) const {
    constexpr svg_colour mean{255, 255, 255};
    constexpr svg_colour cold{33, 102, 172};
    constexpr svg_colour hot{178, 24, 43};
    return mean.towards(x < 1 ? cold : hot, scale_.strength(x)).text();
  }

  void write_text(double x, double y, const char* anchor, const std::string& text) {
    svg_.text(x, y, text, std::string{" text-anchor=\""} + anchor + '"');
  }

  void write_map(const heat_map& map, double y) {
    svg_.text(left, y + 16, map.title, R"( font-size="14" font-weight="bold")");
    const double first = y + heading;
    svg_.begin_group(R"( shape-rendering="crispEdges")");
    for (std::size_t layer = 0; layer < map.rows.size(); ++layer)
      for (std::size_t gpu = 0; gpu < map.rows[layer].size(); ++gpu) write_cell(map, layer, gpu, first);
    svg_.end_group();
    const double height = cell_height_ * static_cast<double>(map.rows.size());
    svg_.box(left, first, cell_width_ * static_cast<double>(columns_), height, "none", frame);
    write_axes(map, first, height);
  }

  void write_cell(const heat_map& map, std::size_t layer, std::size_t gpu, double first) {
    const double load = map.rows[layer][gpu];
    const double x = left + cell_width_ * static_cast<double>(gpu);
    const double y = first + cell_height_ * static_cast<double>(layer);
    if (rows_ * columns_ * maps_.size() > most_tooltips) return svg_.box(x, y, cell_width_, cell_height_, colour_of(load));
    svg_.box_with_title(x, y, cell_width_, cell_height_, colour_of(load),
                        "layer " + std::to_string(layer) + ", GPU " + std::to_string(gpu) + ": " + ratio_of(load) + " of the mean");
  }

  /// Numbers every so many rows and columns that they do not touch.
  void write_axes(const heat_map& map, double first, double height) {
    for (std::size_t layer = 0; layer < map.rows.size(); layer += step_of(14 / cell_height_))
      write_text(left - 6, first + cell_height_ * (static_cast<double>(layer) + 0.5) + 4, "end", std::to_string(layer));
    for (std::size_t gpu = 0; gpu < columns_; gpu += step_of(30 / cell_width_))
      write_text(left + cell_width_ * (static_cast<double>(gpu) + 0.5), first + height + 15, "middle", std::to_string(gpu));
    write_text(left + cell_width_ * static_cast<double>(columns_) / 2, first + height + 31, "middle", "GPU");
    svg_.text_upwards(16, first + height / 2, "layer");
  }

  /// 1, 2, 4, 8, ...: the first that is enough.
  [[nodiscard]] static std::size_t step_of(double least) {
    std::size_t step = 1;
    while (static_cast<double>(step) < least) step *= 2;
    return step;
  }

  /// The mean is in the middle, so that there is always room for it.
  void write_legend(double y) {
    constexpr int steps = 30; // of a side
    constexpr double step = legend_width / 2 / steps;
    const double mean = left + legend_width / 2;
    write_text(left, y + 12, "start", "load of a GPU over the mean of its layer");
    const auto part = [&](double x, double load) {
      svg_.box(x, y + 18, step, 12, colour_of(load), R"( shape-rendering="crispEdges")");
    };
    const double lowest = scale_.lowest();
    const double highest = scale_.strength(scale_.highest());
    for (int i = 0; i < steps; ++i) {
      if (lowest < 1) part(left + step * i, lowest + (1 - lowest) * (i + 0.5) / steps);
      if (highest > 0) part(mean + step * i, scale_.load_above(highest * (i + 0.5) / steps));
    }
    svg_.box(left, y + 18, legend_width, 12, "none", frame);
    svg_.box(mean - 0.5, y + 18, 1, 15, "#808080");
    write_text(mean, y + 44, "middle", "1");
    if (lowest < 1) write_text(left, y + 44, "start", ratio_of(lowest));
    if (highest > 0) write_text(left + legend_width, y + 44, "end", ratio_of(scale_.highest()));
  }

  svg_writer svg_;
  const std::vector<heat_map>& maps_;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
  heat_map_scale scale_;
  double cell_width_ = 0;
  double cell_height_ = 0;
};

} // namespace detail

/// Writes the picture. Precondition: every row of every map is as its docstring says.
inline void write_heat_maps(std::ostream& out, const std::vector<heat_map>& maps) { detail::heat_map_writer{out, maps}.write(); }

} // namespace moeplan::io
