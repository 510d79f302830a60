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

/// The low end of what was computed, below zero as far as it falls short of that.
template <std::size_t Capacity>
constexpr void append_low_end(text_buffer<Capacity>& out, const interval& value, const interval& shortfall, const claim& c,
                              byte_reading reading) noexcept {
  const bool is_negative = wide_ratio{} < shortfall.high;
  if (is_negative) out.append('-');
  append_computed(out, is_negative ? shortfall.high : value.low, c, reading);
}

/// The same of the high end.
template <std::size_t Capacity>
constexpr void append_high_end(text_buffer<Capacity>& out, const interval& value, const interval& shortfall, const claim& c,
                               byte_reading reading) noexcept {
  const bool is_negative = wide_ratio{} < shortfall.low;
  if (is_negative) out.append('-');
  append_computed(out, is_negative ? shortfall.low : value.high, c, reading);
}

/// What was computed: "21.696 GB", "0.469 GB to 7.5 GB", "-16 GB", or nothing where nothing could be.
[[nodiscard]] constexpr text_buffer<96> computed_words(const claim& c, const claim_verdict& v) noexcept {
  text_buffer<96> out;
  if (!v.computed) return out;
  append_low_end(out, v.value, v.shortfall, c, v.reading);
  if (!v.is_open()) return out;
  append_high_end(out.append(text{" to "}), v.value, v.shortfall, c, v.reading);
  return out;
}

/// The name of an input in words: "used memory", "TP", "GPUs".
template <std::size_t Capacity>
constexpr void append_name(text_buffer<Capacity>& out, claim_input input) noexcept {
  if (input == claim_input::gpus) return void(out.append(text{"GPUs"}));
  const bool is_degree = input <= claim_input::sp_size;
  for (const char c : name_of(input)) {
    if (is_degree)
      out.append(static_cast<char>(c - 'a' + 'A'));
    else
      out.append(c == '_' ? ' ' : c);
  }
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
        const std::size_t input = find(pattern.part(at + 1, close - at - 1));
        at = close;
        if (input == given_.items.size()) continue;
        append_printed(out_, given_.items[input].value);
        if (given_.items[input].value == printed_value{1})
          at += append_singular(pattern.part(close + 1, pattern.size() - close - 1));
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

  /// Of a noun that follows the number 1. How many characters of the pattern that was.
  constexpr std::size_t append_singular(text rest) noexcept {
    constexpr struct {
      text many;
      text one;
    } nouns[] = {{" GPUs", " GPU"},       {" bytes", " byte"},   {" layers", " layer"},
                 {" experts", " expert"}, {" heads", " head"},   {" sequences", " sequence"},
                 {" stages", " stage"},   {" tokens", " token"}, {" micro-batches", " micro-batch"}};
    for (const auto& noun : nouns) {
      if (!(rest.part(0, noun.many.size()) == noun.many)) continue;
      out_.append(noun.one);
      return noun.many.size();
    }
    return 0;
  }

  reason_text& out_;
  const claim_inputs& given_;
};

/// A name as words: "less than".
constexpr void append_spaced(reason_text& out, text name) noexcept {
  for (const char c : name) out.append(c == '_' ? ' ' : c);
}

constexpr void append_missing(reason_text& out, const claim_verdict& v) noexcept {
  out.append(text{"not given: "});
  for (std::size_t i = 0; i < v.missing.size(); ++i) { append_name(out.append(text{i == 0 ? "" : ", "}), v.missing[i]); }
}

constexpr void append_gpus(reason_text& out, std::int64_t n) noexcept {
  append_grouped(out, static_cast<std::uint64_t>(n));
  out.append(text{n == 1 ? " GPU" : " GPUs"});
}

/// "EP 64", or "ETP 2 x EP 64".
constexpr reason_text& append_expert_ranks(reason_text& out, const facts& f) noexcept {
  if (f.etp != 1) out.append(text{"ETP "}).append(f.etp).append(text{" x "});
  return out.append(text{"EP "}).append(f.ep);
}

/// Whether all degrees that are given are single whole numbers, so that they are a strategy.
[[nodiscard]] constexpr bool has_whole_degrees(const claim& c) noexcept {
  for (const claim_inputs::item& i : c.inputs.items)
    if (i.name <= claim_input::sp_size && !integer_in(c.inputs, i.name).given) return false;
  return true;
}

/// "; folded it is 128 GPUs (EDP 2)", "; folded it is 32 GPUs, and EP 64 does not divide a stage's 8".
constexpr void append_folded(reason_text& out, const claim& c) noexcept {
  if (!has_whole_degrees(c)) return;
  const facts f = facts_of({.strategy = strategy_described_by(c.inputs), .profile = profile::universal});
  if (!f.knows(known::degrees | known::no_overflow)) return;
  out.append(text{"; folded it is "});
  append_gpus(out, f.gpus);
  if (!f.knows(known::experts_fit))
    append_expert_ranks(out.append(text{", and "}), f).append(text{" does not divide a stage's "}).append(f.stage_gpus);
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

} // namespace detail

/// That so many GPUs cannot hold the weights: "the weights alone, 30B x 2 bytes over 8 GPUs, as by ZeRO-3, take 7.5 GB of each GPU's 4 GB".
/// Precondition: weights_outgrow().
[[nodiscard]] constexpr reason_text weights_in_words(const claim_inputs& given, std::int64_t gpus, byte_reading reading) noexcept {
  reason_text out;
  detail::formula_words{out, given}.append("the weights alone, {parameters} x {bytes_per_parameter} bytes over ");
  detail::append_gpus(out, gpus);
  const printed_value& capacity = given[claim_input::capacity];
  const std::size_t decimals = std::size_t{capacity.first.decimals} + 2U;
  append_value(out.append(text{", as by ZeRO-3, take "}), even_share_of_weights(given, gpus, false).low, capacity, reading,
               decimals);
  append_printed(out.append(text{" of each GPU's "}), capacity);
  return out;
}

namespace detail {

/// What is wrong with a strategy, or how many GPUs it takes; and whether memory cannot suffice, on these GPUs or on all there are.
constexpr void append_findings(reason_text& out, const claim& c, byte_reading reading) noexcept {
  const deployment d = deployment_described_by(c.inputs);
  const findings found = check(d);
  if (found.ok()) {
    out.append(text{"no rule is violated: "});
    append_gpus(out, found.facts.gpus);
    out.append(text{" of "});
    append_grouped(out, static_cast<std::uint64_t>(found.facts.available));
    out.append(text{" under the folded mapping"});
  }
  const std::int64_t gpus = found.ok() ? found.facts.gpus : found.facts.available;
  if (gpus > 0 && weights_outgrow(c.inputs, gpus, reading))
    out.append(text{found.ok() ? "; but " : ""}).append(text{weights_in_words(c.inputs, gpus, reading)});
  std::uint64_t errors = 0;
  for (const finding f : found) {
    const bool is_error = f.level() == severity::error && f.id() != rule::dp_can_be_derived; // which is open, not wrong
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
  out.append(text{" ways (ETP = TP) make it "}).append(text{computed_words(cut, v)});
}

/// ": 1,024 tokens a sample".
constexpr void append_tokens(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  const wide_ratio each = formulas::tokens_of_a_sample({c}).low;
  append_value(out.append(text{": "}), each, printed_value{1}, v.reading, 0);
  out.append(text{each == wide_ratio{1} ? " token a sample" : " tokens a sample"});
}

constexpr void append_notes(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  const bool by_degrees =
      c.inputs.gives(claim_input::tp_size) && c.inputs.gives(claim_input::pp_size) && c.inputs.gives(claim_input::dp_size);
  if ((c.quantity == claim_quantity::product_gpus || c.quantity == claim_quantity::over_capacity) && by_degrees)
    append_folded(out, c);
  if (c.quantity == claim_quantity::folded_gpus && c.inputs.gives(claim_input::ep_size) && has_whole_degrees(c))
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
  append_low_end(out, v.value, v.shortfall, c, v.reading);
  if (*v.how().at_high != 0) { // Both ends are the same, and so is what they assume.
    formula_words{out.append(text{" ("}), c.inputs}.append(v.how().at_high);
    out.append(')');
  }
  const bool rests_on_precision = v.holds() && !agrees_as_printed(c, v);
  if (!v.fails() && !rests_on_precision) return;
  if (!v.possible.is_point() || !v.possible_shortfall.is_point()) {
    append_low_end(out.append(text{" ("}), v.possible, v.possible_shortfall, c, v.reading);
    append_high_end(out.append(text{" to "}), v.possible, v.possible_shortfall, c, v.reading);
    out.append(text{" with its inputs rounded)"});
  }
  if (rests_on_precision) return;
  const bool is_negative = wide_ratio{} < v.shortfall.low;
  if (is_negative || (is_utilisation(c.quantity) && wide_ratio{1} < v.possible.low))
    out.append(text{": more is used than there is"});
  if (c.claimed.is_ambiguous() && c.relation == claim_relation::equals && !is_negative) {
    out.append(text{", or "});
    append_computed(out, v.how().value({c, byte_reading::binary, false}).low, c, byte_reading::binary);
  }
}

constexpr void append_open(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  const auto assuming = [&](const char* assumption) {
    if (*assumption == 0) return;
    formula_words{out.append(text{" ("}), c.inputs}.append(assumption);
    out.append(')');
  };
  append_low_end(out.append(text{": from "}), v.value, v.shortfall, c, v.reading);
  assuming(v.how().at_low);
  append_high_end(out.append(text{" to "}), v.value, v.shortfall, c, v.reading);
  assuming(v.how().at_high);
}

/// Why a formula whose inputs are all given has no value.
constexpr void append_no_value(reason_text& out, const claim& c, const claim_verdict& v) noexcept {
  out.append(text{"nothing comes out: "});
  for (const claim_inputs::item& i : c.inputs.items) {
    const bool counts = c.quantity == claim_quantity::deployable || c.quantity == claim_quantity::variance;
    const bool is_count = entry(i.name).exact && entry(i.name).dimension == dimension::number;
    if (!counts || !is_count || i.name == claim_input::bytes_per_parameter || integer_in(c.inputs, i.name).given) continue;
    append_name(out, i.name);
    append_printed(out.append(' '), i.value);
    return void(out.append(text{" is no single whole number"}));
  }
  for (const claim_input needed : v.how().needs) {
    if (!(exact_value(c.inputs[needed]).low == wide_ratio{})) continue;
    append_name(out, needed);
    return void(out.append(text{c.inputs[needed].is_range() ? " can be 0" : " is 0"}));
  }
  if (v.how().value == formulas::whole_tokens) {
    const bool is_exact = c.relation == claim_relation::equals || c.relation == claim_relation::differs;
    if (!is_exact || c.claimed.is_range() || c.inputs[claim_input::samples].is_range())
      return void(out.append(text{"of ranges and limits it is open how many tokens a sample has"}));
    append_printed(out, c.claimed);
    append_printed(out.append(text{" are no whole number of tokens for each of "}), c.inputs[claim_input::samples]);
    return;
  }
  if (v.how().value == formulas::weights_by_degrees) {
    formula_words{out, c.inputs}.append("TP {tp} x PP {pp} are more parts than there are GPUs, {gpus}");
    return;
  }
  out.append(text{"a number needs more than 256 bits"});
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
  if (!v.computed) {
    detail::append_no_value(out, c, v);
    return out;
  }
  if (c.quantity == claim_quantity::deployable) {
    detail::append_findings(out, c, v.reading);
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
