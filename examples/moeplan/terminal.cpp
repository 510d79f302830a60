#include "terminal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <system_error>

namespace tool {

std::size_t terminal_width() {
  constexpr std::size_t usual = 100;
  constexpr std::size_t least = 60;
  constexpr std::size_t most = 10'000;
  const char* const columns = std::getenv("COLUMNS");
  if (columns == nullptr) return usual;
  std::size_t width = 0;
  const char* const end = columns + std::strlen(columns);
  const auto [stop, error] = std::from_chars(columns, end, width);
  return error == std::errc{} && stop == end && width > 0 ? std::clamp(width, least, most) : usual;
}

std::string wrapped(const std::string& words, std::size_t width, std::size_t indent) {
  std::string text;
  std::size_t column = 0;
  std::istringstream stream{words};
  for (std::string word; stream >> word;) {
    if (column > 0 && column + 1 + word.size() > width) {
      text += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > 0) {
      text += ' ';
      ++column;
    }
    text += word;
    column += word.size();
  }
  return text + '\n';
}

} // namespace tool
