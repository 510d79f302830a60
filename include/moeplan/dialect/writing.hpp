#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/describe/deployment.hpp>
#include <moeplan/describe/layout_text.hpp>
#include <moeplan/dialect/flag.hpp>
#include <moeplan/dialect/nearest_flag.hpp>
#include <moeplan/text/text_buffer.hpp>

/// @file
/// From a framework's own words for a deployment to a line of flags.

namespace moeplan::dialect {

/// The flags that realise a deployment, and what of it they do not.
struct writing {
  static constexpr std::size_t listable = 64;

  text_buffer<4096> flags{};                             ///< one line, in the order of the framework's table
  sequence<text_buffer<256>, listable> cannot_express{}; ///< sentences: member and value, and why

  [[nodiscard]] constexpr bool complete() const noexcept { return cannot_express.empty(); }

  /// Adds a sentence that begins with a member of the deployment.
  constexpr text_buffer<256>& cannot(text member) noexcept {
    text_buffer<256> sentence;
    sentence.append(member);
    if (!cannot_express.push_back(sentence)) cannot_express.back() = sentence;
    return cannot_express.back();
  }

  /// "member value: why".
  constexpr text_buffer<256>& cannot(text member, std::int64_t value, text why) noexcept {
    return cannot(member).append(' ').append(value).append(text{": "}).append(why);
  }
  constexpr text_buffer<256>& cannot(text member, text value, text why) noexcept {
    return cannot(member).append(' ').append(value).append(text{": "}).append(why);
  }
};

/// How a framework wants its flags to be written.
enum class flag_style : std::uint16_t {
  line, ///< --name value
  json  ///< {"section": {"name": value}}
};

namespace detail {

/// Writes a ratio as a decimal number; false, and nothing written, if it has no finite one of at most 12 places.
template <std::size_t Capacity>
constexpr bool append_decimal(text_buffer<Capacity>& out, ratio r) noexcept {
  if (r.overflowed()) return false;
  std::uint64_t rest = r.numerator.bits % r.denominator.bits;
  text_buffer<12> places;
  while (rest != 0 && !places.truncated()) {
    if (rest > ~std::uint64_t{0} / 10) return false;
    places.append(static_cast<char>('0' + rest * 10 / r.denominator.bits));
    rest = rest * 10 % r.denominator.bits;
  }
  if (places.truncated()) return false;
  out.append(r.numerator.bits / r.denominator.bits);
  if (places.size() != 0) out.append('.').append(text{places});
  return true;
}

/// Whether a shell hands the value on as it stands.
[[nodiscard]] constexpr bool is_plain(text value) noexcept {
  for (const char c : value) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
                       c == '.' || c == '/' || c == ':' || c == ',' || c == '+' || c == '@' || c == '%';
    if (!plain) return false;
  }
  return !value.empty();
}

/// Writes those of the choices whose bit is set, with blanks between them.
template <std::size_t Capacity>
constexpr void append_words(text_buffer<Capacity>& out, text choices, std::uint32_t set) noexcept {
  std::uint32_t bit = 1;
  const auto each = [&](text choice) {
    if ((set & bit) != 0 && out.size() != 0) out.append(' ');
    if ((set & bit) != 0) out.append(choice);
    bit <<= 1U;
    return false;
  };
  any_name(choices, each);
}

/// What a framework takes without flags.
template <class Words>
inline constexpr Words by_default{};

/// A row's value as the words have it; empty if it is what the framework takes without the flag. (Not inlined: over an unrolled table g++
/// 12 takes the members of other kinds for uninitialized ones.)
template <class Words>
[[nodiscard, gnu::noinline]] constexpr text_buffer<2560> value_of(const flag<Words>& row, const Words& words) noexcept {
  text_buffer<2560> value;
  constexpr const Words& defaults = by_default<Words>;
  switch (row.kind) {
    case flag_kind::number:
      if ((words.*row.member.number).given) value.append((words.*row.member.number).number);
      break;
    case flag_kind::toggle:
      if (words.*row.member.toggle != defaults.*row.member.toggle && words.*row.member.toggle == row.sets)
        value.append(text{"true"});
      break;
    case flag_kind::truth:
      if (words.*row.member.toggle != defaults.*row.member.toggle)
        value.append(words.*row.member.toggle ? text{"true"} : text{"false"});
      break;
    case flag_kind::word: value.append(words.*row.member.word); break;
    case flag_kind::words:
      if (words.*row.member.words == defaults.*row.member.words) break;
      append_words(value, row.choices, words.*row.member.words);
      break;
    case flag_kind::decimal:
      if (words.*row.member.decimal != defaults.*row.member.decimal) append_decimal(value, words.*row.member.decimal);
      break;
    case flag_kind::stages:
      if ((words.*row.member.stages).kind == layout_kind::listed) append_megatron_layout(value, words.*row.member.stages);
      break;
    case flag_kind::model:
    case flag_kind::object:
    case flag_kind::not_modelled: break;
  }
  return value;
}

/// Writes flags one after the other, closing and opening the objects of a JSON style.
class flag_line_writer {
public:
  constexpr flag_line_writer(text_buffer<4096>& out, flag_style style) noexcept : out_{&out}, style_{style} {
    if (style_ == flag_style::json) out_->append('{');
  }

  template <class Words>
  constexpr void add(const flag<Words>& row, text value) noexcept {
    if (style_ == flag_style::json) return add_setting(row, value);
    if (out_->size() != 0) out_->append(' ');
    out_->append(row.name);
    if (row.kind == flag_kind::toggle) return;
    if (row.name[row.name.size() - 1] != ':') out_->append(' ');
    const bool plain = row.kind == flag_kind::words || is_plain(value);
    if (!plain) out_->append('\'');
    out_->append(value);
    if (!plain) out_->append('\'');
  }

  constexpr void finish() noexcept {
    if (style_ != flag_style::json) return;
    close_down_to(0);
    out_->append('}');
  }

private:
  /// The part of two names that names the same objects, its last point included.
  [[nodiscard]] static constexpr std::size_t shared_section(text a, text b) noexcept {
    std::size_t shared = 0;
    for (std::size_t i = 0; i < a.size() && i < b.size() && a[i] == b[i]; ++i)
      if (a[i] == '.') shared = i + 1;
    return shared;
  }

  /// Closes the objects that the last setting is in, but for those that the first `kept` characters of its name stand for.
  constexpr void close_down_to(std::size_t kept) noexcept {
    for (std::size_t i = kept; i < last_.size(); ++i)
      if (last_[i] == '.') out_->append('}');
  }

  template <class Words>
  constexpr void add_setting(const flag<Words>& row, text value) noexcept {
    std::size_t at = shared_section(last_, row.name);
    close_down_to(at);
    if (!last_.empty()) out_->append(text{", "});
    last_ = row.name;
    for (std::size_t point = row.name.find('.', at); point != row.name.size(); point = row.name.find('.', at)) {
      out_->append('"').append(row.name.part(at, point - at)).append(text{"\": {"});
      at = point + 1;
    }
    out_->append('"').append(row.name.part(at, row.name.size())).append(text{"\": "});
    const bool quoted = row.kind == flag_kind::word;
    if (quoted) out_->append('"');
    out_->append(value);
    if (quoted) out_->append('"');
  }

  text_buffer<4096>* out_;
  flag_style style_;
  text last_{}; ///< the name of the setting that was written last
};

} // namespace detail

/// Writes every flag that the words differ in from what the framework takes without it, each member once.
template <class Words, std::size_t Count>
constexpr void write_flags(writing& out, const grammar<Words, Count>& g, const Words& words,
                           flag_style style = flag_style::line) noexcept {
  detail::flag_line_writer line{out.flags, style};
  for (const flag<Words>& row : g.flags) {
    const auto value = detail::value_of(row, words);
    if (value.truncated()) out.cannot("layout: it is longer than a flag can be here");
    if (value.size() != 0 && row.is_written) line.add(row, text{value});
  }
  line.finish();
  if (out.flags.truncated()) out.cannot("flags: they are longer than a line can be here");
}

} // namespace moeplan::dialect
