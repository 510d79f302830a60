#pragma once

#include <cstddef>
#include <cstdint>

#include <moeplan/mesh/gpus.hpp>
#include <moeplan/number/interval.hpp>
#include <moeplan/text/text.hpp>
#include <moeplan/text/text_buffer.hpp>
#include <moeplan/verify/check.hpp>
#include <moeplan/verify/claim.hpp>
#include <moeplan/verify/claim_deployment.hpp>
#include <moeplan/verify/claim_verdict.hpp>
#include <moeplan/verify/printed_words.hpp>

/// @file
/// Why a claim holds, fails, or cannot be decided, in words.

namespace moeplan {

/// Long enough for every reason: three findings at their longest and what goes with them.
using reason_text = text_buffer<2560>;

/// A computed value in the unit of the claim, with two decimals more than it.
template <std::size_t Capacity>
constexpr void append_computed(text_buffer<Capacity>& out, const wide_ratio& value, const claim& c, byte_reading reading) noexcept {
  append_value(out, value, c.claimed, reading, std::size_t{c.claimed.first.decimals} + 2U);
}

/// What was computed: "21.696 GB", "0.469 GB to 7.5 GB", or nothing where nothing could be.
[[nodiscard]] constexpr text_buffer<96> computed_words(const claim& c, const claim_verdict& v) noexcept {
  text_buffer<96> out;
  if (!v.computed) return out;
  append_computed(out, v.value.low, c, v.reading);
  if (!v.is_open()) return out;
  out.append(text{" to "});
  append_computed(out, v.value.high, c, v.reading);
  return out;
}

namespace detail {

/// A formula's words with the inputs in them, as they are printed.
class formula_words {
public:
  constexpr formula_words(reason_text& out, const claim_inputs& given) noexcept : out_{out}, given_{given} {}

  constexpr void append(text pattern) noexcept {
    for (std::size_t at = 0; at < pattern.size(); ++at) {
      const char c = pattern[at];
      if (c == ']') continue;
      if (c == '[' && !stands(pattern, at)) {
        at = pattern.find(']', at);
        continue;
      }
      if (c == '{') {
        const std::size_t close = pattern.find('}', at);
        append_input(pattern.part(at + 1, close - at - 1));
        at = close;
      } else if (c != '[') {
        out_.append(c);
      }
    }
  }

private:
  /// The input of that name; the number of inputs if it is not given.
  [[nodiscard]] constexpr std::size_t find(text name) const noexcept {
    std::size_t at = 0;
    while (at < given_.items.size() && !(name_of(given_.items[at].name) == name)) ++at;
    return at;
  }

  /// Whether the input in brackets is given.
  [[nodiscard]] constexpr bool stands(text pattern, std::size_t bracket) const noexcept {
    const std::size_t open = pattern.find('{', bracket);
    return find(pattern.part(open + 1, pattern.find('}', open) - open - 1)) != given_.items.size();
  }

  constexpr void append_input(text name) noexcept {
    if (const std::size_t at = find(name); at != given_.items.size()) append_printed(out_, given_.items[at].value);
  }

  reason_text& out_;
  const claim_inputs& given_;
};

/// A name as words: "used memory".
constexpr void append_spaced(reason_text& out, text name) noexcept {
  for (const char c : name) out.append(c == '_' ? ' ' : c);
}

constexpr void append_missing(reason_text& out, const claim_verdict& v) noexcept {
  out.append(text{"not given: "});
  for (std::size_t i = 0; i < v.missing.size(); ++i) {
    out.append(text{i == 0 ? "" : ", "});
    append_spaced(out, name_of(v.missing[i]));
  }
}

constexpr void append_gpus(reason_text& out, std::int64_t n) noexcept {
  append_grouped(out, static_cast<std::uint64_t>(n));
  out.append(text{n == 1 ? " GPU" : " GPUs"});
}

/// "; folded it is 128 GPUs (EDP 2)", "; folded it is 32 GPUs, and EP 64 does not divide a stage's 8".
constexpr void append_folded(reason_text& out, const claim& c) noexcept {
  const facts f = facts_of({.strategy = strategy_described_by(c.inputs), .profile = profile::universal});
  if (!f.knows(known::degrees | known::no_overflow)) return;
  out.append(text{"; folded it is "});
  append_gpus(out, f.gpus);
  if (!f.knows(known::experts_fit))
    out.append(text{", and EP "}).append(f.ep).append(text{" does not divide a stage's "}).append(f.stage_gpus);
  else if (f.ep > 1)
    out.append(text{" (EDP "}).append(f.edp).append(')');
}

constexpr void append_product(reason_text& out, const strategy& s) noexcept {
  const auto all = s.resolved() ? product_of_degrees<saturating_count>(s) : saturating_count{0};
  if (all == saturating_count{0} || !fits(all)) return;
  out.append(text{"; all degrees multiplied are "});
  append_grouped(out, all.value());
}

/// The fewest GPUs on which the two grids of a strategy fit.
constexpr void append_fewest(reason_text& out, const facts& f, const strategy& s) noexcept {
  if (!f.knows(known::degrees & ~known::dp)) return;
  const auto fewest = minimum_gpus<saturating_count>(s);
  if (!fits(fewest)) return;
  out.append(text{"; whatever DP is, these degrees take a multiple of "});
  append_gpus(out, or_zero(fewest));
}

/// What is wrong with a strategy, or how many GPUs it takes.
constexpr void append_findings(reason_text& out, const claim& c) noexcept {
  const deployment d = deployment_described_by(c.inputs);
  const findings found = check(d);
  if (found.ok()) {
    out.append(text{"no rule is violated: "});
    append_gpus(out, found.facts.gpus);
    out.append(text{" of "});
    append_grouped(out, static_cast<std::uint64_t>(found.facts.available));
    out.append(text{" under the folded mapping"});
  }
  std::uint64_t errors = 0;
  for (const finding f : found) {
    const bool is_error = f.level() == severity::error;
    if (is_error && ++errors > 2) continue;
    if (!is_error && f.id() != rule::no_gpu_is_idle) continue;
    out.append(text{out.size() == 0 ? "" : "; "}).append(text{f.message()});
    append_legal(out, f);
  }
  if (errors > 2) out.append(text{"; and "}).append(errors - 2).append(text{" more"});
  if (errors != 0) append_fewest(out, found.facts, d.strategy);
  append_product(out, d.strategy);
}

/// What number of bytes a parameter would make the claim true, if one of those in use does.
constexpr void append_other_bytes(reason_text& out, const claim& c) noexcept {
  claim tried = c;
  for (const int bytes : {1, 2, 4, 6, 8, 12, 16, 18}) {
    tried.inputs.set(claim_input::bytes_per_parameter, bytes);
    const claim_verdict v = judge(tried);
    if (!v.holds()) continue;
    out.append(text{"; what is claimed would be "})
        .append(std::int64_t{bytes})
        .append(text{bytes == 1 ? " byte" : " bytes"})
        .append(text{" a parameter"});
    if (v.reading == byte_reading::binary) out.append(text{", in powers of 1024"});
    return;
  }
}

/// In how many parts TP, PP and EP alone cut the parameters, and what a part is then.
constexpr void append_fewer_ways(reason_text& out, const claim& c) noexcept {
  const optional_integer tp = integer_in(c.inputs, claim_input::tp_size);
  const optional_integer pp = integer_in(c.inputs, claim_input::pp_size);
  const optional_integer ep = integer_in(c.inputs, claim_input::ep_size);
  if (!tp.given || !pp.given || !ep.given) return;
  const saturating_count ways = saturating_count{tp.number} * pp.number * ep.number;
  if (ways == saturating_count{0} || !fits(ways) || ways.value() >= 1'000'000'000'000'000'000) return;
  claim cut = c;
  cut.inputs.set(claim_input::ways, static_cast<std::int64_t>(ways.value()));
  if (cut.inputs[claim_input::ways] == c.inputs[claim_input::ways]) return;
  const claim_verdict v = judge(cut);
  if (!v.computed) return;
  out.append(text{"; unless data parallelism shards them too (ZeRO-3), TP x PP x EP = "});
  append_grouped(out, ways.value());
  out.append(text{" ways (ETP = TP) make it "});
  append_computed(out, v.value.low, c, byte_reading::decimal);
}

/// ": 1,024 tokens a sample".
constexpr void append_tokens(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  const wide_ratio each = (v.value / exact_value(c.inputs[claim_input::samples])).low.lowest_terms();
  out.append(text{": "});
  append_value(out, each, printed_value{1}, v.reading, 0);
  out.append(text{" tokens a sample"});
}

constexpr void append_notes(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  const bool by_degrees =
      c.inputs.gives(claim_input::tp_size) && c.inputs.gives(claim_input::pp_size) && c.inputs.gives(claim_input::dp_size);
  if ((c.quantity == claim_quantity::product_gpus || c.quantity == claim_quantity::over_capacity) && by_degrees)
    append_folded(out, c);
  if (c.quantity == claim_quantity::folded_gpus && c.inputs.gives(claim_input::ep_size))
    append_product(out, strategy_described_by(c.inputs));
  if (c.quantity == claim_quantity::token_throughput && !c.inputs.gives(claim_input::tokens_per_sample)) append_tokens(out, c, v);
  if (v.fails() && v.how().takes(claim_input::ways)) {
    append_other_bytes(out, c);
    append_fewer_ways(out, c);
  }
  const bool whole = v.value.low.lowest_terms().denominator == uint256{1};
  if (v.fails() && entry(c.quantity).exact && c.quantity != claim_quantity::variance && !v.is_open() && !whole)
    out.append(text{", which is no whole number"});
}

/// ", less than 64 GB", ", not more than 512"; that something equals a value needs no such words.
constexpr void append_relation(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  if (c.relation == claim_relation::equals || v.is_undecided()) return;
  out.append(text{v.holds() ? ", " : ", not "});
  if (c.relation == claim_relation::differs)
    out.append(text{v.holds() ? "not" : "other than"});
  else
    append_spaced(out, name_of(c.relation));
  append_printed(out.append(' '), c.claimed);
}

constexpr void append_point(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  if (out.size() != 0) out.append(text{" = "});
  append_computed(out, v.value.low, c, v.reading);
  if (!v.fails()) return;
  if (!v.possible.is_point()) {
    out.append(text{" ("});
    append_computed(out, v.possible.low, c, v.reading);
    out.append(text{" to "});
    append_computed(out, v.possible.high, c, v.reading);
    out.append(text{" with its inputs rounded)"});
  }
  if (c.claimed.is_ambiguous() && c.relation == claim_relation::equals) {
    out.append(text{", or "});
    append_computed(out, v.how().value({c, byte_reading::binary, false}).low, c, byte_reading::binary);
  }
}

constexpr void append_open(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  const auto end = [&](text which, const wide_ratio& value, const char* assumption) {
    out.append(which);
    append_computed(out, value, c, v.reading);
    if (*assumption == 0) return;
    out.append(text{" ("});
    formula_words{out, c.inputs}.append(assumption);
    out.append(')');
  };
  end(": from ", v.value.low, v.how().at_low);
  end(" to ", v.value.high, v.how().at_high);
}

} // namespace detail

/// Why a claim has its verdict: the formula with its numbers, what came out, what the ends of an interval assume, what is missing, and
/// what would explain a number that is wrong. Precondition: v is the verdict of c.
[[nodiscard]] constexpr reason_text reason(const claim& c, const claim_verdict& v) noexcept {
  reason_text out;
  if (!v.units_suit) return out.append(text{"a unit does not suit what it is a number of"});
  if (!v.missing.empty()) {
    detail::append_missing(out, v);
    return out;
  }
  if (!v.how().suffices) return out.append(text{"it takes "}).append(text{v.how().words});
  if (!v.computed)
    return out.append(text{
        "nothing comes out: a divisor is 0, a difference is negative, a count is a range, or a number needs more than 256 bits"});
  if (c.quantity == claim_quantity::deployable) {
    detail::append_findings(out, c);
    return out;
  }
  detail::formula_words{out, c.inputs}.append(v.how().words);
  if (v.is_open())
    detail::append_open(out, c, v);
  else
    detail::append_point(out, c, v);
  detail::append_relation(out, c, v);
  if (v.reading == byte_reading::binary) out.append(text{", in powers of 1024"});
  detail::append_notes(out, c, v);
  return out;
}

/// Adds what a claim contradicts: "; contradicts total (1.15 GB)".
constexpr void append_contradiction(reason_text& out, const claim& other) noexcept {
  out.append(text{out.size() == 0 ? "contradicts " : "; contradicts "}).append(other.id).append(text{" ("});
  append_printed(out, other.claimed);
  out.append(')');
}

} // namespace moeplan
