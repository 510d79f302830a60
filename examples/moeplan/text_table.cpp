#include "text_table.hpp"

#include <algorithm>
#include <utility>

namespace tool {

std::string grouped(const std::string& digits) {
  std::string result;
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % 3 == 0) result += ',';
    result += digits[i];
  }
  return result;
}

std::string grouped(std::int64_t number) { return grouped(std::to_string(number)); }

std::string counted(std::int64_t number, const std::string& singular) {
  return grouped(number) + ' ' + singular + (number == 1 ? "" : "s");
}

void text_table::print(std::ostream& out, std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  for (const auto& cells : rows_) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string fill(widths[i] - cells[i].size(), ' ');
      const bool right = i < alignment_.size() && alignment_[i] == 'r';
      if (i != 0) line += "  ";
      line += right ? fill + cells[i] : cells[i] + fill;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

} // namespace tool
