// FLOPs counted slowly: layer by layer, token by token, pair by pair, matrix by matrix. Nothing of moeplan/cost is used but the words of
// its descriptions.
#pragma once

#include <cstdint>

#include <moeplan/cost/pass_tokens.hpp>
#include <moeplan/describe/model.hpp>

namespace moeplan_test {

class slow_flops {
public:
  using number = std::uint64_t;

  slow_flops(const moeplan::model& m, const moeplan::pass_tokens& pass) : m_{m}, pass_{pass} {
    for (std::int64_t layer = 0; layer < m.layers; ++layer) {
      if (m.has_linear_attention(layer))
        linear_layer();
      else
        softmax_layer(m.has_window(layer));
      m.has_experts(layer) ? experts() : dense();
    }
    head();
    if (!pass.multi_token_prediction) return;
    for (std::int64_t module = 0; module < m.mtp_layers; ++module) {
      for_each_token([this](std::int64_t) { matrix(mtp_projections, 2 * m_.hidden_size, m_.hidden_size); });
      softmax_layer(false);
      m.has_experts(m.layers - 1) ? experts() : dense();
      head();
    }
  }

  number attention_projections = 0, core_attention = 0, indexer_projections = 0, indexer_scores = 0, linear_projections = 0,
         delta_rule = 0, dense_mlp = 0, router = 0, routed_experts = 0, shared_experts = 0, mtp_projections = 0, heads = 0;

private:
  template <class Work>
  void for_each_token(const Work& work) {
    for (std::int64_t t = pass_.cached; t < pass_.cached + pass_.tokens; ++t) work(t);
  }

  /// A vector of so many elements times a matrix of so many columns.
  static void matrix(number& sum, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t row = 0; row < rows; ++row) sum += 2 * static_cast<number>(columns);
  }

  /// Whether a query looks at a key, itself included, as far as a window goes.
  [[nodiscard]] bool sees(std::int64_t query, std::int64_t key, bool windowed) const {
    if (key > query) return false;
    const moeplan::attention_window& w = m_.attention.window;
    if (!windowed) return true;
    return w.kind == moeplan::window_kind::sliding ? key > query - w.tokens : key >= query / w.tokens * w.tokens;
  }

  void softmax_layer(bool windowed) {
    const moeplan::attention& a = m_.attention;
    a.kind == moeplan::attention_kind::latent ? latent_projections() : grouped_projections();
    for_each_token([&](std::int64_t query) {
      std::int64_t left = a.indexer.top_k > 0 ? a.indexer.top_k : query + 1;
      for (std::int64_t key = 0; key <= query; ++key) {
        if (!sees(query, key, windowed)) continue;
        for (std::int64_t head = 0; head < a.indexer.heads; ++head) matrix(indexer_scores, a.indexer.head_dim, 1);
        if (left-- > 0) core_pair();
      }
    });
    if (a.indexer.heads == 0) return;
    for_each_token([&](std::int64_t) {
      matrix(indexer_projections, a.q_lora_rank, a.indexer.heads * a.indexer.head_dim);
      matrix(indexer_projections, m_.hidden_size, a.indexer.head_dim);
      matrix(indexer_projections, m_.hidden_size, a.indexer.heads);
    });
  }

  void core_pair() {
    const moeplan::attention& a = m_.attention;
    for (std::int64_t head = 0; head < a.heads; ++head) {
      if (a.kind == moeplan::attention_kind::grouped_query) {
        matrix(core_attention, m_.head_dim(), 1); // score
        matrix(core_attention, 1, m_.head_dim()); // value
      } else if (pass_.latent == moeplan::latent_attention_form::expanded) {
        matrix(core_attention, a.qk_nope_head_dim + a.qk_rope_head_dim, 1);
        matrix(core_attention, 1, a.v_head_dim);
      } else {
        matrix(core_attention, a.kv_lora_rank + a.qk_rope_head_dim, 1);
        matrix(core_attention, 1, a.kv_lora_rank);
      }
    }
  }

  void grouped_projections() {
    const moeplan::attention& a = m_.attention;
    for_each_token([&](std::int64_t) {
      for (std::int64_t head = 0; head < a.heads; ++head) {
        matrix(attention_projections, m_.hidden_size, m_.head_dim());
        if (a.output_gate) matrix(attention_projections, m_.hidden_size, m_.head_dim());
        matrix(attention_projections, m_.head_dim(), m_.hidden_size);
      }
      for (std::int64_t head = 0; head < 2 * a.kv_heads; ++head) matrix(attention_projections, m_.hidden_size, m_.head_dim());
    });
  }

  void latent_projections() {
    const moeplan::attention& a = m_.attention;
    const bool absorbed = pass_.latent == moeplan::latent_attention_form::absorbed;
    for_each_token([&](std::int64_t) {
      if (a.q_lora_rank > 0) matrix(attention_projections, m_.hidden_size, a.q_lora_rank);
      matrix(attention_projections, m_.hidden_size, a.kv_lora_rank + a.qk_rope_head_dim);
      for (std::int64_t head = 0; head < a.heads; ++head) {
        matrix(attention_projections, a.q_lora_rank > 0 ? a.q_lora_rank : m_.hidden_size, a.qk_nope_head_dim + a.qk_rope_head_dim);
        matrix(attention_projections, a.v_head_dim, m_.hidden_size);
        if (!absorbed) continue;
        matrix(attention_projections, a.qk_nope_head_dim, a.kv_lora_rank); // the query
        matrix(attention_projections, a.kv_lora_rank, a.v_head_dim);       // the output
      }
    });
    if (absorbed) return;
    for (std::int64_t token = 0; token < pass_.cached + pass_.tokens; ++token) // of which all keys and values are projected up
      for (std::int64_t head = 0; head < a.heads; ++head)
        matrix(attention_projections, a.kv_lora_rank, a.qk_nope_head_dim + a.v_head_dim);
  }

  void linear_layer() {
    const moeplan::linear_attention& l = m_.linear_attention;
    for_each_token([&](std::int64_t) {
      for (std::int64_t head = 0; head < 2 * l.key_heads; ++head) {
        matrix(linear_projections, m_.hidden_size, l.key_head_dim);
        matrix(linear_projections, l.key_head_dim, l.convolution); // channel by channel
      }
      for (std::int64_t head = 0; head < l.value_heads; ++head) {
        matrix(linear_projections, m_.hidden_size, l.value_head_dim); // values
        matrix(linear_projections, l.value_head_dim, l.convolution);
        matrix(linear_projections, m_.hidden_size, l.value_head_dim); // output gate
        matrix(linear_projections, m_.hidden_size, 1);                // decay
        matrix(linear_projections, m_.hidden_size, 1);                // write strength
        matrix(linear_projections, l.value_head_dim, m_.hidden_size); // output
        matrix(delta_rule, l.key_head_dim, l.value_head_dim);         // what the state has for the key
        matrix(delta_rule, l.value_head_dim, l.key_head_dim);         // update
        matrix(delta_rule, l.key_head_dim, l.value_head_dim);         // what it has for the query
      }
    });
  }

  void mlp(number& sum, std::int64_t width) const {
    matrix(sum, m_.hidden_size, width);
    if (m_.gated_mlp) matrix(sum, m_.hidden_size, width);
    matrix(sum, width, m_.hidden_size);
  }

  void dense() {
    for_each_token([this](std::int64_t) { mlp(dense_mlp, m_.intermediate_size); });
  }

  void experts() {
    const moeplan::experts& e = m_.experts;
    for_each_token([&](std::int64_t) {
      for (std::int64_t expert = 0; expert < e.routed; ++expert) matrix(router, m_.hidden_size, 1);
      if (e.shared_gate) matrix(router, m_.hidden_size, 1);
      for (std::int64_t k = 0; k < e.top_k; ++k) mlp(routed_experts, e.intermediate_size);
      mlp(shared_experts, e.shared_intermediate_size);
    });
  }

  void head() {
    for (std::int64_t t = 0; t < pass_.logits; ++t) matrix(heads, m_.hidden_size, m_.vocabulary_size);
  }

  moeplan::model m_;
  moeplan::pass_tokens pass_;
};

} // namespace moeplan_test
