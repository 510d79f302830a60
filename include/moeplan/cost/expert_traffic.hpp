#pragma once

#include <cstdint>

#include <moeplan/balance/node_limited_routing.hpp>
#include <moeplan/cost/block_communications.hpp>
#include <moeplan/cost/communication.hpp>
#include <moeplan/cost/exchange_format.hpp>
#include <moeplan/memory/activation_shape.hpp>
#include <moeplan/memory/states.hpp>
#include <moeplan/mesh/group_axes.hpp>
#include <moeplan/number/count.hpp>
#include <moeplan/number/extremes.hpp>

/// @file
/// How tokens travel to their experts and back in a training run, for one MoE layer and one micro-batch.

namespace moeplan::detail {

/// Adds the communications of each dispatcher to a list.
class expert_traffic_builder : public block_recorder {
public:
  constexpr expert_traffic_builder(const activation_shape& s, const exchange_formats& formats, block_communications& list) noexcept
      : block_recorder{s, list}, formats_{&formats} {}

  constexpr void add_exchange() noexcept {
    if (shape().expert_ranks * shape().expert_tensor_ranks == 1) return;
    begin(traffic_block::moe_mlp, purpose::dispatch, is_full() || selects(&recompute_modules::moe));
    switch (shape().train.dispatcher) {
      case token_dispatcher::all_gather: add_all_gather_dispatch(); break;
      case token_dispatcher::all_to_all: add_all_to_all_dispatch(); break;
      case token_dispatcher::flex:
      case token_dispatcher::deepep: add_deduplicated_dispatch(); break;
    }
  }

private:
  [[nodiscard]] constexpr saturating_count row(const exchange_format& f) const noexcept {
    return bytes_of_row<saturating_count>(f, shape().hidden);
  }

  /// An all-to-all of so many bytes a row between EP ranks.
  [[nodiscard]] constexpr communication exchange_of_rows(pass when, purpose what, saturating_count bytes,
                                                         const char* source) const noexcept {
    const activation_shape& s = shape();
    communication c = make(when, collective::all_to_all, groups::ep, s.expert_ranks, s.rows.sent * bytes, source, 1);
    c.purpose = what;
    c.busiest = (s.rows.received > s.rows.sent ? s.rows.received : s.rows.sent) * bytes;
    return c;
  }

  constexpr void add_all_to_all_dispatch() noexcept {
    const activation_shape& s = shape();
    const char* const source = "moe/token_dispatcher.py MoEAlltoAllTokenDispatcher";
    const auto number = bytes_of<saturating_count>(1, s.type);
    if (!s.train.routing.pad_to_capacity) add_token_counts(source);
    forward(exchange_of_rows(pass::forward, purpose::dispatch, row(formats_->dispatch), source));
    forward(exchange_of_rows(pass::forward, purpose::probabilities, number, source));
    if (s.expert_tensor_ranks > 1) add_expert_tensor_exchange();
    forward(exchange_of_rows(pass::forward, purpose::combine, row(formats_->combine), source));
    add(exchange_of_rows(pass::backward, purpose::dispatch, row(formats_->gradient_dispatch), source));
    add(exchange_of_rows(pass::backward, purpose::combine, row(formats_->gradient_combine), source));
    add(exchange_of_rows(pass::backward, purpose::probabilities, number, source));
  }

  /// How many tokens each rank has for each expert, in 64 bits, to all ranks.
  constexpr void add_token_counts(const char* source) noexcept {
    const activation_shape& s = shape();
    const std::int64_t n = s.expert_ranks * s.expert_tensor_ranks;
    communication c =
        make(pass::forward, collective::all_gather, groups::etp_ep, n, saturating_count{n} * s.experts * 8, source, 1);
    c.purpose = purpose::routing;
    forward(c);
  }

  /// ETP ranks each compute a part of the same experts for all their rows (arXiv 2504.14960, section 3.3).
  constexpr void add_expert_tensor_exchange() noexcept {
    const activation_shape& s = shape();
    const std::int64_t n = s.expert_tensor_ranks;
    const char* const source = "moe/token_dispatcher.py MoEAlltoAllTokenDispatcher, expert_tensor_parallel";
    const auto gather = [&](pass when, collective kind, purpose what, saturating_count width) {
      communication c = make(when, kind, groups::etp, n, activations(s.rows.sent * n, width), source, 1);
      c.purpose = what;
      c.busiest = activations(s.rows.computed, width);
      if (c.busiest < c.size) c.busiest = c.size;
      return c;
    };
    forward(gather(pass::forward, collective::all_gather, purpose::expert_tensors, s.hidden));
    forward(gather(pass::forward, collective::all_gather, purpose::probabilities, 1));
    forward(gather(pass::forward, collective::reduce_scatter, purpose::expert_tensors, s.hidden));
    add(gather(pass::backward, collective::all_gather, purpose::expert_tensors, s.hidden));
    add(gather(pass::backward, collective::reduce_scatter, purpose::expert_tensors, s.hidden));
    add(gather(pass::backward, collective::reduce_scatter, purpose::probabilities, 1));
  }

  /// All tokens to all ranks, and the sum of what each made of them back.
  constexpr void add_all_gather_dispatch() noexcept {
    const activation_shape& s = shape();
    const std::int64_t n = s.expert_ranks * s.expert_tensor_ranks;
    const saturating_count tokens = s.spread_tokens * n;
    const char* const source = "moe/token_dispatcher.py MoEAllGatherTokenDispatcher";
    const auto exchange = [&](pass when, collective kind, purpose what, saturating_count size) {
      communication c = make(when, kind, groups::etp_ep, n, size, source, 1);
      c.purpose = what;
      return c;
    };
    const saturating_count scores = activations(tokens, s.experts);
    forward(exchange(pass::forward, collective::all_gather, purpose::routing, tokens * s.experts)); // a byte a token and expert
    forward(exchange(pass::forward, collective::all_gather, purpose::probabilities, scores));
    forward(exchange(pass::forward, collective::all_gather, purpose::dispatch, tokens * row(formats_->dispatch)));
    forward(exchange(pass::forward, collective::reduce_scatter, purpose::combine, tokens * row(formats_->combine)));
    add(exchange(pass::backward, collective::all_gather, purpose::dispatch, tokens * row(formats_->gradient_dispatch)));
    add(exchange(pass::backward, collective::reduce_scatter, purpose::combine, tokens * row(formats_->gradient_combine)));
    add(exchange(pass::backward, collective::reduce_scatter, purpose::probabilities, scores));
  }

  /// A token goes once to each rank that has experts for it, and its outputs are added up there before they go back. What travels beside
  /// hidden states and their scales (indices and weights, 8 bytes for each of the top k) is not counted.
  constexpr void add_deduplicated_dispatch() noexcept {
    const activation_shape& s = shape();
    const experts& rank = s.rank.experts;
    experts all = rank;
    all.routed = s.experts;
    const std::int64_t n = s.expert_ranks * s.expert_tensor_ranks;
    const distinct_ranks<double> ranks = distinct_ranks_of(all, s.expert_ranks);
    const bool known = ranks.most > 0;
    const std::int64_t most = known ? ranks.most : least(all.top_k, s.expert_ranks);
    const char* const source = "moe/token_dispatcher.py MoEFlexTokenDispatcher, DeepEP buffer.py dispatch, combine";
    const auto exchange = [&](pass when, purpose what, const exchange_format& format) {
      const saturating_count tokens = s.spread_tokens * s.expert_tensor_ranks * row(format);
      communication c = make(when, collective::all_to_all, groups::etp_ep, n, tokens * most, source, 1);
      c.purpose = what;
      c.copies = most * s.expert_tensor_ranks;
      c.expected_size = known ? static_cast<double>(tokens.bits) * ranks.expected : __builtin_nan("");
      if (s.rows.received > s.rows.sent) { // At worst every token of every rank has an expert on the busiest one.
        const saturating_count all_tokens = s.spread_tokens * s.expert_ranks;
        const saturating_count rows = s.rows.received < all_tokens ? s.rows.received : all_tokens;
        c.busiest = rows * s.expert_tensor_ranks * row(format);
        if (c.busiest < c.size) c.busiest = c.size;
      }
      return c;
    };
    forward(exchange(pass::forward, purpose::dispatch, formats_->dispatch));
    forward(exchange(pass::forward, purpose::combine, formats_->combine));
    add(exchange(pass::backward, purpose::dispatch, formats_->gradient_dispatch));
    add(exchange(pass::backward, purpose::combine, formats_->gradient_combine));
  }

  const exchange_formats* formats_;
};

} // namespace moeplan::detail
