#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/text/parsed.hpp>
#include <moeplan/text/text.hpp>
#include <moeplan/verify/printed_value.hpp>

/// @file
/// Reads numbers as documents print them: "8,192", "~17.7 GB", "15-20 ms", "12.8K tokens/s", "8 billion tokens/s", "27.6%", "64x", "1/8", "yes".

namespace moeplan {

namespace detail {

struct printed_suffix {
  const char* name = "";
  printed_unit unit = printed_unit::none;
  std::int16_t thousands = 0;
  bool binary = false;
};

/// What may follow a number. A "B" alone is a billion right after the number, a byte after a space; that is read elsewhere.
inline constexpr printed_suffix printed_suffixes[] = {
    {},
    {"%", printed_unit::percent},
    {"x", printed_unit::times},
    {"bytes", printed_unit::bytes},
    {"kB", printed_unit::bytes, 1},
    {"KB", printed_unit::bytes, 1},
    {"MB", printed_unit::bytes, 2},
    {"GB", printed_unit::bytes, 3},
    {"TB", printed_unit::bytes, 4},
    {"KiB", printed_unit::bytes, 1, true},
    {"MiB", printed_unit::bytes, 2, true},
    {"GiB", printed_unit::bytes, 3, true},
    {"TiB", printed_unit::bytes, 4, true},
    {"s", printed_unit::seconds},
    {"ms", printed_unit::seconds, -1},
    {"us", printed_unit::seconds, -2},
};

/// What a number can be multiplied by, before a rate's unit or alone.
struct printed_scale {
  const char* name = "";
  std::int16_t thousands = 0;
};

inline constexpr printed_scale printed_scales[] = {{"K", 1},        {"M", 2},       {"B", 3},       {"T", 4},
                                                   {"thousand", 1}, {"million", 2}, {"billion", 3}, {"trillion", 4}};

/// What a rate can count.
struct printed_thing {
  const char* name = "";
  counted_thing thing{};
};

inline constexpr printed_thing printed_things[] = {
    {"", counted_thing::unstated},          {"tokens", counted_thing::tokens},    {"token", counted_thing::tokens},
    {"toks", counted_thing::tokens},        {"tok", counted_thing::tokens},       {"sequences", counted_thing::sequences},
    {"sequence", counted_thing::sequences}, {"seqs", counted_thing::sequences},   {"seq", counted_thing::sequences},
    {"samples", counted_thing::samples},    {"sample", counted_thing::samples},   {"requests", counted_thing::requests},
    {"request", counted_thing::requests},   {"reqs", counted_thing::requests},    {"req", counted_thing::requests},
    {"batches", counted_thing::batches},    {"batch", counted_thing::batches},    {"steps", counted_thing::steps},
    {"step", counted_thing::steps},         {"iterations", counted_thing::steps}, {"iteration", counted_thing::steps},
    {"FLOP", counted_thing::operations},    {"FLOPs", counted_thing::operations}, {"FLOPS", counted_thing::operations}};

[[nodiscard]] constexpr const printed_thing* find_thing(text name) noexcept {
  for (const printed_thing& t : printed_things)
    if (name == text{t.name}) return &t;
  return nullptr;
}

/// What a rate can be per, as printed_value has it.
struct printed_time {
  const char* name = "";
  std::int16_t per = 0;
};

inline constexpr printed_time printed_times[] = {{"s"}, {"sec"}, {"second"}, {"ms", 1}, {"us", 2}};

class printed_reader {
public:
  constexpr explicit printed_reader(text input) noexcept : input_{input} {}

  [[nodiscard]] constexpr parsed<printed_value> read() noexcept {
    if (input_ == text{"yes"} || input_ == text{"no"}) return answer();
    skip('~');
    read_number(value_.first);
    if (skip_dash())
      read_number(value_.last);
    else
      value_.last = value_.first;
    read_unit();
    if (error_.problem.empty() && falls()) fail(0, input_.size(), "a range that falls", "the smaller number first");
    return {value_, error_};
  }

private:
  [[nodiscard]] static constexpr parsed<printed_value> answer_of(bool yes) noexcept {
    printed_value v{yes ? 1 : 0};
    v.unit = printed_unit::answer;
    return {v, {}};
  }
  [[nodiscard]] constexpr parsed<printed_value> answer() const noexcept { return answer_of(input_.size() == 3); }

  constexpr void fail(std::size_t at, std::size_t length, text problem, text expected) noexcept {
    if (error_.problem.empty()) error_ = {problem, input_.part(at, length), expected, at};
  }

  [[nodiscard]] constexpr bool is_digit(std::size_t at) const noexcept {
    return at < input_.size() && input_[at] >= '0' && input_[at] <= '9';
  }

  constexpr bool skip(char c) noexcept {
    if (at_ == input_.size() || input_[at_] != c) return false;
    ++at_;
    return true;
  }

  /// Between the numbers of a range: a hyphen, or an en dash in UTF-8.
  constexpr bool skip_dash() noexcept {
    constexpr text en_dash = "\xe2\x80\x93";
    if (skip('-')) return true;
    if (!(input_.part(at_, en_dash.size()) == en_dash)) return false;
    at_ += en_dash.size();
    return true;
  }

  /// A comma groups three digits.
  [[nodiscard]] constexpr bool is_group(std::size_t comma) const noexcept {
    return input_[comma] == ',' && is_digit(comma + 1) && is_digit(comma + 2) && is_digit(comma + 3) && !is_digit(comma + 4);
  }

  constexpr void read_digits(std::uint64_t& digits, bool grouped) noexcept {
    const std::size_t start = at_;
    for (; at_ < input_.size(); ++at_) {
      if (grouped && at_ > start && is_group(at_)) continue;
      if (!is_digit(at_)) break;
      if (digits >= 100'000'000'000'000'000) return fail(start, input_.size() - start, "more than 18 digits", "at most 18 digits");
      digits = digits * 10 + static_cast<std::uint64_t>(input_[at_] - '0');
    }
    if (at_ == start) fail(at_, 1, at_ == input_.size() ? "the end" : "no number", "a digit");
  }

  constexpr void read_number(printed_number& n) noexcept {
    read_digits(n.digits, true);
    if (skip('.')) {
      const std::size_t start = at_;
      read_digits(n.digits, false);
      n.decimals = static_cast<std::uint16_t>(at_ - start);
    } else if (at_ < input_.size() && input_[at_] == '/' && is_digit(at_ + 1)) {
      ++at_;
      const std::size_t start = at_;
      n.over = 0;
      read_digits(n.over, false);
      if (n.over == 0) fail(start, at_ - start, "a denominator of zero", "a denominator of at least 1");
      if (n.over == 0) n.over = 1;
    }
  }

  constexpr void set(const printed_suffix& s) noexcept {
    value_.unit = s.unit;
    value_.thousands = s.thousands;
    value_.binary = s.binary;
  }

  constexpr void read_unit() noexcept {
    const std::size_t start = at_;
    const bool apart = skip(' ');
    const text unit = input_.part(at_, input_.size() - at_);
    if (apart && unit == text{"B"}) return set({"B", printed_unit::bytes});
    if (unit.find('/') != unit.size()) return read_rate(unit, apart);
    for (const printed_suffix& s : printed_suffixes)
      if (unit == text{s.name}) return set(s);
    for (const printed_scale& s : printed_scales)
      if (unit == text{s.name}) return set({s.name, printed_unit::none, s.thousands});
    fail(start, input_.size() - start, "no unit",
         "%, x, K, M, B, T, thousand to trillion, GB, GiB and the like, s, ms, us, or something/s");
  }

  /// "tokens/s", "K tokens/sec", "billion tokens/s". `apart`: a space stands before it.
  constexpr void read_rate(text unit, bool apart) noexcept {
    const std::size_t slash = unit.find('/');
    const text below = unit.part(slash + 1, unit.size() - slash - 1);
    const text counted = without_scale(unit.part(0, slash));
    value_.unit = printed_unit::rate;
    const printed_thing* const known = find_thing(counted);
    if (known != nullptr) value_.thing = known->thing;
    if (has_unread_prefix(counted) || (apart && unit.part(0, slash) == text{"B"}))
      fail(at_, slash, "a prefix that is not read", "K, M, B or T right after the number, as in 400T FLOP/s");
    else if (known == nullptr || (counted.empty() && slash > 0 && unit[slash - 1] == ' '))
      fail(at_ + slash - counted.size(), counted.empty() ? 1 : counted.size(), "no thing that a rate counts",
           "tokens, sequences, samples, requests, batches, steps, FLOP, or nothing, after K, M, B, T or thousand to trillion if "
           "any");
    for (const printed_time& t : printed_times) {
      if (!(below == text{t.name})) continue;
      value_.per = t.per;
      return;
    }
    fail(at_ + slash + 1, below.size(), "no unit of time", "s, sec, second, ms or us");
  }

  /// What is counted, after "K " or "billion ", which is taken in; or nothing after "K" alone.
  [[nodiscard]] constexpr text without_scale(text counted) noexcept {
    for (const printed_scale& s : printed_scales) {
      const std::size_t size = text{s.name}.size();
      if (!(counted.part(0, size) == text{s.name}) || (counted.size() > size && counted[size] != ' ')) continue;
      value_.thousands = s.thousands;
      const std::size_t rest = counted.size() > size ? size + 1 : size;
      return counted.part(rest, counted.size() - rest);
    }
    return counted;
  }

  /// "TFLOP/s", "GB/s", "ktok/s", "k tokens/s": without the prefix it would be another number.
  [[nodiscard]] static constexpr bool has_unread_prefix(text counted) noexcept {
    constexpr text prefixes = "kKMGTP";
    if (counted.empty() || prefixes.find(counted[0]) == prefixes.size()) return false;
    const std::size_t start = counted.size() > 1 && counted[1] == ' ' ? 2 : 1;
    const text rest = counted.part(start, counted.size() - start);
    return find_thing(rest) != nullptr || rest == text{"B"} || rest == text{"iB"};
  }

  [[nodiscard]] constexpr bool falls() const noexcept { return as_printed(value_.last).low < as_printed(value_.first).low; }

  text input_{};
  std::size_t at_ = 0;
  printed_value value_{};
  parse_error error_{};
};

} // namespace detail

/// Reads a number, or a range of two, with a unit: digits, with commas between groups of three if any; decimals, or a fraction such as
/// "1/8"; K, M, B or T right after it or thousand, million, billion or trillion (10^3 to 10^12); then nothing, %, x, bytes (B, kB to TB,
/// KiB to TiB), s, ms, us, or a rate such as "tokens/s" of a thing that is known. One space may stand before the unit, "~" before it all,
/// which says nothing. "yes" and "no" are answers.
[[nodiscard]] constexpr parsed<printed_value> parse_printed(text input) noexcept { return detail::printed_reader{input}.read(); }

namespace not_a_constant {
inline void this_is_not_a_printed_value() noexcept {}
} // namespace not_a_constant

inline namespace literals {
/// "17.7 GB"_printed: a compile error in a constant expression if it cannot be read, else what could be.
constexpr printed_value operator""_printed(const char* characters, std::size_t n) noexcept {
  const parsed<printed_value> read = parse_printed({characters, n});
  if (!read.ok()) not_a_constant::this_is_not_a_printed_value();
  return read.value;
}
} // namespace literals

} // namespace moeplan
