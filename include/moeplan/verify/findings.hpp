#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/text/text_buffer.hpp>
#include <moeplan/verify/facts.hpp>
#include <moeplan/verify/legal.hpp>
#include <moeplan/verify/order_number.hpp>
#include <moeplan/verify/rules/table.hpp>

/// @file
/// What a check has found: every violated rule, with its operands, a sentence, and the nearest legal values.

namespace moeplan {

/// One operand of a finding.
struct operand_value {
  text name{};
  std::int64_t value = 0;
};

using operand_values = sequence<operand_value, 8>;

/// Long enough for every message with every operand at its longest, which a test verifies.
using message_text = text_buffer<640>;

/// One violated rule. Its parts are computed when asked for; it refers to the findings it comes from.
class finding {
public:
  constexpr finding(const rule_entry& entry, const facts& facts) noexcept : entry_{&entry}, facts_{&facts} {}

  [[nodiscard]] constexpr rule id() const noexcept { return entry_->id; }
  [[nodiscard]] constexpr text name() const noexcept { return entry_->name; }
  [[nodiscard]] constexpr severity level() const noexcept { return entry_->severity; }

  /// Paper, framework and place where the rule comes from.
  [[nodiscard]] constexpr text source() const noexcept { return entry_->source; }

  [[nodiscard]] constexpr operand_values operands() const noexcept {
    operand_values values;
    for (const operand* const o : entry_->operands) {
      if (o == nullptr) break;
      values.push_back({o->name, facts_->*o->value});
    }
    return values;
  }

  /// The operand that legal() is about; empty if there is nothing to suggest.
  [[nodiscard]] constexpr text changes() const noexcept { return entry_->changes; }

  /// Nearest values of `changes` that would satisfy the rule, the other operands staying as they are. An order of ranks is its number,
  /// see order_of().
  [[nodiscard]] constexpr legal_values legal() const noexcept {
    // Not compared with a null pointer, which g++ with -fsanitize=undefined does not do in constant expressions.
    if (*entry_->changes == 0) return {};
    return detail::suiting_schedule(*facts_, entry_->changes, entry_->legal(*facts_));
  }

  /// The rule in words, with the operands in it: "the 8 GPUs of a stage", "the 1 GPU of a stage".
  [[nodiscard]] constexpr message_text message() const noexcept {
    message_text sentence;
    const text pattern = entry_->message;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
      if (pattern[at] != '{') {
        sentence.append(pattern[at]);
        continue;
      }
      const std::size_t close = pattern.find('}', at);
      const std::int64_t value = value_of(pattern.part(at + 1, close - at - 1));
      sentence.append(value);
      at = close;
      constexpr text plural = " GPUs";
      if (value != 1 || !(pattern.part(close + 1, plural.size()) == plural)) continue;
      sentence.append(text{" GPU"});
      at += plural.size();
    }
    return sentence;
  }

private:
  [[nodiscard]] constexpr std::int64_t value_of(text name) const noexcept {
    for (const operand* const o : entry_->operands) {
      if (o == nullptr) break;
      if (o->name == name) return facts_->*o->value;
    }
    return 0; // A test holds every placeholder of every message to an operand.
  }

  const rule_entry* entry_;
  const facts* facts_;
};

/// The findings of one check, in the order of the rules. Iterating yields `finding`s that are valid as long as this is.
struct findings {
  static constexpr std::size_t words = (rule_count + 63) / 64;

  moeplan::facts facts{};          ///< what was checked
  std::uint64_t violated[words]{}; ///< one bit a rule

  constexpr void add(rule id) noexcept {
    violated[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << static_cast<std::size_t>(id) % 64;
  }

  [[nodiscard]] constexpr bool contains(rule id) const noexcept { return bit(static_cast<std::size_t>(id)); }

  /// All of them, warnings and advice included.
  [[nodiscard]] constexpr std::size_t size() const noexcept {
    std::size_t n = 0;
    for (const std::uint64_t word : violated) n += static_cast<std::size_t>(__builtin_popcountll(word));
    return n;
  }
  [[nodiscard]] constexpr bool empty() const noexcept {
    for (const std::uint64_t word : violated)
      if (word != 0) return false;
    return true;
  }

  /// Findings of one severity.
  [[nodiscard]] constexpr std::size_t count(severity level) const noexcept {
    std::size_t n = 0;
    for (const finding f : *this) n += f.level() == level ? 1U : 0U;
    return n;
  }

  /// No errors; there may be warnings and advice.
  [[nodiscard]] constexpr bool ok() const noexcept {
    for (std::size_t i = 0; i < words; ++i)
      if ((violated[i] & rules::errors.words[i]) != 0) return false;
    return true;
  }

  class iterator {
  public:
    using value_type = finding;
    using difference_type = std::ptrdiff_t;

    constexpr iterator() noexcept = default;
    constexpr iterator(const findings& all, std::size_t at) noexcept : all_{&all}, at_{at} { skip(); }
    [[nodiscard]] constexpr finding operator*() const noexcept { return {rules::entry(static_cast<rule>(at_)), all_->facts}; }
    constexpr iterator& operator++() noexcept {
      ++at_;
      skip();
      return *this;
    }
    constexpr iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }
    friend constexpr bool operator==(const iterator& a, const iterator& b) noexcept { return a.at_ == b.at_; }

  private:
    constexpr void skip() noexcept {
      while (at_ < rule_count && !all_->bit(at_)) ++at_;
    }

    const findings* all_ = nullptr;
    std::size_t at_ = 0;
  };

  [[nodiscard]] constexpr iterator begin() const noexcept { return {*this, 0}; }
  [[nodiscard]] constexpr iterator end() const noexcept { return {*this, rule_count}; }

private:
  [[nodiscard]] constexpr bool bit(std::size_t i) const noexcept { return (violated[i / 64] >> i % 64 & 1U) != 0; }
};

/// Appends a legal value as it is written in a deployment: a number, or an order of ranks.
template <std::size_t Capacity>
constexpr void append_value(text_buffer<Capacity>& sentence, text changes, std::int64_t value) noexcept {
  if (changes == text{"order"})
    sentence.append(text{written(order_of(value))});
  else
    sentence.append(value);
}

/// Appends the nearest legal values of a finding to a text, "; nearest legal ep: 32 or 64", or nothing where there are none.
template <std::size_t Capacity>
constexpr void append_legal(text_buffer<Capacity>& sentence, const finding& f) noexcept {
  const legal_values values = f.legal();
  if (values.empty()) return;
  sentence.append(text{"; nearest legal "}).append(f.changes()).append(text{": "});
  append_value(sentence, f.changes(), values[0]);
  if (values.size() < 2) return;
  sentence.append(text{" or "});
  append_value(sentence, f.changes(), values[1]);
}

} // namespace moeplan
