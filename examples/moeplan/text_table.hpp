// Text for people: aligned columns, numbers with thousands separators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include <moeplan/number/uint256.hpp>

namespace tool {

/// In decimal. Precondition: not overflowed.
std::string digits_of(moeplan::uint256 number);

/// "671,026,419,200" of the digits of an integer, which may begin with '-'.
std::string grouped(const std::string& digits);
std::string grouped(std::int64_t number);

/// "70.12 GiB", rounded to nearest; less than a hundredth of one in MiB, KiB or bytes.
std::string sized(std::uint64_t bytes);

/// "70.12": the same in GiB, whatever the size.
std::string gibibytes(std::uint64_t bytes);

/// How many characters of UTF-8 these are, and so how many columns of a terminal they take, as long as none is wide.
std::size_t columns_of(const std::string& words);

/// "1 stage", "2 stages".
std::string counted(std::int64_t number, const std::string& singular);

/// Columns as wide as their widest cell, two blanks apart.
class text_table {
public:
  /// One letter a column: 'l' aligns left, 'r' right. Cells beyond the last letter align left.
  explicit text_table(std::string alignment) : alignment_{std::move(alignment)} {}

  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  /// Precondition: lines are indented by `indent` blanks.
  void print(std::ostream& out, std::size_t indent = 0) const;

private:
  std::string alignment_;
  std::vector<std::vector<std::string>> rows_;
};

} // namespace tool
