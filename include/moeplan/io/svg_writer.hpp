#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <ostream>
#include <string>
#include <string_view>

/// @file
/// The few elements of SVG that pictures of the library are made of. Coordinates are in pixels, with two digits behind the point at most.

namespace moeplan::io::detail {

/// A colour, its channels from 0 to 255.
struct svg_colour {
  double red = 0;
  double green = 0;
  double blue = 0;

  /// From this colour (share 0) to another one (share 1).
  [[nodiscard]] svg_colour towards(const svg_colour& other, double share) const {
    const auto mixed = [share](double from, double to) { return from + share * (to - from); };
    return {mixed(red, other.red), mixed(green, other.green), mixed(blue, other.blue)};
  }

  /// "#b2182b".
  [[nodiscard]] std::string text() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result = "#";
    for (const double channel : {red, green, blue}) {
      const auto value = static_cast<std::size_t>(std::lround(channel));
      result += digits[value / 16];
      result += digits[value % 16];
    }
    return result;
  }
};

/// A picture that is being written. Whatever takes `more` puts it into the element as it is: further attributes.
class svg_writer {
public:
  explicit svg_writer(std::ostream& out) : out_{out} {}

  /// The beginning of a picture, and its white background.
  void begin(double width, double height, std::string_view more = {}) {
    out_ << R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 )" << number(width) << ' ' << number(height) << R"(" width=")"
         << number(width) << R"(" height=")" << number(height) << R"(" font-family="sans-serif" font-size="12")" << more << ">\n"
         << R"(<rect width="100%" height="100%" fill="#ffffff"/>)" << '\n';
  }
  void end() { out_ << "</svg>\n"; }

  void begin_group(std::string_view more = {}) { out_ << "<g" << more << '>'; }
  void end_group() { out_ << "</g>\n"; }

  /// A tooltip of the element or group that has begun.
  void title(std::string_view text) { out_ << "<title>" << escaped(text) << "</title>"; }

  void box(double x, double y, double width, double height, std::string_view fill, std::string_view more = {}) {
    begin_box(x, y, width, height, fill, more);
    out_ << "/>\n";
  }

  /// A box with a tooltip.
  void box_with_title(double x, double y, double width, double height, std::string_view fill, std::string_view tooltip) {
    begin_box(x, y, width, height, fill, {});
    out_ << '>';
    title(tooltip);
    out_ << "</rect>\n";
  }

  void text(double x, double y, std::string_view words, std::string_view more = {}) {
    out_ << R"(<text x=")" << number(x) << R"(" y=")" << number(y) << '"' << more << '>' << escaped(words) << "</text>\n";
  }

  /// Upwards, its middle at this point.
  void text_upwards(double x, double y, std::string_view words) {
    out_ << R"(<text transform="translate()" << number(x) << ' ' << number(y) << R"lit() rotate(-90)" text-anchor="middle">)lit"
         << escaped(words) << "</text>\n";
  }

  /// With two digits behind the point at most.
  [[nodiscard]] static std::string number(double x) {
    char digits[64];
    const auto result = std::to_chars(std::begin(digits), std::end(digits), std::round(x * 100) / 100);
    return {digits, result.ptr};
  }

private:
  [[nodiscard]] static std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) switch (c) {
        case '&': result += "&amp;"; break;
        case '<': result += "&lt;"; break;
        case '>': result += "&gt;"; break;
        case '"': result += "&quot;"; break;
        default: result += c;
      }
    return result;
  }

  void begin_box(double x, double y, double width, double height, std::string_view fill, std::string_view more) {
    out_ << R"(<rect x=")" << number(x) << R"(" y=")" << number(y) << R"(" width=")" << number(width) << R"(" height=")"
         << number(height) << R"(" fill=")" << fill << '"' << more;
  }

  std::ostream& out_;
};

} // namespace moeplan::io::detail
