#include "text_table.hpp"

#include <algorithm>
#include <utility>

using moeplan::uint256;

namespace tool {

std::string digits_of(uint256 number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + (number % uint256{10}).to_count().value()));
    number = number / uint256{10};
  } while (!(number == uint256{0}));
  return digits;
}

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

std::string gibibytes(std::uint64_t bytes) {
  // In hundredths, without a product that could outgrow 64 bits.
  const std::uint64_t whole = bytes >> 30;
  const std::uint64_t hundredths = ((bytes & ((1U << 30) - 1)) * 100 + (1U << 29)) >> 30;
  const std::string digits = std::to_string(hundredths % 100);
  return grouped(std::to_string(whole + hundredths / 100)) + (digits.size() == 1 ? ".0" : ".") + digits;
}

std::string sized(std::uint64_t bytes) {
  if (bytes >= (std::uint64_t{1} << 30) / 100) return gibibytes(bytes) + " GiB";
  if (bytes >= 1U << 20) return gibibytes(bytes << 10) + " MiB";
  if (bytes >= 1U << 10) return gibibytes(bytes << 20) + " KiB";
  return std::to_string(bytes) + " B";
}

std::string counted(std::int64_t number, const std::string& singular) {
  return grouped(number) + ' ' + singular + (number == 1 ? "" : "s");
}

std::size_t columns_of(const std::string& words) {
  const auto starts_a_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  return static_cast<std::size_t>(std::count_if(words.begin(), words.end(), starts_a_character));
}

void text_table::print(std::ostream& out, std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], columns_of(cells[i]));
  }
  for (const auto& cells : rows_) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string fill(widths[i] - columns_of(cells[i]), ' ');
      const bool right = i < alignment_.size() && alignment_[i] == 'r';
      if (i != 0) line += "  ";
      line += right ? fill + cells[i] : cells[i] + fill;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

} // namespace tool
